#include "datasets/device/graph_pool.h"

#include <iterator>
#include <list>
#include <map>
#include <mutex>
#include <optional>
#include <utility>

#include <ATen/ATen.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "datasets/device/fault.h"
#include "datasets/device/memory.h"
#include "datasets/device/module.h"
#include "datasets/device/pixels.h"
#include "datasets/device/stream.h"

namespace upbench {
namespace {

// What decides which kernels are launched.
std::string key_of(const std::string& name, const at::Tensor& input) {
  return fmt::format("{} [{}]/[{}] {}", name, fmt::join(input.sizes(), ","), fmt::join(input.strides(), ","),
                     c10::toString(input.scalar_type()));
}

struct Graph {
  Graph(std::string which, const at::Tensor& like, std::weak_ptr<const void> weights,
        const CudaModule& module)
      : key(std::move(which)),
        input(at::empty_like(like)),
        owner(std::move(weights)),
        cuda(module),
        used_on(DeviceStream::current(like.device())) {}
  ~Graph() {
    if (recorded) cuda.free_graph(recorded);
  }
  Graph(const Graph&) = delete;
  Graph& operator=(const Graph&) = delete;

  void take(const at::Tensor& values) {
    used_on = DeviceStream::current(values.device());
    input.copy_(values, /*non_blocking=*/true);
  }

  std::string key;
  at::Tensor input, output;  // at the addresses that the graph reads and writes
  std::weak_ptr<const void> owner;
  const CudaModule& cuda;
  void* recorded = nullptr;
  std::uint64_t bytes = 0;  // that LibTorch took to record it
  DeviceStream used_on;     // by the last call
};

}  // namespace

struct GraphPool::Impl {
  std::string device;
  std::size_t capacity = 0;
  std::uint64_t most_bytes = 0;
  const CudaModule* cuda = nullptr;  // null: no graphs
  std::optional<DeviceStream> side;  // graphs cannot be recorded on the default stream
  mutable std::mutex mutex;          // of what follows
  std::string why_eager;
  std::list<Graph> graphs;                   // the one used last in front
  std::map<std::string, std::string> eager;  // functions that cannot be recorded, and why

  // Without a live owner a graph reads memory that is no longer its network's.
  Graph* find(const std::string& key, const std::shared_ptr<const void>& owner) {
    for (auto graph = graphs.begin(); graph != graphs.end(); ++graph) {
      if (graph->key != key) continue;
      if (graph->owner.lock() != owner) {
        drop(graph);
        return nullptr;
      }
      graphs.splice(graphs.begin(), graphs, graph);
      return &graphs.front();
    }
    return nullptr;
  }

  // A graph's memory may still be in use by what was replayed last.
  void drop(std::list<Graph>::iterator graph) {
    graph->used_on.synchronize();
    graphs.erase(graph);
  }

  void drop_all_but(std::size_t kept) {
    while (graphs.size() > kept) drop(std::prev(graphs.end()));
  }

  void drop_beyond_bytes() {
    std::uint64_t held = 0;
    for (const Graph& graph : graphs) held += graph.bytes;
    while (held > most_bytes && graphs.size() > 1) {
      held -= graphs.back().bytes;
      drop(std::prev(graphs.end()));
    }
  }

  // The function's graph with the input in its place; null: it cannot be recorded.
  Graph* ready(const std::string& name, const at::Tensor& input, const TensorFunction& function,
               const std::shared_ptr<const void>& owner) {
    const std::string key = key_of(name, input);
    if (Graph* graph = find(key, owner)) {
      graph->take(input);
      return graph;
    }
    drop_all_but(capacity - 1);
    Graph& graph = graphs.emplace_front(key, input, owner, *cuda);
    try {
      graph.take(input);
      record(graph, function);
    } catch (const std::exception& error) {
      graphs.pop_front();
      if (device_fault(error, device) != DeviceFault::none) throw;
      why_eager = fmt::format("{} cannot be recorded: {}", name, device_error_text(error));
      eager[name] = device_error_text(error);
      return nullptr;
    }
    drop_beyond_bytes();
    return &graph;
  }

  // Runs the function once, so that libraries have chosen their algorithms and have their work areas, then
  // once more to record it.
  void record(Graph& graph, const TensorFunction& function) {
    const DeviceStream outer = DeviceStream::current(device);
    DeviceEvent before(device), after(device);
    before.record(outer);
    before.hold(*side);
    {
      const StreamScope on_side(*side);
      function(graph.input);
      release_cached_memory(device);  // the recording gets memory of its own, beside what this run took
      const std::uint64_t others = device_memory(device).reserved;
      capture(graph, function);
      const std::uint64_t all = device_memory(device).reserved;
      graph.bytes = all > others ? all - others : 0;
    }
    after.record(*side);
    after.hold(outer);
  }

  void capture(Graph& graph, const TensorFunction& function) const {
    const std::lock_guard alone(recording_mutex());
    graph.recorded = cuda->begin_graph();
    try {
      graph.output = function(graph.input);
    } catch (...) {
      end_failed(graph.recorded);
      throw;
    }
    cuda->end_graph(graph.recorded);
  }

  // Recording has to be ended even so; that it fails as well says nothing new.
  void end_failed(void* recorded) const {
    try {
      cuda->end_graph(recorded);
    } catch (const std::exception&) {
    }
  }
};

GraphPool::GraphPool(const std::string& device, std::size_t capacity, std::uint64_t most_bytes)
    : impl_(std::make_unique<Impl>()) {
  impl_->device = device;
  impl_->capacity = capacity;
  impl_->most_bytes = most_bytes;
  const bool on_cpu = c10::Device(device).is_cpu();
  if (on_cpu && !pretended_graphs()) {
    impl_->why_eager = "the CPU has no graphs";
  } else if (capacity == 0) {
    impl_->why_eager = "graphs are switched off";
  } else if (!on_cpu && !cuda_module().module) {
    impl_->why_eager = cuda_module().problem;
  } else {
    impl_->cuda = on_cpu ? pretended_graphs() : cuda_module().module;
    impl_->side.emplace(device);
  }
}

GraphPool::~GraphPool() {
  try {
    clear();
  } catch (const std::exception&) {  // a lost device: its memory goes with the process
  }
}

at::Tensor GraphPool::run(const std::string& name, const at::Tensor& input, const TensorFunction& function,
                          const std::shared_ptr<const void>& owner) {
  if (!replays()) return function(input);
  std::unique_lock lock(impl_->mutex);
  Graph* graph = impl_->eager.contains(name) ? nullptr : impl_->ready(name, input, function, owner);
  if (!graph) {  // what cannot be recorded is run as it is, from now on
    lock.unlock();
    return function(input);
  }
  impl_->cuda->replay_graph(graph->recorded);
  return graph->output;
}

void GraphPool::clear() {
  const std::lock_guard lock(impl_->mutex);
  impl_->drop_all_but(0);
}

std::size_t GraphPool::graphs() const {
  const std::lock_guard lock(impl_->mutex);
  return impl_->graphs.size();
}

bool GraphPool::replays() const {
  return impl_->cuda != nullptr;
}

std::string GraphPool::why_eager() const {
  const std::lock_guard lock(impl_->mutex);
  return impl_->why_eager;
}

std::string GraphPool::why_eager(const std::string& name) const {
  const std::lock_guard lock(impl_->mutex);
  const auto found = impl_->eager.find(name);
  return found == impl_->eager.end() ? "" : found->second;
}

}  // namespace upbench
