#pragma once

#include <span>
#include <vector>

#include "datasets/device/kernel_table.h"
#include "datasets/image_fwd.h"
#include "metrics/planes.h"

namespace upbench {

// Of one signal, as metrics/ssim_kernel.h and metrics/squared_error.h define them.
struct Similarity {
  double ssim = 0;  // NaN for pictures smaller than the window
  double mean_squared_error = 0;
};

// PSNR's and SSIM's part of scoring where the pictures are: a few numbers come back, which waits for the
// current stream. Any device; images of one size, or u8 [H, W, 3] of both. The fused kernel where it is
// chosen (UPBENCH_DEVICE_KERNELS=similarity), else ATen's operators. Squares are summed in float64.
std::vector<Similarity> device_similarity(const at::Tensor& output, const at::Tensor& reference,
                                          std::span<const Signal> signals);

// Both ways by name, [signals, 2] of float64 on the device: sum of SSIM over the windows, sum of squares over
// the pixels. At most kMostSignals at once with kernels.
at::Tensor similarity_with_kernels(const PixelKernels& table, const at::Tensor& output,
                                   const at::Tensor& reference, std::span<const Signal> signals);
at::Tensor similarity_with_aten(const at::Tensor& output, const at::Tensor& reference,
                                std::span<const Signal> signals);

}  // namespace upbench
