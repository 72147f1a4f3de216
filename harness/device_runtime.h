#pragma once

// What the pipeline needs of a device, with the same meaning on a GPU and on the CPU: streams and events
// (datasets/device/stream.h), graphs (graph_pool.h), memory (memory.h), what a failure means (fault.h), and
// below: staging memory and the switches of LibTorch.
#include <cstddef>
#include <memory>
#include <string>

#include "datasets/device/fault.h"
#include "datasets/device/graph_pool.h"
#include "datasets/device/memory.h"
#include "datasets/device/stream.h"

namespace upbench {

// Staging memory between host and device: pinned where the device is a GPU. A bounded number of buffers, kept
// and reused because pinning is slow and stops the whole device; acquire() waits when all are out, which is
// the back-pressure on the threads that decode. Thread-safe; outlives its leases.
class StagingPool {
 public:
  // buffers: at most so many at a time, from 1. Memory is taken when first asked for.
  StagingPool(const std::string& device, std::size_t buffers);
  ~StagingPool();
  StagingPool(const StagingPool&) = delete;
  StagingPool& operator=(const StagingPool&) = delete;

  // A buffer in use; goes back to the pool at the end of its life. Move only.
  class Lease {
   public:
    Lease(Lease&& other) noexcept;
    Lease& operator=(Lease&& other) noexcept;
    ~Lease();
    std::byte* data() const;
    std::size_t size() const;  // as asked for
    // The first bytes as a tensor that borrows them: lives no longer than the lease.
    at::Tensor bytes(at::IntArrayRef shape) const;
    // The buffer is reused only after what is queued on `stream` now has happened: call it after the copy.
    void release_after(const DeviceStream& stream);

   private:
    friend class StagingPool;
    struct Buffer;
    Lease(StagingPool* pool, std::unique_ptr<Buffer> buffer, std::size_t size);
    StagingPool* pool_ = nullptr;
    std::unique_ptr<Buffer> buffer_;
    std::size_t size_ = 0;
  };

  // Waits for a buffer. Throws std::runtime_error once close() was called, and when memory cannot be had.
  Lease acquire(std::size_t bytes);
  void close();  // wakes and refuses those who wait

 private:
  void give_back(std::unique_ptr<Lease::Buffer> buffer);
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// Switches of LibTorch, process-wide: set once before the work begins, and recorded.
struct DeviceSettings {
  bool tf32 = false;  // fp32 matrix products and convolutions in TF32 on tensor cores: precision tf32
  bool search_algorithms = false;  // cuDNN benchmark: faster, the choice may differ from run to run (--fast)
  bool deterministic = true;       // only algorithms of cuDNN that give the same bits each time
  bool operator==(const DeviceSettings&) const = default;
};
// Of a sweep, with --fast or without; TF32 is a precision of its stages (harness/tf32_scope.h).
DeviceSettings sweep_settings(bool fast);
void apply(const DeviceSettings& settings);
DeviceSettings settings_in_force();  // as LibTorch has them

}  // namespace upbench
