#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "harness/timing/machine.h"
#include "harness/timing/nvml.h"

namespace upbench {

// Index of "cuda:N"; -1 for "cpu".
int gpu_index(const std::string& device);

// What makes the times of a GPU doubtful, from its readings while it worked.
std::vector<std::string> gpu_flags(const std::vector<GpuReading>& readings);

// Before any work: a power limit below the default, other processes, a clock that is held down.
std::vector<std::string> gpu_warnings(const GpuReading& reading);

// Watches machine and GPU while times are taken.
class TimingSession {
 public:
  // device: "cpu" or "cuda:N". Reads once.
  explicit TimingSession(const std::string& device, const std::filesystem::path& root = "/");
  void read();  // once more, when a part of the work is done
  const Nvml* nvml() const { return nvml_.get(); }

  std::vector<std::string> flags() const;
  // {machine: {other_processors, stolen_share, clock_mhz: [least, greatest], throttles, load: [...]},
  //  gpu: {clock_mhz: [..], temperature_c: [..], power_w: [..], power_limit_w, throttle: [..]}, flags:
  //  [...]};
  // what is not known is absent.
  nlohmann::json facts() const;

 private:
  std::filesystem::path root_;
  std::unique_ptr<Nvml> nvml_;
  std::vector<MachineReading> machine_;
  std::vector<GpuReading> gpu_;
};

}  // namespace upbench
