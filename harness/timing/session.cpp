#include "harness/timing/session.h"

#include <algorithm>
#include <chrono>
#include <thread>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace upbench {
namespace {

constexpr double kMuchClockChange = 0.05;
constexpr double kHotCelsius = 85;
// For a clock that is held down: a short rest is often enough.
constexpr int kMostRests = 5;
constexpr std::chrono::milliseconds kRest{50};

void widen(std::optional<Range>& range, const std::optional<double>& value) {
  if (!value) return;
  if (!range) range = Range{*value, *value};
  range->least = std::min(range->least, *value);
  range->greatest = std::max(range->greatest, *value);
}

template <class Number>
bool rose(const std::optional<Number>& before, const std::optional<Number>& after) {
  return before && after && *after > *before;
}

nlohmann::json gpu_json(const GpuRecord& record) {
  nlohmann::json json = {{"throttle", record.throttle}};
  const auto add = [&](const char* name, const std::optional<Range>& range) {
    if (range) json[name] = {range->least, range->greatest};
  };
  add("clock_mhz", record.clock_mhz);
  add("temperature_c", record.temperature_c);
  add("power_w", record.power_w);
  if (record.power_limit_w) json["power_limit_w"] = *record.power_limit_w;
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

void GpuRecord::add(const GpuReading& reading) {
  widen(temperature_c, reading.temperature_c);
  if (reading.power_limit_w) power_limit_w = reading.power_limit_w;
  shared = shared || reading.other_processes.value_or(0) > 0;
}

void GpuRecord::add(const Lap& lap) {
  if (!lap.gpu) return;
  widen(clock_mhz, lap.gpu->clock_mhz);
  widen(temperature_c, lap.gpu->temperature_c);
  widen(power_w, lap.gpu->power_w);
  throttle.insert(lap.slowed_by.begin(), lap.slowed_by.end());
}

std::vector<std::string> gpu_flags(const GpuRecord& record) {
  std::vector<std::string> flags;
  if (!record.throttle.empty())
    flags.push_back(fmt::format("the GPU's clock was held down by: {}", fmt::join(record.throttle, ", ")));
  if (const auto& clock = record.clock_mhz; clock && clock->greatest > clock->least * (1 + kMuchClockChange))
    flags.push_back(
        fmt::format("the GPU's clock moved between {:.0f} and {:.0f} MHz", clock->least, clock->greatest));
  if (record.shared) flags.emplace_back("other processes computed on the GPU");
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
  if (reading.other_processes.value_or(0) > 0)
    warnings.push_back(fmt::format("other processes compute on the GPU: {}", *reading.other_processes));
  return warnings;
}

TimingSession::TimingSession(const std::string& device, const std::filesystem::path& root)
    : root_(root), on_cpu_(gpu_index(device) < 0) {
  if (!on_cpu_) nvml_ = Nvml::open(gpu_index(device));
  read();
}

void TimingSession::read() {
  machine_.push_back(read_machine(root_));
  if (nvml_) gpu_.add(nvml_->read());
}

void TimingSession::begin_lap() {
  if (on_cpu_) throttles_before_ = count_throttles(root_);
  if (!nvml_) return;
  gpu_before_ = nvml_->read_clock();
  for (int i = 0; i < kMostRests && !gpu_before_.throttle.empty(); ++i) {
    std::this_thread::sleep_for(kRest);
    gpu_before_ = nvml_->read_clock();
  }
}

void TimingSession::end_lap(Lap& lap) {
  std::set<std::string> reasons;
  if (on_cpu_ && rose(throttles_before_, count_throttles(root_))) reasons.emplace("heat");
  if (nvml_) {
    lap.gpu = nvml_->read_clock();
    reasons.insert(gpu_before_.throttle.begin(), gpu_before_.throttle.end());
    reasons.insert(lap.gpu->throttle.begin(), lap.gpu->throttle.end());
    if (rose(gpu_before_.power_held_s, lap.gpu->power_held_s)) reasons.emplace("power limit");
    if (rose(gpu_before_.heat_held_s, lap.gpu->heat_held_s)) reasons.emplace("heat");
  }
  lap.slowed_by.assign(reasons.begin(), reasons.end());
}

void TimingSession::add(const SubjectTimes& times) {
  for (const std::vector<Lap>* laps : {&times.samples, &times.discarded})
    for (const Lap& lap : *laps) gpu_.add(lap);
}

std::vector<std::string> TimingSession::flags() const {
  std::vector<std::string> flags = judge_steadiness(machine_).flags;
  for (std::string& flag : gpu_flags(gpu_)) flags.push_back(std::move(flag));
  return flags;
}

nlohmann::json TimingSession::facts() const {
  nlohmann::json json = {{"machine", machine_json(machine_)}, {"flags", flags()}};
  if (nvml_) json["gpu"] = gpu_json(gpu_);
  return json;
}

}  // namespace upbench
