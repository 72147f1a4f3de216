#include "harness/timing/tensor_memory.h"

#include <algorithm>
#include <memory>
#include <mutex>

#include <c10/core/Allocator.h>
#include <c10/core/Device.h>
#include <c10/util/ThreadLocalDebugInfo.h>

namespace upbench {
namespace {

// The hook of LibTorch's profiler: allocators tell it of every block they hand out and take back.
class Counter final : public c10::MemoryReportingInfoBase {
 public:
  explicit Counter(c10::Device device) : device_(device) {}

  void reportMemoryUsage(void*, std::int64_t bytes, std::size_t, std::size_t, c10::Device device) override {
    if (device.type() != device_.type()) return;
    const std::lock_guard lock(mutex_);
    now_ += bytes;  // negative: taken back
    most_ = std::max(most_, now_);
  }
  bool memoryProfilingEnabled() const override { return true; }

  std::int64_t most() const { return most_; }

 private:
  c10::Device device_;
  std::mutex mutex_;
  std::int64_t now_ = 0, most_ = 0;
};

}  // namespace

std::uint64_t peak_tensor_bytes(const std::string& device, const std::function<void()>& work) {
  const auto counter = std::make_shared<Counter>(c10::Device(device));
  {
    const c10::DebugInfoGuard guard(c10::DebugInfoKind::PROFILER_STATE, counter);
    work();
  }
  return static_cast<std::uint64_t>(counter->most());
}

}  // namespace upbench
