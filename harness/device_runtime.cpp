#include "harness/device_runtime.h"

#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <utility>

#include <ATen/ATen.h>
#include <ATen/Context.h>
#include <fmt/format.h>

namespace upbench {

struct StagingPool::Lease::Buffer {
  at::Tensor memory;                // u8, pinned for a GPU; grows, never shrinks
  std::optional<DeviceEvent> used;  // the copy that may still read or write it
};

struct StagingPool::Impl {
  std::string device;
  bool pinned = false;
  std::mutex mutex;
  std::condition_variable returned;
  std::deque<std::unique_ptr<Lease::Buffer>> idle;  // the one longest idle in front: its copy is over
  bool closed = false;
};

StagingPool::StagingPool(const std::string& device, std::size_t buffers) : impl_(std::make_unique<Impl>()) {
  if (buffers == 0) throw std::invalid_argument("staging pool: 0 buffers: expected at least 1");
  impl_->device = device;
  impl_->pinned = !c10::Device(device).is_cpu();
  for (std::size_t i = 0; i < buffers; ++i) impl_->idle.push_back(std::make_unique<Lease::Buffer>());
}

StagingPool::~StagingPool() = default;

StagingPool::Lease StagingPool::acquire(std::size_t bytes) {
  std::unique_ptr<Lease::Buffer> buffer;
  {
    std::unique_lock lock(impl_->mutex);
    impl_->returned.wait(lock, [&] { return impl_->closed || !impl_->idle.empty(); });
    if (impl_->closed) throw std::runtime_error("staging pool: closed while a buffer was wanted");
    buffer = std::move(impl_->idle.front());
    impl_->idle.pop_front();
  }
  Lease lease(this, std::move(buffer), bytes);  // from here on it goes back whatever happens
  Lease::Buffer& own = *lease.buffer_;
  if (own.used) own.used->synchronize();
  own.used.reset();
  if (!own.memory.defined() || own.memory.nbytes() < bytes) {
    own.memory = at::Tensor();  // first, so that the old and the new one are not held together
    own.memory = at::empty({static_cast<std::int64_t>(bytes)},
                           at::TensorOptions().dtype(at::kByte).pinned_memory(impl_->pinned));
  }
  return lease;
}

void StagingPool::close() {
  const std::lock_guard lock(impl_->mutex);
  impl_->closed = true;
  impl_->returned.notify_all();
}

void StagingPool::give_back(std::unique_ptr<Lease::Buffer> buffer) {
  const std::lock_guard lock(impl_->mutex);
  impl_->idle.push_back(std::move(buffer));
  impl_->returned.notify_one();
}

StagingPool::Lease::Lease(StagingPool* pool, std::unique_ptr<Buffer> buffer, std::size_t size)
    : pool_(pool), buffer_(std::move(buffer)), size_(size) {}

StagingPool::Lease::Lease(Lease&& other) noexcept = default;

StagingPool::Lease& StagingPool::Lease::operator=(Lease&& other) noexcept {
  std::swap(pool_, other.pool_);
  std::swap(buffer_, other.buffer_);
  std::swap(size_, other.size_);
  return *this;
}

StagingPool::Lease::~Lease() {
  if (buffer_) pool_->give_back(std::move(buffer_));
}

std::byte* StagingPool::Lease::data() const {
  return reinterpret_cast<std::byte*>(buffer_->memory.mutable_data_ptr<std::uint8_t>());
}

std::size_t StagingPool::Lease::size() const {
  return size_;
}

at::Tensor StagingPool::Lease::bytes(at::IntArrayRef shape) const {
  const std::int64_t count = c10::multiply_integers(shape);
  if (count < 0 || static_cast<std::size_t>(count) > size_)
    throw std::invalid_argument(fmt::format("staging buffer: {} bytes of {} were asked for", count, size_));
  return buffer_->memory.narrow(0, 0, count).view(shape);
}

void StagingPool::Lease::release_after(const DeviceStream& stream) {
  buffer_->used.emplace(pool_->impl_->device);
  buffer_->used->record(stream);
}

DeviceSettings sweep_settings(bool fast) {
  return {.search_algorithms = fast, .deterministic = !fast};
}

void apply(const DeviceSettings& settings) {
  at::Context& context = at::globalContext();
  context.setAllowTF32CuBLAS(settings.tf32);
  context.setAllowTF32CuDNN(settings.tf32);
  context.setBenchmarkCuDNN(settings.search_algorithms);
  context.setDeterministicCuDNN(settings.deterministic);
}

DeviceSettings settings_in_force() {
  const at::Context& context = at::globalContext();
  return {.tf32 = context.allowTF32CuBLAS() || context.allowTF32CuDNN(),
          .search_algorithms = context.benchmarkCuDNN(),
          .deterministic = context.deterministicCuDNN()};
}

}  // namespace upbench
