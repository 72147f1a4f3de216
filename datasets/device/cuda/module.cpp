// The module's table. LibTorch's side of CUDA lives here, away from nvcc.
#include <exception>
#include <memory>

#include <ATen/core/CachingHostAllocator.h>
#include <ATen/cuda/CUDAGeneratorImpl.h>
#include <ATen/cuda/CUDAGraph.h>
#include <c10/cuda/CUDACachingAllocator.h>
#include <cuda_runtime_api.h>

#include "datasets/device/cuda/kernels.h"
#include "datasets/device/kernel_table.h"

namespace upbench {
namespace {

const char* error_text(int code) {
  return cudaGetErrorString(static_cast<cudaError_t>(code));
}

// A graph whose recording can be given up. Where CUDA refuses to end one, LibTorch's allocators would go on
// as if it lasted: asking this graph about every stream, and giving nothing back to the driver any more, not
// even when memory runs out. Its generator would refuse to draw.
class Recording final : public at::cuda::CUDAGraph {
 public:
  // Other threads may allocate and copy meanwhile: only what this thread does is held to the rules of
  // capture.
  void begin() {
    try {
      capture_begin(at::cuda::graph_pool_handle(), cudaStreamCaptureModeThreadLocal);
    } catch (...) {
      give_up();
      throw;
    }
  }

  void end() {
    try {
      capture_end();
    } catch (...) {
      give_up();
      throw;
    }
  }

 private:
  // What LibTorch had not begun, or has ended itself, it refuses to end.
  template <typename Work>
  static void attempt(const Work& work) noexcept {
    try {
      work();
    } catch (const std::exception&) {
    }
  }

  void give_up() noexcept {
    if (capture_ended_) return;  // it was recorded, and is left to the destructor
    namespace memory = c10::cuda::CUDACachingAllocator;
    attempt([&] { memory::endAllocateToPool(capture_dev_, mempool_id_); });
    attempt([&] { memory::releasePool(capture_dev_, mempool_id_); });
    attempt([&] { at::getHostAllocator(at::kCUDA)->end_allocate_to_pool(mempool_id_); });
    attempt([&] { at::getHostAllocator(at::kCUDA)->release_pool(mempool_id_); });
    for (auto& [generator, increment] : captured_generator_states_) generator->capturing_ = false;
  }
};

void* begin_graph() {
  auto graph = std::make_unique<Recording>();
  graph->begin();
  return graph.release();
}

void end_graph(void* graph) {
  static_cast<Recording*>(graph)->end();
}

void replay_graph(void* graph) {
  static_cast<Recording*>(graph)->replay();
}

void free_graph(void* graph) {
  delete static_cast<Recording*>(graph);
}

}  // namespace
}  // namespace upbench

extern "C" const upbench::CudaModule* upbench_cuda_module() {
  namespace cuda = upbench::cuda;
  static const upbench::CudaModule module{.version = upbench::kKernelTableVersion,
                                          .build = UPBENCH_CUDA_BUILD,
                                          .kernels = {.to_float = cuda::to_float,
                                                      .to_bytes = cuda::to_bytes,
                                                      .gather_tiles = cuda::gather_tiles,
                                                      .scatter_tiles = cuda::scatter_tiles,
                                                      .statistics_work = cuda::statistics_work,
                                                      .tile_statistics = cuda::tile_statistics,
                                                      .similarity_work = cuda::similarity_work,
                                                      .similarity = cuda::similarity,
                                                      .rectify = cuda::rectify},
                                          .error_text = upbench::error_text,
                                          .begin_graph = upbench::begin_graph,
                                          .end_graph = upbench::end_graph,
                                          .replay_graph = upbench::replay_graph,
                                          .free_graph = upbench::free_graph};
  return &module;
}
