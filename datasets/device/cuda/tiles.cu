#include "datasets/device/cuda/elements.h"
#include "datasets/device/cuda/kernels.h"
#include "datasets/device/cuda/launch.h"
#include "datasets/device/tile_math.h"

namespace upbench::cuda {
namespace {

constexpr int kColumns = 32, kRows = 8;  // of a block
constexpr int kMostPictures = 65535;     // what the third dimension of a grid takes

template <typename Element>
__global__ void gather(PixelView picture, const TileSource* tiles, int mirrored, BatchView batch) {
  const int x = blockIdx.x * kColumns + threadIdx.x, step = gridDim.y * kRows;
  const int index = blockIdx.z;
  if (x >= batch.first.width) return;
  for (int y = blockIdx.y * kRows + threadIdx.y; y < batch.first.height; y += step)
    gather_pixel<Element>(picture, tiles[index], mirrored, batch, index, y, x, Store<Element>{});
}

template <typename Element>
__global__ void scatter(BatchView batch, const TileTarget* tiles, const float* row_weights,
                        const float* column_weights, int row_begin, int row_end, PixelView picture) {
  const int x = blockIdx.x * kColumns + threadIdx.x, step = gridDim.y * kRows;
  if (x >= picture.width) return;
  for (int y = row_begin + blockIdx.y * kRows + threadIdx.y; y < row_end; y += step)
    scatter_pixel<Element>(batch, tiles, row_weights, column_weights, picture, y, x, Convert{});
}

bool sane(const BatchView& batch) {
  return batch.count > 0 && batch.count <= kMostPictures && batch.first.height > 0 && batch.first.width > 0;
}

}  // namespace

int gather_tiles(const PixelView& picture, const TileSource* tiles, int mirrored, const BatchView& batch,
                 void* stream) {
  const bool readable = picture.type == PixelType::u8 || picture.type == PixelType::f32;
  if (!sane(batch) || !readable || mirrored < 0) return refused();
  const dim3 grid(blocks(batch.first.width, kColumns), row_blocks(batch.first.height, kRows), batch.count);
  return by_type(batch.first.type, [&](auto element) {
    gather<decltype(element)>
        <<<grid, dim3(kColumns, kRows), 0, as_stream(stream)>>>(picture, tiles, mirrored, batch);
    return launched();
  });
}

int scatter_tiles(const BatchView& batch, const TileTarget* tiles, const float* row_weights,
                  const float* column_weights, int row_begin, int row_end, const PixelView& picture,
                  void* stream) {
  const bool rows_fit = 0 <= row_begin && row_begin < row_end && row_end <= picture.height;
  const bool weights_fit = (row_weights == nullptr) == (column_weights == nullptr);
  if (!sane(batch) || !rows_fit || !weights_fit || picture.type != PixelType::f32) return refused();
  const dim3 grid(blocks(picture.width, kColumns), row_blocks(row_end - row_begin, kRows));
  return by_type(batch.first.type, [&](auto element) {
    scatter<decltype(element)><<<grid, dim3(kColumns, kRows), 0, as_stream(stream)>>>(
        batch, tiles, row_weights, column_weights, row_begin, row_end, picture);
    return launched();
  });
}

}  // namespace upbench::cuda
