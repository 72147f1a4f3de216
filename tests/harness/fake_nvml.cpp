// A libnvidia-ml.so of two GPUs that tells what FAKE_NVML says: a list of words, see the functions. And a
// libcuda.so.1 of the same two, whose first is NVML's second.
#include <cstdlib>
#include <cstring>

#include <unistd.h>

namespace {

char devices[2];
const char* const addresses[2] = {"0000:17:00.0", "0000:65:00.0"};

bool said(const char* word) {
  const char* text = std::getenv("FAKE_NVML");
  return text && std::strstr(text, word);
}

}  // namespace

extern "C" {

int nvmlInit_v2() {
  return said("no-driver") ? 9 : 0;
}
int nvmlShutdown() {
  return 0;
}

int nvmlDeviceGetHandleByIndex_v2(unsigned index, void** device) {
  if (index > 1) return 2;
  *device = devices + index;
  return 0;
}

int nvmlDeviceGetHandleByUUID(const char* uuid, void** device) {
  if (std::strcmp(uuid, "GPU-second") != 0) return 6;
  *device = devices + 1;
  return 0;
}

int nvmlDeviceGetHandleByPciBusId_v2(const char* address, void** device) {
  for (int i = 0; i < 2; ++i) {
    if (std::strcmp(address, addresses[i]) != 0) continue;
    *device = devices + i;
    return 0;
  }
  return 6;
}

int cuInit(unsigned) {
  return said("no-cuda") ? 100 : 0;
}

int cuDeviceGet(int* device, int index) {
  *device = index;
  return index < 0 || index > 1 ? 101 : 0;
}

int cuDeviceGetPCIBusId(char* address, int length, int device) {
  std::strncpy(address, said("elsewhere") ? "0000:99:00.0" : addresses[1 - device],
               static_cast<std::size_t>(length));
  return 0;
}

int nvmlDeviceGetClockInfo(void* device, unsigned kind, unsigned* mhz) {
  if (kind != 1) return 2;
  *mhz = said("idle") ? 345 : device == devices ? 1980 : 1410;
  return 0;
}

int nvmlDeviceGetTemperature(void*, unsigned sensor, unsigned* celsius) {
  *celsius = said("hot") ? 90 : 45;
  return sensor == 0 ? 0 : 2;
}

int nvmlDeviceGetPowerUsage(void*, unsigned* milliwatts) {
  *milliwatts = 350500;
  return 0;
}

int nvmlDeviceGetEnforcedPowerLimit(void*, unsigned* milliwatts) {
  *milliwatts = said("capped") ? 400000 : 700000;
  return 0;
}

int nvmlDeviceGetPowerManagementDefaultLimit(void*, unsigned* milliwatts) {
  *milliwatts = 700000;
  return 0;
}

int nvmlDeviceGetTotalEnergyConsumption(void*, unsigned long long* millijoules) {
  static unsigned long long now = 0;
  *millijoules = now += 2500;
  return said("no-energy") ? 3 : 0;
}

int nvmlDeviceGetCurrentClocksThrottleReasons(void*, unsigned long long* reasons) {
  *reasons = said("throttled") ? 0x01 | 0x04 | 0x20 : 0x01;  // 0x01: idle
  return 0;
}

struct HeldTime {
  unsigned long long now_us, held_ns;
};

// Policy 0: power, 1: heat.
int nvmlDeviceGetViolationStatus(void*, unsigned policy, HeldTime* time) {
  static unsigned long long held[2];
  if (policy > 1) return 3;
  if (said(policy == 0 ? "held-by-power" : "held-by-heat")) held[policy] += 1'000'000;
  *time = {0, held[policy]};
  return 0;
}

struct Process {
  unsigned pid;
  unsigned long long memory;
  unsigned gpu, compute;
};

int nvmlDeviceGetComputeRunningProcesses_v3(void*, unsigned* count, Process* processes) {
  *count = said("shared") ? 2 : 1;
  processes[0] = {static_cast<unsigned>(getpid()), 1 << 20, 0, 0};
  if (*count == 2) processes[1] = {1, 1 << 20, 0, 0};
  return 0;
}

}  // extern "C"
