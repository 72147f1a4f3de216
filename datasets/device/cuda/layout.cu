#include "datasets/device/cuda/kernels.h"
#include "datasets/device/cuda/launch.h"
#include "datasets/device/layout_math.h"

namespace upbench::cuda {
namespace {

constexpr int kColumns = 32, kRows = 8;  // of a block

__global__ void bytes_to_float(PixelView bytes, PixelView values) {
  const int x = blockIdx.x * kColumns + threadIdx.x, step = gridDim.y * kRows;
  if (x >= values.width) return;
  for (int y = blockIdx.y * kRows + threadIdx.y; y < values.height; y += step)
    pixel_to_float(bytes, values, y, x);
}

__global__ void float_to_bytes(PixelView values, PixelView bytes) {
  const int x = blockIdx.x * kColumns + threadIdx.x, step = gridDim.y * kRows;
  if (x >= values.width) return;
  for (int y = blockIdx.y * kRows + threadIdx.y; y < values.height; y += step)
    pixel_to_bytes(values, bytes, y, x);
}

bool fits(const PixelView& bytes, const PixelView& values) {
  return bytes.type == PixelType::u8 && values.type == PixelType::f32 && bytes.height == values.height &&
         bytes.width == values.width && values.height > 0 && values.width > 0;
}

dim3 grid(const PixelView& view) {
  return {blocks(view.width, kColumns), row_blocks(view.height, kRows)};
}

}  // namespace

int to_float(const PixelView& bytes, const PixelView& values, void* stream) {
  if (!fits(bytes, values)) return refused();
  bytes_to_float<<<grid(values), dim3(kColumns, kRows), 0, as_stream(stream)>>>(bytes, values);
  return launched();
}

int to_bytes(const PixelView& values, const PixelView& bytes, void* stream) {
  if (!fits(bytes, values)) return refused();
  float_to_bytes<<<grid(values), dim3(kColumns, kRows), 0, as_stream(stream)>>>(values, bytes);
  return launched();
}

}  // namespace upbench::cuda
