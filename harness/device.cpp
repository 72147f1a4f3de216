#include "harness/device.h"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <fstream>

#include <dlfcn.h>
#include <sched.h>
#include <unistd.h>

#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <ATen/detail/CUDAHooksInterface.h>
#include <c10/core/DeviceGuard.h>
#include <c10/core/impl/VirtualGuardImpl.h>
#include <fmt/format.h>

namespace upbench {
namespace {

std::string cpu_model() {
  std::ifstream info("/proc/cpuinfo");
  for (std::string line; std::getline(info, line);)
    if (line.rfind("model name", 0) == 0) return line.substr(line.find(':') + 2);
  return "unknown processor";
}

DeviceInfo cpu() {
  const auto pages = static_cast<std::uint64_t>(sysconf(_SC_PHYS_PAGES));
  const auto page = static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
  return {"cpu", fmt::format("{}, {} threads", cpu_model(), available_threads()), pages * page};
}

// Empty when CUDA is usable, else why not. libtorch_cuda registers its hooks with the running LibTorch when
// it is loaded.
std::string load_cuda() {
  static const std::string problem = []() -> std::string {
    if (!dlopen("libcuda.so.1", RTLD_NOW | RTLD_LOCAL))
      return "no NVIDIA driver (libcuda.so.1 cannot be loaded)";
    if (!dlopen("libtorch_cuda.so", RTLD_NOW | RTLD_GLOBAL))
      return fmt::format("LibTorch's CUDA library cannot be loaded: {}", dlerror());
    if (!at::globalContext().hasCUDA() || at::detail::getCUDAHooks().deviceCount() == 0)
      return "the driver reports no GPU";
    return {};
  }();
  return problem;
}

DeviceInfo gpu(int index) {
  const auto count = at::detail::getCUDAHooks().deviceCount();
  if (index >= count)
    throw DeviceError(
        fmt::format("no device cuda:{}: expected an index below {}", index, static_cast<int>(count)));
  return {fmt::format("cuda:{}", index), fmt::format("NVIDIA GPU {}", index), 0};
}

// CPU quota of a cgroup v2 in whole processors; 0: none.
int cgroup_quota() {
  std::ifstream file("/sys/fs/cgroup/cpu.max");
  std::string quota;
  double period = 0;
  if (!(file >> quota >> period) || quota == "max" || period <= 0) return 0;
  return std::max(1, static_cast<int>(std::stod(quota) / period));
}

}  // namespace

DeviceInfo open_device(const std::string& request) {
  if (request == "cpu") return cpu();
  if (request == "auto") return load_cuda().empty() ? gpu(0) : cpu();
  if (request == "cuda" || request.starts_with("cuda:")) {
    int index = 0;
    if (request != "cuda") {
      const char* end = request.data() + request.size();
      const auto result = std::from_chars(request.data() + 5, end, index);
      if (result.ec != std::errc{} || result.ptr != end || index < 0)
        throw std::invalid_argument(fmt::format("device '{}': expected cuda:N with N = 0, 1, ...", request));
    }
    if (const std::string problem = load_cuda(); !problem.empty())
      throw DeviceError(fmt::format("device {}: {}; --device cpu works without one", request, problem));
    return gpu(index);
  }
  throw std::invalid_argument(fmt::format("unknown device '{}': expected auto, cpu or cuda:N", request));
}

int available_threads() {
  cpu_set_t set;
  CPU_ZERO(&set);
  int count = sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;
  if (const int quota = cgroup_quota(); quota > 0) count = std::min(count, quota);
  return std::max(1, count);
}

void set_operator_threads(int threads) {
  at::set_num_threads(threads);
}

void synchronize(const std::string& device) {
  const c10::Device torch_device(device);
  if (torch_device.is_cpu()) return;
  c10::impl::VirtualGuardImpl(torch_device.type()).synchronizeDevice(torch_device.index());
}

}  // namespace upbench
