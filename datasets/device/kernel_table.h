#pragma once

// What libupbench_cuda.so and the program agree on. Plain data and functions, no LibTorch: .cu files and the
// program's compiler both see it. Every change of it raises kKernelTableVersion.
#include <cstddef>
#include <cstdint>

namespace upbench {

inline constexpr int kKernelTableVersion = 4;

enum class PixelType : int { u8, f32, f16, bf16 };

// [3, height, width] in any layout; strides in elements. Codes 0..255 for u8, values in [0, 1] otherwise.
struct PixelView {
  void* data = nullptr;
  PixelType type = PixelType::f32;
  int height = 0, width = 0;
  std::int64_t channel_stride = 0, row_stride = 0, column_stride = 0;
};

// [count, 3, height, width], as PixelView.
struct BatchView {
  PixelView first;
  int count = 0;
  std::int64_t picture_stride = 0;
};

// What a tile of a batch reads: pixels of the picture. What lies between its size and the batch's is padding.
struct TileSource {
  int y = 0, x = 0, height = 0, width = 0;
};

// Where the counted part of an upscaled tile goes: output pixels. Weights lie at these offsets of the arrays
// given beside it.
struct TileTarget {
  int y = 0, x = 0, height = 0, width = 0;  // in the picture
  int tile_y = 0, tile_x = 0;               // of the first counted pixel in the tile
  int row_weights = 0, column_weights = 0;
};

// Of the values of one picture of a batch. least and greatest: of the finite ones; +inf and -inf without any.
struct TileStatistics {
  float least, greatest;
  double sum, sum_of_squares;  // of the finite values
  std::uint64_t non_finite;
  std::uint64_t outside;  // finite and below 0 or above 1
};

inline constexpr int kMostSignals = 4;
inline constexpr int kSsimTaps = 11;

// One signal per entry: offset + sum of weight x code value (metrics/planes.h).
struct SimilarityRequest {
  PixelView output, reference;  // of one size and type
  int signals = 0;
  float weights[kMostSignals][3] = {};
  float offsets[kMostSignals] = {};
  float window[kSsimTaps] = {};
  float centre = 0, c1 = 0, c2 = 0;  // subtracted from each signal while squares are formed; SSIM's constants
};

// Sums over a signal: of SSIM over the windows wholly inside, of squared differences over all pixels.
struct SimilaritySums {
  double similarity, squared_error;
};

// What follows a convolution: bias added, then a parametric ReLU, in place. values: [pixels, channels],
// dense; bias and slope: [channels]; all of one float type. Sums and products are float32, rounded once.
struct RectifyRequest {
  void* values = nullptr;
  const void *bias = nullptr, *slope = nullptr;
  PixelType type = PixelType::f32;
  std::int64_t pixels = 0;
  int channels = 0;
};

// Every function queues its work on `stream` (a cudaStream_t) of the current device and returns 0 or a CUDA
// error code. Pointers are the device's, but for requests and views themselves. Work areas hold as many bytes
// as the function above them says and may be reused when the stream has passed.
struct PixelKernels {
  // u8 -> f32 / 255, and f32 -> clamp, x 255, half to even (NaN becomes 0); any layouts, of one size.
  int (*to_float)(const PixelView& bytes, const PixelView& values, void* stream);
  int (*to_bytes)(const PixelView& values, const PixelView& bytes, void* stream);

  // Picture -> batch of one shape. tiles: batch.count of them. mirrored: of the padding, as PaddingRule's.
  int (*gather_tiles)(const PixelView& picture, const TileSource* tiles, int mirrored, const BatchView& batch,
                      void* stream);
  // Batch -> f32 picture, inside the rows [row_begin, row_end) that the tiles cover. Weights null: copied
  // (tiles do not overlap), else clamped to [0, 1] and added, tile after tile.
  int (*scatter_tiles)(const BatchView& batch, const TileTarget* tiles, const float* row_weights,
                       const float* column_weights, int row_begin, int row_end, const PixelView& picture,
                       void* stream);

  std::size_t (*statistics_work)(int count);
  int (*tile_statistics)(const BatchView& batch, TileStatistics* results, void* work, void* stream);

  std::size_t (*similarity_work)(int height, int width, int signals);
  int (*similarity)(const SimilarityRequest& request, SimilaritySums* results, void* work, void* stream);

  int (*rectify)(const RectifyRequest& request, void* stream);
};

// The module as loaded. Graph functions throw what LibTorch throws.
struct CudaModule {
  int version = 0;  // kKernelTableVersion of its build; what follows is as declared only if it is ours
  const char* build = nullptr;
  PixelKernels kernels{};
  const char* (*error_text)(int code) = nullptr;
  // A graph records what this thread queues on the current stream between begin and end; its memory is its
  // own. Where beginning or ending throws, LibTorch's allocators are as they were before; a graph whose end
  // threw can only be freed.
  void* (*begin_graph)() = nullptr;
  void (*end_graph)(void* graph) = nullptr;
  void (*replay_graph)(void* graph) = nullptr;
  void (*free_graph)(void* graph) = nullptr;
};

}  // namespace upbench

// The one symbol of the module.
extern "C" __attribute__((visibility("default"))) const upbench::CudaModule* upbench_cuda_module();
