#include "harness/timing/session.h"

#include <algorithm>
#include <set>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace upbench {
namespace {

constexpr double kMuchClockChange = 0.05;
constexpr double kHotCelsius = 85;

using Field = std::optional<double> GpuReading::*;

std::vector<double> values(const std::vector<GpuReading>& readings, Field field) {
  std::vector<double> found;
  for (const GpuReading& reading : readings)
    if (reading.*field) found.push_back(*(reading.*field));
  return found;
}

nlohmann::json range_json(const std::vector<double>& values) {
  const auto [least, greatest] = std::minmax_element(values.begin(), values.end());
  return {*least, *greatest};
}

std::set<std::string> throttles(const std::vector<GpuReading>& readings) {
  std::set<std::string> all;
  for (const GpuReading& reading : readings) all.insert(reading.throttle.begin(), reading.throttle.end());
  return all;
}

nlohmann::json gpu_json(const std::vector<GpuReading>& readings) {
  nlohmann::json json = {{"throttle", throttles(readings)}};
  const auto add = [&](const char* name, Field field) {
    if (const auto found = values(readings, field); !found.empty()) json[name] = range_json(found);
  };
  add("clock_mhz", &GpuReading::clock_mhz);
  add("temperature_c", &GpuReading::temperature_c);
  add("power_w", &GpuReading::power_w);
  if (const auto limit = readings.back().power_limit_w) json["power_limit_w"] = *limit;
  return json;
}

nlohmann::json machine_json(const std::vector<MachineReading>& readings) {
  const Steadiness steadiness = judge_steadiness(readings);
  nlohmann::json json;
  if (steadiness.other_processors) json["other_processors"] = *steadiness.other_processors;
  if (steadiness.stolen_share) json["stolen_share"] = *steadiness.stolen_share;
  if (steadiness.least_mhz) json["clock_mhz"] = {*steadiness.least_mhz, *steadiness.greatest_mhz};
  if (steadiness.throttles) json["throttles"] = *steadiness.throttles;
  for (const MachineReading& reading : readings)
    if (reading.load) json["load"].push_back(*reading.load);
  return json;
}

}  // namespace

int gpu_index(const std::string& device) {
  if (!device.starts_with("cuda")) return -1;
  return device.size() > 5 ? std::stoi(device.substr(5)) : 0;
}

std::vector<std::string> gpu_flags(const std::vector<GpuReading>& readings) {
  std::vector<std::string> flags;
  if (const auto reasons = throttles(readings); !reasons.empty())
    flags.push_back(fmt::format("the GPU's clock was held down by: {}", fmt::join(reasons, ", ")));
  if (const auto clocks = values(readings, &GpuReading::clock_mhz); !clocks.empty()) {
    const auto [least, greatest] = std::minmax_element(clocks.begin(), clocks.end());
    if (*greatest > *least * (1 + kMuchClockChange))
      flags.push_back(fmt::format("the GPU's clock moved between {:.0f} and {:.0f} MHz", *least, *greatest));
  }
  const bool shared = std::any_of(readings.begin(), readings.end(), [](const GpuReading& reading) {
    return reading.processes.value_or(0) > 1;
  });
  if (shared) flags.emplace_back("other processes computed on the GPU");
  return flags;
}

std::vector<std::string> gpu_warnings(const GpuReading& reading) {
  std::vector<std::string> warnings;
  if (reading.power_limit_w && reading.default_power_limit_w &&
      *reading.power_limit_w < *reading.default_power_limit_w)
    warnings.push_back(fmt::format("the GPU's power limit is {:.0f} W, its default {:.0f} W",
                                   *reading.power_limit_w, *reading.default_power_limit_w));
  if (!reading.throttle.empty())
    warnings.push_back(fmt::format("the GPU's clock is held down by: {}", fmt::join(reading.throttle, ", ")));
  if (reading.temperature_c.value_or(0) >= kHotCelsius)
    warnings.push_back(fmt::format("the GPU is at {:.0f} degrees", *reading.temperature_c));
  if (reading.processes.value_or(0) > 0)
    warnings.push_back(fmt::format("{} processes compute on the GPU", *reading.processes));
  return warnings;
}

TimingSession::TimingSession(const std::string& device, const std::filesystem::path& root) : root_(root) {
  if (const int index = gpu_index(device); index >= 0) nvml_ = Nvml::open(index);
  machine_.push_back(read_machine(root_));
}

void TimingSession::read() {
  machine_.push_back(read_machine(root_));
  if (nvml_) gpu_.push_back(nvml_->read());
}

std::vector<std::string> TimingSession::flags() const {
  std::vector<std::string> flags = judge_steadiness(machine_).flags;
  for (std::string& flag : gpu_flags(gpu_)) flags.push_back(std::move(flag));
  return flags;
}

nlohmann::json TimingSession::facts() const {
  nlohmann::json json = {{"machine", machine_json(machine_)}, {"flags", flags()}};
  if (!gpu_.empty()) json["gpu"] = gpu_json(gpu_);
  return json;
}

}  // namespace upbench
