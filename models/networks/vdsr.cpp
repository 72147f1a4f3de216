#include "models/networks/vdsr.h"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include "models/networks/derive.h"
#include "models/networks/layers.h"

namespace upbench {
namespace {

// BT.601 luma of limited range, (16 to 235) / 255, from RGB in [0, 1].
at::Tensor luma(Layers& layers, const at::Tensor& rgb) {
  const at::Tensor shares = layers.constant("shares of luma", [&] {
    return at::tensor({65.481, 128.553, 24.966}, at::kDouble)
        .div(255)
        .reshape({1, 3, 1, 1})
        .to(rgb.options());
  });
  return (rgb * shares).sum(1, /*keepdim=*/true) + 16.0 / 255;
}

at::Tensor vdsr(Layers& layers, const at::Tensor& x, const VdsrShape& shape, int scale) {
  const std::vector<std::int64_t> size{x.size(2) * scale, x.size(3) * scale};
  const at::Tensor enlarged =
      at::_upsample_bicubic2d_aa(x.to(at::kFloat), size, /*align_corners=*/false).to(x.scalar_type());
  at::Tensor y = at::relu(layers.conv("input", luma(layers, enlarged), shape.features, {.bias = false}));
  for (int i = 0; i < shape.inner; ++i)
    y = at::relu(layers.conv(fmt::format("residual_layer.{}.conv", i), y, shape.features, {.bias = false}));
  // More luma at the same chroma is the same more of R, G and B, of which luma's range is 219 / 255.
  return enlarged + layers.conv("output", y, 1, {.bias = false}) * (255.0 / 219);
}

ScaledDefinition definition(const VdsrShape& shape) {
  return [shape](Layers& layers, const at::Tensor& x, int scale) { return vdsr(layers, x, shape, scale); };
}

const std::vector<int> kTrainedScales{2, 3, 4};

}  // namespace

std::optional<NetworkMatch> match_vdsr(const NamedTensors& tensors) {
  if (conv_size(tensors, "residual_layer.0.conv", 0) == 0) return {};
  NetworkMatch match;
  match.architecture = "VDSR";
  const VdsrShape shape{.features = conv_size(tensors, "input", 0),
                        .inner = count_blocks(tensors, "residual_layer.", 0)};
  set_hyper_parameters(match,
                       {{"features", shape.features}, {"inner convolutions", shape.inner, kMostBlocks}});
  match.recognised_by =
      fmt::format("input takes one channel to {} features, residual_layer.N.conv are {} convolutions",
                  shape.features, shape.inner);
  // All convolutions at scale 1, and what the cubic adds at larger scales.
  match.receptive_radius = static_cast<int>(shape.inner + 4);
  if (match.problem.empty()) define(match, kTrainedScales, definition(shape));
  return match;
}

Layout vdsr_layout(const VdsrShape& shape) {
  NetworkMatch match;
  define(match, kTrainedScales, definition(shape));
  return match.layout;
}

}  // namespace upbench
