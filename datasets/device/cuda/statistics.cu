#include "datasets/device/cuda/kernels.h"
#include "datasets/device/cuda/launch.h"
#include "datasets/device/cuda/over_block.h"
#include "datasets/device/layout_math.h"
#include "datasets/device/statistics_math.h"

namespace upbench::cuda {
namespace {

constexpr int kThreads = 128;

struct Combine {
  __device__ TileStatistics operator()(const TileStatistics& a, const TileStatistics& b) const {
    return combined(a, b);
  }
};

// Block (part, picture): every kStatisticsBlocks-th row of the three channels.
__global__ void partial_statistics(BatchView batch, TileStatistics* partial) {
  const int picture = blockIdx.y;
  const auto* values = static_cast<const float*>(batch.first.data);
  TileStatistics own = no_statistics();
  for (int row = blockIdx.x; row < 3 * batch.first.height; row += kStatisticsBlocks)
    for (int x = threadIdx.x; x < batch.first.width; x += kThreads)
      add_value(own,
                values[offset_of(batch, picture, row / batch.first.height, row % batch.first.height, x)]);
  own = over_block<kThreads>(own, Combine());
  if (threadIdx.x == 0) partial[picture * kStatisticsBlocks + blockIdx.x] = own;
}

__global__ void whole_statistics(const TileStatistics* partial, TileStatistics* results) {
  const int picture = blockIdx.x;
  TileStatistics own =
      threadIdx.x < kStatisticsBlocks ? partial[picture * kStatisticsBlocks + threadIdx.x] : no_statistics();
  own = over_block<kThreads>(own, Combine());
  if (threadIdx.x == 0) results[picture] = own;
}

static_assert(kStatisticsBlocks <= kThreads);

}  // namespace

std::size_t statistics_work(int count) {
  return sizeof(TileStatistics) * kStatisticsBlocks * static_cast<std::size_t>(count);
}

int tile_statistics(const BatchView& batch, TileStatistics* results, void* work, void* stream) {
  const bool sane = batch.count > 0 && batch.count <= 65535 && batch.first.height > 0 &&
                    batch.first.width > 0 && batch.first.type == PixelType::f32;
  if (!sane) return refused();
  auto* partial = static_cast<TileStatistics*>(work);
  const dim3 grid(kStatisticsBlocks, batch.count);
  partial_statistics<<<grid, kThreads, 0, as_stream(stream)>>>(batch, partial);
  if (const int error = launched()) return error;
  whole_statistics<<<batch.count, kThreads, 0, as_stream(stream)>>>(partial, results);
  return launched();
}

}  // namespace upbench::cuda
