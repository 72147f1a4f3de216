#include "datasets/device/graph_pool.h"

#include <list>
#include <optional>
#include <set>
#include <utility>

#include <ATen/ATen.h>
#include <c10/core/impl/VirtualGuardImpl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "datasets/device/fault.h"
#include "datasets/device/memory.h"
#include "datasets/device/module.h"
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
      : key(std::move(which)), input(at::empty_like(like)), owner(std::move(weights)), cuda(module) {}
  ~Graph() {
    if (recorded) cuda.free_graph(recorded);
  }
  Graph(const Graph&) = delete;
  Graph& operator=(const Graph&) = delete;

  std::string key;
  at::Tensor input, output;  // at the addresses that the graph reads and writes
  std::weak_ptr<const void> owner;
  const CudaModule& cuda;
  void* recorded = nullptr;
};

}  // namespace

struct GraphPool::Impl {
  std::string device;
  std::size_t capacity = 0;
  const CudaModule* cuda = nullptr;  // null: no graphs
  std::string why_eager;
  std::optional<DeviceStream> side;  // graphs cannot be recorded on the default stream
  std::list<Graph> graphs;           // the one used last in front
  std::set<std::string> eager;       // names of functions that cannot be recorded

  c10::Stream current() const {
    const c10::Device of(device);
    return c10::impl::VirtualGuardImpl(of.type()).getStream(of);
  }

  // Without a live owner a graph reads memory that is no longer its network's.
  Graph* find(const std::string& key, const std::shared_ptr<const void>& owner) {
    for (auto graph = graphs.begin(); graph != graphs.end(); ++graph) {
      if (graph->key != key) continue;
      if (graph->owner.lock() != owner) {
        synchronize();
        graphs.erase(graph);
        return nullptr;
      }
      graphs.splice(graphs.begin(), graphs, graph);
      return &graphs.front();
    }
    return nullptr;
  }

  // A graph's memory may still be in use by what was replayed last.
  void synchronize() const {
    c10::impl::VirtualGuardImpl(c10::Device(device).type()).synchronizeStream(current());
  }

  void drop_all_but(std::size_t kept) {
    if (graphs.size() <= kept) return;
    synchronize();
    while (graphs.size() > kept) graphs.pop_back();
  }

  // Runs the function once, so that libraries have chosen their algorithms and have their work areas, then
  // once more to record it.
  void record(Graph& graph, const TensorFunction& function) {
    const c10::Stream outer = current();
    c10::Event before(outer.device_type()), after(outer.device_type());
    before.record(outer);
    before.block(side->torch());
    {
      const StreamScope on_side(*side);
      function(graph.input);
      release_cached_memory(device);  // the recording gets memory of its own, beside what this run took
      graph.recorded = cuda->begin_graph();
      try {
        graph.output = function(graph.input);
      } catch (...) {
        end_failed(graph);
        throw;
      }
      end(graph);
    }
    after.record(side->torch());
    after.block(outer);
  }

  // Where ending fails, LibTorch's allocator may go on asking the graph: it is never freed then.
  void end(Graph& graph) const {
    void* recorded = std::exchange(graph.recorded, nullptr);
    cuda->end_graph(recorded);
    graph.recorded = recorded;
  }

  // Recording has to be ended even so; that it fails as well says nothing new.
  void end_failed(Graph& graph) const {
    try {
      end(graph);
    } catch (const std::exception&) {
    }
  }
};

GraphPool::GraphPool(const std::string& device, std::size_t capacity) : impl_(std::make_unique<Impl>()) {
  impl_->device = device;
  impl_->capacity = capacity;
  if (c10::Device(device).is_cpu()) {
    impl_->why_eager = "the CPU has no graphs";
  } else if (capacity == 0) {
    impl_->why_eager = "graphs are switched off";
  } else if (const LoadedCudaModule& loaded = cuda_module(); !loaded.module) {
    impl_->why_eager = loaded.problem;
  } else {
    impl_->cuda = loaded.module;
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
  if (!replays() || impl_->eager.contains(name)) return function(input);
  const std::string key = key_of(name, input);
  Graph* graph = impl_->find(key, owner);
  if (!graph) {
    impl_->drop_all_but(impl_->capacity - 1);
    graph = &impl_->graphs.emplace_front(key, input, owner, *impl_->cuda);
    graph->input.copy_(input, /*non_blocking=*/true);
    std::string problem;
    try {
      impl_->record(*graph, function);
    } catch (const std::exception& error) {
      impl_->graphs.pop_front();
      if (device_fault(error, impl_->device) != DeviceFault::none) throw;
      problem = device_error_text(error);
    }
    if (!problem.empty()) {  // what cannot be recorded is run as it is, from now on
      impl_->eager.insert(name);
      impl_->why_eager = fmt::format("{} cannot be recorded: {}", name, problem);
      return function(input);
    }
  } else {
    graph->input.copy_(input, /*non_blocking=*/true);
  }
  impl_->cuda->replay_graph(graph->recorded);
  return graph->output;
}

void GraphPool::clear() {
  impl_->drop_all_but(0);
}

std::size_t GraphPool::graphs() const {
  return impl_->graphs.size();
}

bool GraphPool::replays() const {
  return impl_->cuda != nullptr;
}

const std::string& GraphPool::why_eager() const {
  return impl_->why_eager;
}

}  // namespace upbench
