#include "datasets/device/memory.h"

#include <fstream>
#include <string_view>

#include <c10/core/CachingDeviceAllocator.h>
#include <c10/core/Device.h>

namespace upbench {
namespace {

// "Name:   123 kB" of a file of /proc, in bytes; 0: not there.
std::uint64_t proc_bytes(const char* file, std::string_view name) {
  std::ifstream lines(file);
  for (std::string line; std::getline(lines, line);)
    if (line.starts_with(name)) return std::stoull(line.substr(name.size())) * 1024;
  return 0;
}

std::uint64_t current(const c10::CachingAllocator::StatArray& stat) {
  return static_cast<std::uint64_t>(
      stat[static_cast<std::size_t>(c10::CachingAllocator::StatType::AGGREGATE)].current);
}

}  // namespace

DeviceMemory device_memory(const std::string& device) {
  const c10::Device of(device);
  if (of.is_cpu()) {
    const std::uint64_t resident = proc_bytes("/proc/self/status", "VmRSS:");
    return {.total = proc_bytes("/proc/meminfo", "MemTotal:"),
            .free = proc_bytes("/proc/meminfo", "MemAvailable:"),
            .allocated = resident,
            .reserved = resident,
            .peak = proc_bytes("/proc/self/status", "VmHWM:")};
  }
  auto* allocator = c10::getDeviceAllocator(of.type());
  const auto [free, total] = allocator->getMemoryInfo(of.index());
  const auto stats = allocator->getDeviceStats(of.index());
  const std::uint64_t allocated = current(stats.allocated_bytes), reserved = current(stats.reserved_bytes);
  const auto peak =
      stats.allocated_bytes[static_cast<std::size_t>(c10::CachingAllocator::StatType::AGGREGATE)].peak;
  return {.total = total,
          .free = free + (reserved - allocated),
          .allocated = allocated,
          .reserved = reserved,
          .peak = static_cast<std::uint64_t>(peak)};
}

void reset_peak_memory(const std::string& device) {
  const c10::Device of(device);
  if (of.is_cpu())
    std::ofstream("/proc/self/clear_refs") << 5;  // the high-water mark of resident memory (proc(5))
  else
    c10::getDeviceAllocator(of.type())->resetPeakStats(of.index());
}

void release_cached_memory(const std::string& device) {
  const c10::Device of(device);
  if (!of.is_cpu()) c10::getDeviceAllocator(of.type())->emptyCache();
}

}  // namespace upbench
