#pragma once

#include <filesystem>
#include <string>

#include "datasets/device/kernel_table.h"

namespace upbench {

struct LoadedCudaModule {
  const CudaModule* module = nullptr;
  std::string problem;  // why there is none; empty: there is one
};

// The module in `file`. Brings LibTorch's CUDA libraries into the process, which works without a GPU as well;
// it is never unloaded.
LoadedCudaModule load_cuda_module(const std::filesystem::path& file);

// libupbench_cuda.so from the folder of the running program; loaded by the first call, the same ever after.
const LoadedCudaModule& cuda_module();

}  // namespace upbench
