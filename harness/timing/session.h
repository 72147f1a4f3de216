#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "harness/timing/interleaved.h"
#include "harness/timing/machine.h"
#include "harness/timing/nvml.h"

namespace upbench {

// Index of "cuda:N"; -1 for "cpu".
int gpu_index(const std::string& device);

struct Range {
  double least = 0, greatest = 0;
};

// What was seen of a GPU while times were taken.
struct GpuRecord {
  std::optional<Range> clock_mhz, power_w;  // when laps ended: between them it may idle
  std::optional<Range> temperature_c;
  std::optional<double> power_limit_w;
  std::set<std::string> throttle;  // during laps
  bool shared = false;             // other processes computed there

  void add(const GpuReading& reading);  // between laps
  void add(const Lap& lap);
};

// What makes the times of a GPU doubtful.
std::vector<std::string> gpu_flags(const GpuRecord& record);

// Before any work: a power limit below the default, other processes, a clock that is held down.
std::vector<std::string> gpu_warnings(const GpuReading& reading);

// Watches machine and GPU while times are taken.
class TimingSession {
 public:
  // device: "cpu" or "cuda:N". Reads once.
  explicit TimingSession(const std::string& device, const std::filesystem::path& root = "/");
  void read();  // once more, when a part of the work is done
  const Nvml* nvml() const { return nvml_.get(); }

  // Around a lap, outside what is timed. begin_lap waits for a moment where the clock is still held down.
  // end_lap fills in what held it down meanwhile (on a GPU by the driver's reasons and counters, on the CPU
  // by the processors' counts of slowdowns), and the GPU's reading.
  void begin_lap();
  void end_lap(Lap& lap);
  // Takes what was seen during these laps, discarded ones included, into the facts.
  void add(const SubjectTimes& times);

  std::vector<std::string> flags() const;
  // {machine: {other_processors, stolen_share, clock_mhz: [least, greatest], throttles, load: [...]},
  //  gpu: {clock_mhz: [..], temperature_c: [..], power_w: [..], power_limit_w, throttle: [..]}, flags:
  //  [...]};
  // what is not known is absent.
  nlohmann::json facts() const;

 private:
  std::filesystem::path root_;
  std::unique_ptr<Nvml> nvml_;
  bool on_cpu_;
  std::vector<MachineReading> machine_;
  GpuRecord gpu_;
  GpuReading gpu_before_;  // when the lap began
  std::optional<std::uint64_t> throttles_before_;
};

}  // namespace upbench
