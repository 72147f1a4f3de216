#include "harness/timing/machine.h"

#include <algorithm>
#include <chrono>
#include <fstream>
#include <set>
#include <sstream>

#include <sys/resource.h>
#include <unistd.h>

#include <fmt/format.h>

namespace upbench {
namespace {

namespace fs = std::filesystem;

constexpr double kMuchOtherWork = 0.2;  // processors
constexpr double kMuchStolen = 0.02;    // of a processor's time
constexpr double kMuchClockChange = 0.05;

std::optional<std::string> first_word(const fs::path& file) {
  std::ifstream in(file);
  std::string word;
  return in >> word ? std::optional(word) : std::nullopt;
}

std::optional<std::uint64_t> whole_number(const fs::path& file) {
  std::ifstream in(file);
  std::uint64_t value = 0;
  return in >> value ? std::optional(value) : std::nullopt;
}

std::vector<fs::path> processor_folders(const fs::path& root) {
  std::vector<fs::path> folders;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(root / "sys/devices/system/cpu", error)) {
    const std::string name = entry.path().filename();
    if (name.size() > 3 && name.starts_with("cpu") &&
        name.find_first_not_of("0123456789", 3) == std::string::npos)
      folders.push_back(entry.path());
  }
  return folders;
}

// user nice system idle iowait irq softirq steal: in ticks.
void read_ticks(const fs::path& root, MachineReading& reading) {
  std::ifstream in(root / "proc/stat");
  std::string cpu;
  double user = 0, nice = 0, system = 0, idle = 0, wait = 0, irq = 0, soft = 0, steal = 0;
  if (!(in >> cpu >> user >> nice >> system >> idle >> wait >> irq >> soft >> steal) || cpu != "cpu") return;
  const auto tick = static_cast<double>(sysconf(_SC_CLK_TCK));
  reading.busy_s = (user + nice + system + irq + soft) / tick;
  reading.stolen_s = steal / tick;
}

// The kernel's frequency where it governs one, else what the processors report (constant in most virtual
// machines).
std::optional<double> clock_mhz(const fs::path& root) {
  double sum = 0;
  int count = 0;
  for (const fs::path& folder : processor_folders(root))
    if (const auto khz = whole_number(folder / "cpufreq/scaling_cur_freq")) {
      sum += static_cast<double>(*khz) / 1e3;
      ++count;
    }
  if (count == 0) {
    std::ifstream info(root / "proc/cpuinfo");
    for (std::string line; std::getline(info, line);)
      if (line.starts_with("cpu MHz") && line.find(':') != std::string::npos) {
        sum += std::strtod(line.c_str() + line.find(':') + 1, nullptr);
        ++count;
      }
  }
  return count > 0 ? std::optional(sum / count) : std::nullopt;
}

double own_seconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

void judge_flags(Steadiness& result) {
  if (result.other_processors && *result.other_processors > kMuchOtherWork)
    result.flags.push_back(
        fmt::format("other processes kept {:.1f} processors busy", *result.other_processors));
  if (result.stolen_share && *result.stolen_share > kMuchStolen)
    result.flags.push_back(
        fmt::format("the hypervisor took {:.0f} % of a processor", *result.stolen_share * 100));
  if (result.least_mhz && *result.greatest_mhz > *result.least_mhz * (1 + kMuchClockChange))
    result.flags.push_back(fmt::format("the processor clock moved between {:.0f} and {:.0f} MHz",
                                       *result.least_mhz, *result.greatest_mhz));
  if (result.throttles.value_or(0) > 0)
    result.flags.push_back(
        fmt::format("the processor was slowed for its temperature {} times", *result.throttles));
}

// Threads beyond physical cores share one: more threads than cores gain little and vary much.
std::optional<std::size_t> physical_cores(const fs::path& root) {
  std::set<std::string> cores;
  for (const fs::path& folder : processor_folders(root))
    if (const auto siblings = first_word(folder / "topology/thread_siblings_list")) cores.insert(*siblings);
  return cores.empty() ? std::nullopt : std::optional(cores.size());
}

std::optional<double> quota_processors(const fs::path& root) {
  std::ifstream file(root / "sys/fs/cgroup/cpu.max");
  std::string quota;
  double period = 0;
  if (!(file >> quota >> period) || quota == "max" || period <= 0) return std::nullopt;
  return std::strtod(quota.c_str(), nullptr) / period;
}

bool boosts(const fs::path& root) {
  const fs::path folder = root / "sys/devices/system/cpu";
  return whole_number(folder / "cpufreq/boost") == 1u || whole_number(folder / "intel_pstate/no_turbo") == 0u;
}

}  // namespace

std::optional<std::uint64_t> count_throttles(const fs::path& root) {
  std::optional<std::uint64_t> sum;
  for (const fs::path& folder : processor_folders(root))
    if (const auto count = whole_number(folder / "thermal_throttle/core_throttle_count"))
      sum = sum.value_or(0) + *count;
  return sum;
}

MachineReading read_machine(const fs::path& root) {
  MachineReading reading;
  reading.seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
  read_ticks(root, reading);
  reading.own_s = own_seconds();
  std::ifstream load(root / "proc/loadavg");
  if (double value = 0; load >> value) reading.load = value;
  reading.clock_mhz = clock_mhz(root);
  reading.throttles = count_throttles(root);
  return reading;
}

Steadiness judge_steadiness(const std::vector<MachineReading>& readings) {
  Steadiness result;
  if (readings.size() < 2) return result;
  const MachineReading &first = readings.front(), &last = readings.back();
  const double seconds = last.seconds - first.seconds;
  if (seconds > 0 && first.busy_s && last.busy_s)
    result.other_processors =
        std::max(0.0, (*last.busy_s - *first.busy_s - (last.own_s - first.own_s)) / seconds);
  if (seconds > 0 && first.stolen_s && last.stolen_s)
    result.stolen_share = (*last.stolen_s - *first.stolen_s) / seconds;
  if (first.throttles && last.throttles) result.throttles = *last.throttles - *first.throttles;
  for (const MachineReading& reading : readings)
    if (reading.clock_mhz) {
      result.least_mhz = std::min(result.least_mhz.value_or(*reading.clock_mhz), *reading.clock_mhz);
      result.greatest_mhz = std::max(result.greatest_mhz.value_or(0), *reading.clock_mhz);
    }
  judge_flags(result);
  return result;
}

PackageEnergy::PackageEnergy(const fs::path& root) {
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(root / "sys/class/powercap", error)) {
    const std::string name = entry.path().filename();  // intel-rapl:0; its parts intel-rapl:0:0 are in it
    if (!name.starts_with("intel-rapl:") || std::count(name.begin(), name.end(), ':') != 1) continue;
    const auto now = whole_number(entry.path() / "energy_uj");  // readable by root alone on most systems
    const auto range = whole_number(entry.path() / "max_energy_range_uj");
    if (now && range) packages_.push_back({entry.path() / "energy_uj", *now, *range});
  }
}

double PackageEnergy::joules() {
  for (Package& package : packages_) {
    const std::uint64_t now = whole_number(package.file).value_or(package.last);
    const std::uint64_t used = now >= package.last ? now - package.last : now + package.range - package.last;
    joules_ += static_cast<double>(used) * 1e-6;
    package.last = now;
  }
  return joules_;
}

std::vector<std::string> machine_warnings(int threads, const fs::path& root) {
  std::vector<std::string> warnings;
  std::ifstream load_file(root / "proc/loadavg");
  if (double load = 0; load_file >> load && load > 0.5)
    warnings.push_back(
        fmt::format("{:.1f} threads of other programs ran over the last minute: times will vary", load));
  const auto governor = first_word(root / "sys/devices/system/cpu/cpu0/cpufreq/scaling_governor");
  if (governor && *governor != "performance")
    warnings.push_back(fmt::format("processor governor '{}': 'performance' keeps the clock up", *governor));
  if (boosts(root))
    warnings.emplace_back("turbo is on: the clock depends on temperature and on how many cores work");
  const auto cores = physical_cores(root);
  if (cores && static_cast<std::size_t>(threads) > *cores)
    warnings.push_back(fmt::format(
        "{} threads on {} physical cores: hyperthreads share one core's arithmetic", threads, *cores));
  if (const auto quota = quota_processors(root))
    warnings.push_back(fmt::format(
        "a quota of {:.1f} processors (cgroup): work above it is stopped for parts of a tenth of a second",
        *quota));
  if (threads < 2) warnings.emplace_back("one processor: the system's own work interrupts every measurement");
  if (count_throttles(root).value_or(0) > 0)
    warnings.emplace_back("the processor was slowed for its temperature since it was started");
  return warnings;
}

std::vector<std::string> build_warnings() {
  std::vector<std::string> warnings;
#ifndef __OPTIMIZE__
  warnings.emplace_back("upbench was built without optimisation");
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  warnings.emplace_back("upbench was built with a sanitizer: everything takes several times as long");
#endif
  return warnings;
}

}  // namespace upbench
