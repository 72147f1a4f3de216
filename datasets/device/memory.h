#pragma once

#include <cstdint>
#include <string>

namespace upbench {

// Bytes. CPU: of the machine, and of this process (resident).
struct DeviceMemory {
  std::uint64_t total = 0;
  std::uint64_t free = 0;  // what this process could still take: free on the device, and cached by LibTorch
  std::uint64_t allocated = 0;  // by this process now
  std::uint64_t reserved = 0;   // by LibTorch here: allocated, cached, kept by graphs
  std::uint64_t peak = 0;       // most since reset_peak_memory
};

DeviceMemory device_memory(const std::string& device);

void reset_peak_memory(const std::string& device);

// Gives back what LibTorch keeps for reuse. Waits for the device; for use after a failure, not inside a
// trial.
void release_cached_memory(const std::string& device);

}  // namespace upbench
