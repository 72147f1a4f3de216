#include "harness/timing/energy.h"

namespace upbench {

EnergyMeter::EnergyMeter(const std::string& device, const Nvml* nvml, const std::filesystem::path& root)
    : packages_(root) {
  if (device == "cpu") {
    if (packages_.readable()) source_ = "processor packages (RAPL)";
  } else if (nvml && nvml->energy_j()) {
    nvml_ = nvml;
    source_ = "GPU (NVML)";
  }
}

double EnergyMeter::joules() {
  if (source_.empty()) return 0;
  return nvml_ ? nvml_->energy_j().value_or(0) : packages_.joules();
}

}  // namespace upbench
