#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <string>

#include <ATen/core/Tensor.h>

namespace upbench {

using TensorFunction = std::function<at::Tensor(const at::Tensor&)>;

// CUDA graphs of pure functions of one tensor (a network), one per (name, shape, type, layout): the first
// call runs the function eagerly on a stream of the pool and records it, later calls copy the input into the
// graph's own and replay. Where graphs are not to be had (CPU, a build without nvcc, disabled), and for a
// function that cannot be recorded, every call is function(input). One pool per thread that computes: run()
// is not for two at once, all else is for any thread.
class GraphPool {
 public:
  // capacity: graphs kept, the least recently used goes first; 0: no graphs. most_bytes: that they hold
  // together, about; the one used last stays whatever it holds.
  GraphPool(const std::string& device, std::size_t capacity,
            std::uint64_t most_bytes = std::numeric_limits<std::uint64_t>::max());
  ~GraphPool();
  GraphPool(const GraphPool&) = delete;
  GraphPool& operator=(const GraphPool&) = delete;

  // name: identifies the function with its weights and precision. The function must launch the same work for
  // every input of a shape and may not wait for the device or read values back. owner: holds the tensors that
  // the function reads beside its input. A graph reads them where they lay when it was recorded: once its
  // owner is gone, it is recorded anew. On the current stream. The result is the graph's own memory: valid
  // until the next call with the same name, shape and type.
  at::Tensor run(const std::string& name, const at::Tensor& input, const TensorFunction& function,
                 const std::shared_ptr<const void>& owner);

  // Frees the graphs and their memory, once a run() in progress has ended; a result of it stays valid. After
  // out-of-memory, before a second try.
  void clear();
  std::size_t graphs() const;
  bool replays() const;           // false: every call is eager, and why_eager() says why
  std::string why_eager() const;  // also of the function last found that cannot be recorded
  // Why this function cannot be recorded; empty: nothing is known against it.
  std::string why_eager(const std::string& name) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace upbench
