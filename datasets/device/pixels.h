#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <ATen/core/Tensor.h>

#include "datasets/device/kernel_table.h"
#include "datasets/image_fwd.h"

namespace upbench {

// Kernels of our own that stand in for ATen's operators. None is on by default: each has to be measured
// faster on a GPU first (docs/gpu.md).
struct KernelChoice {
  bool layout = false, tiles = false, statistics = false, similarity = false, rectify = false;
};

// "none", "all" or a list "similarity,tiles" of: layout, tiles, statistics, similarity, rectify. Throws
// std::invalid_argument for other names.
KernelChoice parse_kernel_choice(std::string_view list);
std::string to_string(const KernelChoice& choice);

// Process-wide; begins as the environment variable UPBENCH_DEVICE_KERNELS says, else none. Set before work
// begins.
void set_kernel_choice(const KernelChoice& choice);
const KernelChoice& kernel_choice();

// The module's kernels where `on` says so and `tensor` is on a GPU, else null: ATen does it then.
const PixelKernels* kernels_for(bool on, const at::Tensor& tensor);

// Whether work for a device goes the way of devices: pictures go there as 8 bit, are scored there and come
// back as 8 bit. Every device but "cpu".
bool is_remote(const c10::Device& device);

// For tests: until the end of the scope the CPU is taken for a device (is_remote) whose kernels these are.
// The whole pipeline then goes the way that it goes on a GPU. One at a time, made before work begins. graphs:
// the module whose graphs GraphPool takes; null: there are none.
class PretendedDevice {
 public:
  explicit PretendedDevice(const PixelKernels& kernels, const CudaModule* graphs = nullptr);
  ~PretendedDevice();
  PretendedDevice(const PretendedDevice&) = delete;
  PretendedDevice& operator=(const PretendedDevice&) = delete;
};

// Of the pretended device; null: there is none, or it has no graphs.
const CudaModule* pretended_graphs();

// u8 [H, W, 3] as decoded -> image, x / 255, on the same device; the bits of to_image().
Image image_of_bytes(const at::Tensor& bytes);

// Clamp, x 255, half to even, NaN becomes 0 -> u8 [H, W, 3] on the same device; the bits of to_raster().
at::Tensor bytes_of_image(const Image& image);

// The following call kernels of a table, on the current stream of the tensors' device. They throw
// c10::AcceleratorError when the launch fails, so that device_fault() understands.
namespace kernels {

// image: f32 [3, H, W] or u8 [H, W, 3]. batch: [N, 3, H, W]. Any strides.
PixelView view_of(const at::Tensor& image);
BatchView batch_of(const at::Tensor& batch);

Image image_of_bytes(const PixelKernels& table, const at::Tensor& bytes);
at::Tensor bytes_of_image(const PixelKernels& table, const Image& image);

// A list for the device, as one of bytes; copied without waiting from pinned memory. TileSource, TileTarget,
// float.
template <typename Item>
at::Tensor on_device(std::span<const Item> items, const at::Device& device);

// into: [count, 3, h, w] of float32, float16 or bfloat16, planes or channels last. sources: on_device() of
// all tiles of a plan; `first` is the first of those `into` takes.
void gather_tiles(const PixelKernels& table, const at::Tensor& image, const at::Tensor& sources,
                  std::size_t first, int mirrored, const at::Tensor& into);

// targets, first: likewise; they lie in the rows [row_begin, row_end) of image. Weights: float32 on the
// device, both undefined where tiles are pasted.
void scatter_tiles(const PixelKernels& table, const at::Tensor& batch, const at::Tensor& targets,
                   std::size_t first, const at::Tensor& row_weights, const at::Tensor& column_weights,
                   int row_begin, int row_end, const Image& image);

// One entry per picture of the batch, float32, in a tensor of bytes on its device; read_statistics brings it
// here, which waits for the stream.
at::Tensor tile_statistics(const PixelKernels& table, const at::Tensor& batch);
std::vector<TileStatistics> read_statistics(const at::Tensor& results);

// request.output and .reference are filled in here. Returns [signals, 2] of float64 on the device:
// sum of SSIM, sum of squared differences.
at::Tensor similarity(const PixelKernels& table, const at::Tensor& output, const at::Tensor& reference,
                      SimilarityRequest request);

// x: [N, C, H, W], dense, channels last; bias, slope: [C] of its type. x = prelu(x + bias), in place.
void rectify(const PixelKernels& table, const at::Tensor& x, const at::Tensor& bias, const at::Tensor& slope);

}  // namespace kernels
}  // namespace upbench
