#pragma once

#include <memory>
#include <string>

#include "harness/timing/machine.h"
#include "harness/timing/nvml.h"

namespace upbench {

// Joules that the device used, where the system tells: NVML's counter of a GPU, the counters of the processor
// packages for the CPU (RAPL). Both count whatever runs there, and what it takes to idle.
class EnergyMeter {
 public:
  // device: "cpu" or "cuda:N"; nvml: of that GPU, may be null, outlives this.
  EnergyMeter(const std::string& device, const Nvml* nvml, const std::filesystem::path& root = "/");
  const std::string& source() const { return source_; }  // empty: nothing tells
  double joules();                                       // since some start; 0 without a source

 private:
  const Nvml* nvml_ = nullptr;
  PackageEnergy packages_;
  std::string source_;
};

}  // namespace upbench
