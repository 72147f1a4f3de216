#include "models/networks/residual_distillation.h"

#include <ATen/ATen.h>
#include <fmt/format.h>

namespace upbench {

at::Tensor residual_distillation(Layers& layers, const std::string& name, const at::Tensor& x,
                                 const ResidualDistillation& settings) {
  const Convolution convolve = settings.attention.convolution;
  const std::int64_t features = x.size(1);
  std::vector<at::Tensor> kept;
  at::Tensor y = x;
  for (int k = 1; k <= 3; ++k) {
    const std::string layer = fmt::format("{}.c{}", name, k);
    kept.push_back(
        layers.conv(layer + "_d", y, settings.distilled, {.kernel = 1, .then = settings.activation}));
    y = convolve(layers, layer + "_r", y, features, {.plus = y, .then = settings.activation});
  }
  kept.push_back(convolve(layers, name + ".c4", y, settings.distilled, {.then = settings.activation}));
  const at::Tensor fused = layers.conv(name + ".c5", at::cat(kept, 1), features, {.kernel = 1});
  return spatial_attention(layers, name + ".esa", fused, settings.attention);
}

}  // namespace upbench
