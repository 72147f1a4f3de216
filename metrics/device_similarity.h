#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "datasets/device/kernel_table.h"
#include "datasets/image_fwd.h"
#include "metrics/metric.h"
#include "metrics/planes.h"

namespace upbench {

// PSNR's and SSIM's part of scoring where the pictures are: a few numbers come back, which waits for the
// current stream. Any device; images of one size, or u8 [H, W, 3] of both. The fused kernel where it is
// chosen (UPBENCH_DEVICE_KERNELS=similarity), else ATen's operators. Squares are summed in float64.
std::vector<Similarity> device_similarity(const at::Tensor& output, const at::Tensor& reference,
                                          std::span<const Signal> signals);

// Its two halves, so that many results can come back together: sums [signals, 2] of float64 on the device,
// for any number of signals, and what they mean for pictures of that size once they are here.
at::Tensor similarity_sums(const at::Tensor& output, const at::Tensor& reference,
                           std::span<const Signal> signals);
std::vector<Similarity> similarity_of(std::span<const double> sums, std::int64_t height, std::int64_t width);

// Metrics from it: the mean over the signals.
Score mse_of(std::span<const Similarity> of_signals);
Score psnr_of(std::span<const Similarity> of_signals);
Score ssim_of(std::span<const Similarity> of_signals);

// Both ways by name, [signals, 2] of float64 on the device: sum of SSIM over the windows, sum of squares over
// the pixels. At most kMostSignals at once with kernels.
at::Tensor similarity_with_kernels(const PixelKernels& table, const at::Tensor& output,
                                   const at::Tensor& reference, std::span<const Signal> signals);
at::Tensor similarity_with_aten(const at::Tensor& output, const at::Tensor& reference,
                                std::span<const Signal> signals);

}  // namespace upbench
