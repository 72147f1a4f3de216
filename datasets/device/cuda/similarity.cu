#include <cstdint>

#include "datasets/device/cuda/kernels.h"
#include "datasets/device/cuda/launch.h"
#include "datasets/device/cuda/over_block.h"
#include "datasets/device/similarity_math.h"

namespace upbench::cuda {
namespace {

constexpr int kReduceThreads = 256;

struct Sum {
  __device__ SimilaritySums operator()(const SimilaritySums& a, const SimilaritySums& b) const {
    return {a.similarity + b.similarity, a.squared_error + b.squared_error};
  }
};

template <typename Element>
__global__ void __launch_bounds__(kSimilarityThreads)
    partial_similarity(const __grid_constant__ SimilarityRequest request, SimilaritySums* partial) {
  __shared__ SignalPair rows[2][kSimilarityThreads];
  const SimilarityBlock<Element> block(request, blockIdx.z, blockIdx.x, blockIdx.y);
  const int thread = threadIdx.x;
  SimilarityColumn column;
  for (int row = 0; row < block.rows; ++row) {
    block.load(thread, row, rows[row % 2], column);
    __syncthreads();
    block.step(thread, row, rows[row % 2], column);
  }
  const SimilaritySums own = over_block<kSimilarityThreads>(column.totals, Sum());
  if (thread == 0) partial[(blockIdx.z * gridDim.y + blockIdx.y) * gridDim.x + blockIdx.x] = own;
}

// One block a signal.
__global__ void whole_similarity(const SimilaritySums* partial, int count, SimilaritySums* results) {
  const SimilaritySums* of_signal = partial + static_cast<std::int64_t>(blockIdx.x) * count;
  SimilaritySums own{0, 0};
  for (int i = threadIdx.x; i < count; i += kReduceThreads) own = Sum()(own, of_signal[i]);
  own = over_block<kReduceThreads>(own, Sum());
  if (threadIdx.x == 0) results[blockIdx.x] = own;
}

bool sane(const SimilarityRequest& request) {
  const PixelView &a = request.output, &b = request.reference;
  return a.type == b.type && (a.type == PixelType::u8 || a.type == PixelType::f32) && a.height == b.height &&
         a.width == b.width && a.height > 0 && a.width > 0 && request.signals > 0 &&
         request.signals <= kMostSignals;
}

}  // namespace

std::size_t similarity_work(int height, int width, int signals) {
  const SimilarityGrid grid = similarity_grid(height, width, signals);
  return sizeof(SimilaritySums) * static_cast<std::size_t>(grid.strips) *
         static_cast<std::size_t>(grid.chunks) * static_cast<std::size_t>(signals);
}

int similarity(const SimilarityRequest& request, SimilaritySums* results, void* work, void* stream) {
  if (!sane(request)) return refused();
  const SimilarityGrid layout = similarity_grid(request.output.height, request.output.width, request.signals);
  const dim3 grid(layout.strips, layout.chunks, request.signals);
  auto* partial = static_cast<SimilaritySums*>(work);
  if (request.output.type == PixelType::u8)
    partial_similarity<std::uint8_t><<<grid, kSimilarityThreads, 0, as_stream(stream)>>>(request, partial);
  else
    partial_similarity<float><<<grid, kSimilarityThreads, 0, as_stream(stream)>>>(request, partial);
  if (const int error = launched()) return error;
  whole_similarity<<<request.signals, kReduceThreads, 0, as_stream(stream)>>>(
      partial, layout.strips * layout.chunks, results);
  return launched();
}

}  // namespace upbench::cuda
