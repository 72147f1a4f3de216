#include "harness/cuda_driver.h"

#include <array>

#include <dlfcn.h>
#include <fmt/format.h>

namespace upbench {
namespace {

constexpr int kNeededVersion =
    13000;  // of LibTorch's build (scripts/requirements.txt); any driver of 13.x will do

// cuda.h: result codes that say what is wrong with an installation, and attributes of a device.
constexpr int kNoDevice = 100, kStubLibrary = 34, kNotReady = 802, kDriverMismatch = 803, kBusy = 46;
constexpr int kMajor = 75, kMinor = 76;

std::string meaning(int code) {
  switch (code) {
    case kNoDevice:
      return "it finds no GPU (or CUDA_VISIBLE_DEVICES hides them all)";
    case kStubLibrary:
      return "libcuda.so.1 is the toolkit's stub: take it out of LD_LIBRARY_PATH";
    case kNotReady:
      return "the GPUs are not ready yet (is nvidia-fabricmanager running?)";
    case kDriverMismatch:
      return "libcuda.so.1 and the kernel's driver are of different versions: reboot, or install one version "
             "of both";
    case kBusy:
      return "all GPUs are busy or taken exclusively";
    default:
      return fmt::format("CUDA error {}", code);
  }
}

// The driver's functions; all of this interface have been there for ten years and more.
struct Driver {
  int (*init)(unsigned) = nullptr;
  int (*version)(int*) = nullptr;
  int (*count)(int*) = nullptr;
  int (*get)(int*, int) = nullptr;
  int (*name)(char*, int, int) = nullptr;
  int (*memory)(std::size_t*, int) = nullptr;
  int (*attribute)(int*, int, int) = nullptr;
};

template <typename Function>
bool find(void* library, const char* symbol, Function& function) {
  function = reinterpret_cast<Function>(dlsym(library, symbol));
  return function != nullptr;
}

bool find_all(void* library, Driver& driver) {
  return find(library, "cuInit", driver.init) && find(library, "cuDriverGetVersion", driver.version) &&
         find(library, "cuDeviceGetCount", driver.count) && find(library, "cuDeviceGet", driver.get) &&
         find(library, "cuDeviceGetName", driver.name) &&
         find(library, "cuDeviceTotalMem_v2", driver.memory) &&
         find(library, "cuDeviceGetAttribute", driver.attribute);
}

int read_gpu(const Driver& driver, int index, Gpu& gpu) {
  int handle = 0;
  std::array<char, 256> name{};
  std::size_t bytes = 0;
  int error = driver.get(&handle, index);
  if (error == 0) error = driver.name(name.data(), static_cast<int>(name.size()) - 1, handle);
  if (error == 0) error = driver.memory(&bytes, handle);
  if (error == 0) error = driver.attribute(&gpu.major, kMajor, handle);
  if (error == 0) error = driver.attribute(&gpu.minor, kMinor, handle);
  gpu.name = name.data();
  gpu.memory_bytes = bytes;
  return error;
}

std::string read_gpus(const Driver& driver, DriverReport& report) {
  if (driver.version(&report.version) != 0) return "the NVIDIA driver does not tell its version";
  if (report.version < kNeededVersion)
    return fmt::format("the NVIDIA driver is for CUDA {}.{}, LibTorch here needs {}.{}: update the driver",
                       report.version / 1000, report.version % 1000 / 10, kNeededVersion / 1000,
                       kNeededVersion % 1000 / 10);
  int count = 0;
  int error = driver.init(0);
  if (error == 0) error = driver.count(&count);
  if (error == 0 && count == 0) error = kNoDevice;
  for (int index = 0; error == 0 && index < count; ++index)
    error = read_gpu(driver, index, report.gpus.emplace_back());
  return error == 0 ? "" : fmt::format("the NVIDIA driver does not work: {}", meaning(error));
}

}  // namespace

DriverReport ask_driver(const std::string& library) {
  DriverReport report;
  void* loaded = dlopen(library.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (!loaded) {
    report.problem = "no NVIDIA driver (libcuda.so.1 cannot be loaded)";
    return report;
  }
  report.present = true;
  Driver driver;
  report.problem =
      find_all(loaded, driver) ? read_gpus(driver, report) : "the NVIDIA driver is too old to be asked";
  return report;
}

}  // namespace upbench
