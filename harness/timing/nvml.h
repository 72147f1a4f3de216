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
  std::vector<std::string> throttle;  // why the clock is below what was asked: "power limit", "heat", ...
  std::optional<double> power_held_s, heat_held_s;  // since some start that these held the clock down
  std::optional<int> other_processes;               // that compute on this GPU, without this one
};

// Of the processes that NVML lists, those that are not `own`. In a container it may list them by the numbers
// that they have outside: this process is then one of them, and nobody can say which.
int count_others(const std::vector<unsigned>& listed, unsigned own, bool in_container);

// libnvidia-ml.so.1, loaded when this is made; never linked.
class Nvml {
 public:
  // index: of the CUDA device. CUDA counts the fastest GPU first, and those alone that CUDA_VISIBLE_DEVICES
  // names; NVML counts all of them along the bus: the GPU's address there says which it is. Where CUDA's
  // driver does not tell it, the numbers and UUIDs of CUDA_VISIBLE_DEVICES are followed, in NVML's order.
  // Libraries: UPBENCH_NVML, else libnvidia-ml.so.1; UPBENCH_CUDA_DRIVER, else libcuda.so.1. nullptr where
  // there is no library, no driver or no such GPU.
  static std::unique_ptr<Nvml> open(int index);
  ~Nvml();
  Nvml(const Nvml&) = delete;
  Nvml& operator=(const Nvml&) = delete;

  GpuReading read() const;
  // Clock, what holds it down, temperature and power alone: cheap enough to be asked around every lap.
  GpuReading read_clock() const;
  std::optional<double> energy_j() const;  // cheap: one call

 private:
  struct Library;
  Nvml(std::unique_ptr<Library> library, void* device);
  std::unique_ptr<Library> library_;
  void* device_;
};

}  // namespace upbench
