#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace upbench {

// What NVIDIA's management library tells of one GPU at one moment. A fact that the driver does not tell is
// absent.
struct GpuReading {
  std::optional<double> clock_mhz;  // of the multiprocessors
  std::optional<double> temperature_c;
  std::optional<double> power_w, power_limit_w, default_power_limit_w;
  std::optional<double> energy_j;     // since the driver was loaded
  std::vector<std::string> throttle;  // why the clock is below what was asked: "power", "heat", "hardware"
  std::optional<int> processes;       // that compute on this GPU, this one included
};

// libnvidia-ml.so.1, loaded when this is made; never linked.
class Nvml {
 public:
  // index: of the CUDA device, as CUDA_VISIBLE_DEVICES leaves it (numbers and UUIDs are followed; the order
  // of several unlisted GPUs is taken to be that of the bus). library: UPBENCH_NVML, else libnvidia-ml.so.1.
  // nullptr where there is no library, no driver or no such GPU.
  static std::unique_ptr<Nvml> open(int index);
  ~Nvml();
  Nvml(const Nvml&) = delete;
  Nvml& operator=(const Nvml&) = delete;

  GpuReading read() const;
  std::optional<double> energy_j() const;  // cheap: one call

 private:
  struct Library;
  Nvml(std::unique_ptr<Library> library, void* device);
  std::unique_ptr<Library> library_;
  void* device_;
};

}  // namespace upbench
