#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

#include "harness/cuda_driver.h"

namespace upbench {

// No such device, or its driver does not work. The program exits with 4.
class DeviceError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

struct DeviceInfo {
  std::string name;                // "cpu" or "cuda:0", as at::Device takes it
  std::string description;         // "AMD EPYC ..., 2 threads" or the GPU's name
  std::uint64_t memory_bytes = 0;  // of the device
  std::string notice = {};  // "auto": why it is the CPU although there is a driver, or which GPUs it left out
  std::vector<DeviceInfo> others = {};  // that were asked for beside it, each for a worker of its own
};

// request: "auto" (the first GPU where it works, else the CPU), "cpu", "cuda" (cuda:0), "cuda:N", or several
// GPUs "cuda:0,cuda:1": the first is returned with the others in it. CUDA libraries are loaded here and only
// here, when a GPU is asked for or looked for and a driver is present. Throws DeviceError,
// std::invalid_argument for other text.
//
// Before LibTorch computes anything: a convolution, on the CPU as well, asks it for cuDNN, and what it finds
// of CUDA when it is first asked is what it has for as long as the process lives. A GPU opened afterwards is
// none that it can use.
DeviceInfo open_device(const std::string& request);

// Its two halves. The GPUs that a request names, in its order; throws std::invalid_argument. Which of them
// are not to be had, as the driver says; throws DeviceError.
std::vector<int> gpus_asked_for(const std::string& request);
void require_gpus(const DriverReport& driver, const std::vector<int>& indices);

// The module with this project's CUDA kernels and graphs (libupbench_cuda.so beside the program): whether it
// was built, and whether it loads. Without it GPUs still work through LibTorch alone.
struct CudaModuleStatus {
  bool usable = false;
  std::string text;  // "version 1, nvcc 13.0.88, sm_80 sm_86 sm_89 sm_90 and later", or what is missing
};
CudaModuleStatus cuda_module_status();

// Processors this process may use (affinity, cgroup quota), at least 1.
int available_threads();

// Threads that LibTorch uses inside one operator called from the calling thread.
void set_operator_threads(int threads);

// Waits until all work queued on the device is done; nothing to do on the CPU.
void synchronize(const std::string& device);

}  // namespace upbench
