#include "harness/timing/nvml.h"

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <filesystem>
#include <sstream>

#include <dlfcn.h>
#include <unistd.h>

namespace upbench {
namespace {

// The parts of NVML's stable C interface that are used here, as NVIDIA documents them (NVML API reference).
using Device = void*;
constexpr int kSuccess = 0;
constexpr unsigned kClockSm = 1, kTemperatureGpu = 0;
constexpr unsigned kHeldByPower = 0, kHeldByHeat = 1;  // nvmlPerfPolicyType_t

struct HeldTime {  // nvmlViolationTime_t
  unsigned long long now_us, held_ns;
};

struct Process {  // nvmlProcessInfo_t of the _v3 call
  unsigned pid;
  unsigned long long used_gpu_memory;
  unsigned gpu_instance, compute_instance;
};

// nvmlClocksEventReasons: those that say the GPU is slower than asked. Idle and application settings are no
// fault.
struct Reason {
  unsigned long long bit;
  const char* name;
};
constexpr Reason kReasons[] = {{0x04, "power limit"},
                               {0x08, "hardware slowdown"},
                               {0x20, "heat"},
                               {0x40, "heat (hardware)"},
                               {0x80, "power brake (hardware)"}};

// The kernel gives the first namespace of processes this number.
bool in_container() {
  std::error_code error;
  const std::string name = std::filesystem::read_symlink("/proc/self/ns/pid", error);
  return !error && name != "pid:[4026531836]";
}

// Where CUDA's device `index` sits on the bus, "0000:17:00.0", as its driver says; empty: there is no driver,
// or it does not tell.
std::string bus_address(int index) {
  const char* file = std::getenv("UPBENCH_CUDA_DRIVER");
  void* driver = dlopen(file ? file : "libcuda.so.1", RTLD_NOW | RTLD_LOCAL);  // stays: CUDA may be in use
  if (!driver) return {};
  const auto init = reinterpret_cast<int (*)(unsigned)>(dlsym(driver, "cuInit"));
  const auto get = reinterpret_cast<int (*)(int*, int)>(dlsym(driver, "cuDeviceGet"));
  const auto tell = reinterpret_cast<int (*)(char*, int, int)>(dlsym(driver, "cuDeviceGetPCIBusId"));
  int device = 0;
  char address[32] = {};
  const bool told = init && get && tell && init(0) == kSuccess && get(&device, index) == kSuccess &&
                    tell(address, static_cast<int>(sizeof address) - 1, device) == kSuccess;
  return told ? address : "";
}

// Without the driver's word, what CUDA_VISIBLE_DEVICES makes device `index`: an index or UUID of NVML.
std::string visible_device(int index) {
  const char* list = std::getenv("CUDA_VISIBLE_DEVICES");
  if (!list) return std::to_string(index);
  std::istringstream items(list);
  std::string item;
  for (int i = 0; std::getline(items, item, ','); ++i)
    if (i == index) return item;
  return {};
}

}  // namespace

struct Nvml::Library {
  void* handle = nullptr;
  bool ready = false;

  ~Library() {
    if (ready) call<int()>("nvmlShutdown");
    if (handle) dlclose(handle);
  }

  // NVML's return code, or -1 for a library that lacks the function.
  template <class Signature, class... Arguments>
  int call(const char* name, Arguments... arguments) const {
    auto* function = reinterpret_cast<Signature*>(dlsym(handle, name));
    return function ? function(arguments...) : -1;
  }

  template <class Number>
  std::optional<double> number(const char* name, Device device, double factor) const {
    Number value{};
    if (call<int(Device, Number*)>(name, device, &value) != kSuccess) return std::nullopt;
    return static_cast<double>(value) * factor;
  }

  std::optional<double> by_kind(const char* name, Device device, unsigned kind) const {
    unsigned value = 0;
    if (call<int(Device, unsigned, unsigned*)>(name, device, kind, &value) != kSuccess) return std::nullopt;
    return value;
  }

  std::optional<double> held_seconds(Device device, unsigned policy) const {
    HeldTime time{};
    if (call<int(Device, unsigned, HeldTime*)>("nvmlDeviceGetViolationStatus", device, policy, &time) !=
        kSuccess)
      return std::nullopt;
    return static_cast<double>(time.held_ns) * 1e-9;
  }

  std::vector<std::string> throttle_reasons(Device device) const {
    std::vector<std::string> names;
    unsigned long long reasons = 0;
    if (call<int(Device, unsigned long long*)>("nvmlDeviceGetCurrentClocksThrottleReasons", device,
                                               &reasons) == kSuccess)
      for (const Reason& reason : kReasons)
        if (reasons & reason.bit) names.emplace_back(reason.name);
    return names;
  }

  // NVML's handle of CUDA's device `index`; null: there is none.
  Device find(int index) const {
    Device device = nullptr;
    if (const std::string address = bus_address(index); !address.empty())
      return call<int(const char*, Device*)>("nvmlDeviceGetHandleByPciBusId_v2", address.c_str(), &device) ==
                     kSuccess
                 ? device
                 : nullptr;
    const std::string name = visible_device(index);
    unsigned number = 0;
    const auto parsed = std::from_chars(name.data(), name.data() + name.size(), number);
    const int result =
        parsed.ec == std::errc{}
            ? call<int(unsigned, Device*)>("nvmlDeviceGetHandleByIndex_v2", number, &device)
            : call<int(const char*, Device*)>("nvmlDeviceGetHandleByUUID", name.c_str(), &device);
    return result == kSuccess ? device : nullptr;
  }

  std::optional<int> other_processes(Device device) const {
    Process processes[64];
    unsigned count = std::size(processes);
    if (call<int(Device, unsigned*, Process*)>("nvmlDeviceGetComputeRunningProcesses_v3", device, &count,
                                               processes) != kSuccess)
      return std::nullopt;
    std::vector<unsigned> listed;
    for (unsigned i = 0; i < count; ++i) listed.push_back(processes[i].pid);
    return count_others(listed, static_cast<unsigned>(getpid()), in_container());
  }
};

int count_others(const std::vector<unsigned>& listed, unsigned own, bool in_container) {
  const auto all = static_cast<int>(listed.size());
  const bool is_listed = std::find(listed.begin(), listed.end(), own) != listed.end();
  return is_listed || in_container ? std::max(all - 1, 0) : all;
}

std::unique_ptr<Nvml> Nvml::open(int index) {
  auto library = std::make_unique<Library>();
  const char* file = std::getenv("UPBENCH_NVML");
  library->handle = dlopen(file ? file : "libnvidia-ml.so.1", RTLD_NOW | RTLD_LOCAL);
  if (!library->handle || library->call<int()>("nvmlInit_v2") != kSuccess) return nullptr;
  library->ready = true;
  const Device device = library->find(index);
  if (device == nullptr) return nullptr;
  return std::unique_ptr<Nvml>(new Nvml(std::move(library), device));
}

Nvml::Nvml(std::unique_ptr<Library> library, void* device) : library_(std::move(library)), device_(device) {}

Nvml::~Nvml() = default;

std::optional<double> Nvml::energy_j() const {
  return library_->number<unsigned long long>("nvmlDeviceGetTotalEnergyConsumption", device_, 1e-3);
}

GpuReading Nvml::read_clock() const {
  return {.clock_mhz = library_->by_kind("nvmlDeviceGetClockInfo", device_, kClockSm),
          .temperature_c = library_->by_kind("nvmlDeviceGetTemperature", device_, kTemperatureGpu),
          .power_w = library_->number<unsigned>("nvmlDeviceGetPowerUsage", device_, 1e-3),
          .throttle = library_->throttle_reasons(device_),
          .power_held_s = library_->held_seconds(device_, kHeldByPower),
          .heat_held_s = library_->held_seconds(device_, kHeldByHeat)};
}

GpuReading Nvml::read() const {
  GpuReading reading = read_clock();
  reading.power_limit_w = library_->number<unsigned>("nvmlDeviceGetEnforcedPowerLimit", device_, 1e-3);
  reading.default_power_limit_w =
      library_->number<unsigned>("nvmlDeviceGetPowerManagementDefaultLimit", device_, 1e-3);
  reading.energy_j = energy_j();
  reading.other_processes = library_->other_processes(device_);
  return reading;
}

}  // namespace upbench
