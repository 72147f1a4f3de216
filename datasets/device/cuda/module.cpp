// The module's table. LibTorch's side of CUDA lives here, away from nvcc.
#include <memory>

#include <ATen/cuda/CUDAGraph.h>
#include <cuda_runtime_api.h>

#include "datasets/device/cuda/kernels.h"
#include "datasets/device/kernel_table.h"

namespace upbench {
namespace {

using at::cuda::CUDAGraph;

const char* error_text(int code) {
  return cudaGetErrorString(static_cast<cudaError_t>(code));
}

// Other threads may allocate and copy meanwhile: only what this thread does is held to the rules of capture.
void* begin_graph() {
  auto graph = std::make_unique<CUDAGraph>();
  graph->capture_begin({0, 0}, cudaStreamCaptureModeThreadLocal);
  return graph.release();
}

void end_graph(void* graph) {
  static_cast<CUDAGraph*>(graph)->capture_end();
}

void replay_graph(void* graph) {
  static_cast<CUDAGraph*>(graph)->replay();
}

void free_graph(void* graph) {
  delete static_cast<CUDAGraph*>(graph);
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
