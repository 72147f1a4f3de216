#include "datasets/device/module.h"

#include <system_error>

#include <dlfcn.h>
#include <fmt/format.h>

namespace upbench {

LoadedCudaModule load_cuda_module(const std::filesystem::path& file) {
  std::error_code ignored;
  if (!std::filesystem::exists(file, ignored))
    return {.problem = fmt::format("{} is absent: this upbench was built without nvcc", file.string())};
  void* library = dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (!library) return {.problem = fmt::format("{} cannot be loaded: {}", file.string(), dlerror())};
  const auto entry = reinterpret_cast<decltype(&upbench_cuda_module)>(dlsym(library, "upbench_cuda_module"));
  if (!entry) return {.problem = fmt::format("{} is not a CUDA module of upbench", file.string())};
  const CudaModule* module = entry();
  if (module->version != kKernelTableVersion)
    return {.problem = fmt::format("{} is of version {}, this upbench expects {}: build both together",
                                   file.string(), module->version, kKernelTableVersion)};
  return {.module = module};
}

const LoadedCudaModule& cuda_module() {
  static const LoadedCudaModule loaded = [] {
    std::error_code error;
    const auto program = std::filesystem::read_symlink("/proc/self/exe", error);
    return load_cuda_module(program.parent_path() / "libupbench_cuda.so");
  }();
  return loaded;
}

}  // namespace upbench
