// A module of another version than the program's.
#include "datasets/device/kernel_table.h"

extern "C" const upbench::CudaModule* upbench_cuda_module() {
  static const upbench::CudaModule module{.version = 999};
  return &module;
}
