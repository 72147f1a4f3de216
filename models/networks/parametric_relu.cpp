#include <algorithm>
#include <cstdint>

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <c10/core/GradMode.h>

#include "datasets/device/pixels.h"
#include "datasets/vector_clones.h"
#include "models/networks/kernels.h"
#include "models/networks/prepared.h"

namespace upbench {
namespace {

UPBENCH_VECTOR_CLONES void rectify(float* pixels, std::int64_t count, const float* slope,
                                   std::int64_t channels) {
  for (std::int64_t pixel = 0; pixel < count; ++pixel, pixels += channels)
    for (std::int64_t c = 0; c < channels; ++c) pixels[c] = pixels[c] > 0 ? pixels[c] : pixels[c] * slope[c];
}

bool is_differentiated(const at::Tensor& x, const at::Tensor& slope) {
  return c10::GradMode::is_enabled() && (x.requires_grad() || slope.requires_grad());
}

}  // namespace

// ATen has no PReLU in place: writing a second tensor costs a tenth of the convolution before it.
at::Tensor parametric_relu(at::Tensor x, const at::Tensor& slope) {
  if (is_differentiated(x, slope) || !x.is_cpu() || x.scalar_type() != at::kFloat ||
      slope.scalar_type() != at::kFloat || !x.is_contiguous(at::MemoryFormat::ChannelsLast))
    return at::prelu(x, slope);
  const std::int64_t channels = x.size(1), pixels = x.numel() / std::max<std::int64_t>(channels, 1);
  const at::Tensor slopes = slope.expand({channels}).contiguous();
  float* const values = x.mutable_data_ptr<float>();
  at::parallel_for(0, pixels, 4096, [&](std::int64_t begin, std::int64_t end) {
    rectify(values + begin * channels, end - begin, slopes.const_data_ptr<float>(), channels);
  });
  return x;
}

at::Tensor rectified_convolution(const PreparedConvolution& prepared, const at::Tensor& x,
                                 const at::Tensor& slope) {
  const ConvolutionLayer& layer = prepared.layer;
  if (is_differentiated(x, slope)) return parametric_relu(convolution(prepared, x), slope);
  if (prepared.winograd.defined() && is_fusible(x))
    return winograd_convolution({.weight = prepared.winograd, .bias = layer.bias}, layer.weight.size(0), x,
                                {}, slope.expand({layer.weight.size(0)}));
  const PixelKernels* table = kernels_for(kernel_choice().rectify, x);
  if (table == nullptr || !layer.bias.defined() || slope.numel() != layer.bias.numel())
    return parametric_relu(convolution(prepared, x), slope);
  ConvolutionLayer alone = layer;
  alone.bias = at::Tensor();
  const at::Tensor y = convolution(alone, x).contiguous(at::MemoryFormat::ChannelsLast);
  kernels::rectify(*table, y, layer.bias, slope);
  return y;
}

}  // namespace upbench
