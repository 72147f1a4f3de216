#include "harness/device.h"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <fstream>

#include <dlfcn.h>
#include <sched.h>
#include <unistd.h>

#include <ATen/ATen.h>
#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <ATen/detail/CUDAHooksInterface.h>
#include <c10/core/Device.h>
#include <fmt/format.h>

#include "datasets/device/fault.h"
#include "datasets/device/module.h"
#include "datasets/device/stream.h"
#include "harness/cuda_driver.h"

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

// Empty when LibTorch's CUDA library is in the process and agrees that there are GPUs. It registers itself
// with the running LibTorch when it is loaded.
std::string load_cuda() {
  static const std::string problem = []() -> std::string {
    if (!dlopen("libtorch_cuda.so", RTLD_NOW | RTLD_GLOBAL))
      return fmt::format("LibTorch's CUDA library cannot be loaded: {}", dlerror());
    if (!at::globalContext().hasCUDA() || at::detail::getCUDAHooks().deviceCount() == 0)
      return "LibTorch finds no GPU that it can use";
    return {};
  }();
  return problem;
}

// Empty when a kernel of LibTorch runs on the device: it may be of a kind that this LibTorch has no code for.
std::string run_kernel(const std::string& device) {
  try {
    const at::Tensor one = at::ones({1}, at::TensorOptions().device(device));
    return one.add(one).item<float>() == 2 ? "" : "it computes 1 + 1 wrongly";
  } catch (const std::exception& error) {
    return device_error_text(error);
  }
}

const DriverReport& driver_report() {
  static const DriverReport report = ask_driver();
  return report;
}

DeviceError unusable(const std::string& device, const std::string& why) {
  return DeviceError(fmt::format("device {}: {}; --device cpu works without one", device, why));
}

int gpu_index_of(std::string_view name) {
  int index = 0;
  if (name == "cuda") return index;
  const char* end = name.data() + name.size();
  const auto result = std::from_chars(name.data() + std::min<std::size_t>(5, name.size()), end, index);
  if (!name.starts_with("cuda:") || result.ec != std::errc{} || result.ptr != end || index < 0)
    throw std::invalid_argument(fmt::format("device '{}': expected cuda:N with N = 0, 1, ...", name));
  return index;
}

DeviceInfo gpu(int index) {
  const DriverReport& driver = driver_report();
  require_gpus(driver, {index});
  const std::string name = fmt::format("cuda:{}", index);
  const auto fail = [&](const std::string& why) { return unusable(name, why); };
  if (const std::string problem = load_cuda(); !problem.empty()) throw fail(problem);
  const Gpu& found = driver.gpus[static_cast<std::size_t>(index)];
  if (const std::string problem = run_kernel(name); !problem.empty())
    throw fail(
        fmt::format("{} (compute capability {}.{}): {}", found.name, found.major, found.minor, problem));
  return {name,
          fmt::format("{}, compute capability {}.{}, {:.1f} GiB, driver for CUDA {}.{}", found.name,
                      found.major, found.minor, static_cast<double>(found.memory_bytes) / (1 << 30),
                      driver.version / 1000, driver.version % 1000 / 10),
          found.memory_bytes};
}

// The first GPU where one works; else the CPU, with the reason where there is a driver to complain about.
DeviceInfo best_device() {
  if (!driver_report().present) return cpu();
  try {
    DeviceInfo info = gpu(0);
    if (const std::size_t count = driver_report().gpus.size(); count > 1)
      info.notice =
          fmt::format("cuda:0 is one of {} GPUs; --device cuda:0,cuda:1 gives each a worker", count);
    return info;
  } catch (const DeviceError& error) {
    DeviceInfo info = cpu();
    info.notice = error.what();
    return info;
  }
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
  if (request == "auto") return best_device();
  if (request == "cuda" || request.starts_with("cuda:")) {
    const std::vector<int> indices = gpus_asked_for(request);
    require_gpus(driver_report(), indices);
    DeviceInfo info = gpu(indices[0]);
    for (std::size_t i = 1; i < indices.size(); ++i) info.others.push_back(gpu(indices[i]));
    return info;
  }
  throw std::invalid_argument(
      fmt::format("unknown device '{}': expected auto, cpu, cuda:N or cuda:0,cuda:1", request));
}

std::vector<int> gpus_asked_for(const std::string& request) {
  std::vector<int> indices;
  for (std::string_view rest = request;;) {
    const std::string_view name = rest.substr(0, rest.find(','));
    indices.push_back(gpu_index_of(name));
    if (std::ranges::count(indices, indices.back()) > 1)
      throw std::invalid_argument(
          fmt::format("device '{}': cuda:{} is named twice", request, indices.back()));
    if (name.size() == rest.size()) return indices;
    rest.remove_prefix(name.size() + 1);
  }
}

void require_gpus(const DriverReport& driver, const std::vector<int>& indices) {
  for (const int index : indices) {
    const std::string name = fmt::format("cuda:{}", index);
    if (!driver.problem.empty()) throw unusable(name, driver.problem);
    if (static_cast<std::size_t>(index) >= driver.gpus.size())
      throw DeviceError(fmt::format("no device {}: expected an index below {}", name, driver.gpus.size()));
  }
}

CudaModuleStatus cuda_module_status() {
  const LoadedCudaModule& loaded = cuda_module();
  if (!loaded.module) return {.text = loaded.problem};
  return {.usable = true,
          .text = fmt::format("version {}, {}", loaded.module->version, loaded.module->build)};
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
  synchronize_device(c10::Device(device));
}

}  // namespace upbench
