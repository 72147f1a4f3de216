#include "models/networks/safmn.h"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include "models/networks/derive.h"
#include "models/networks/layers.h"

namespace upbench {
namespace {

constexpr int kReduction = 8;

at::Tensor modulated(Layers& layers, const std::string& prefix, const at::Tensor& x,
                     const SafmnShape& shape) {
  const std::int64_t height = x.size(2), width = x.size(3);
  const at::Tensor projected = layers.conv(prefix + "proj", x, shape.features, {.bias = false});
  const at::Tensor gated = projected.narrow(1, 0, shape.modulated),
                   rest = projected.narrow(1, shape.modulated, shape.features - shape.modulated);
  const at::Tensor maxima =
      std::get<0>(at::adaptive_max_pool2d(gated, {height / kReduction, width / kReduction}));
  const at::Tensor gate = at::upsample_bilinear2d(
      layers.depthwise(prefix + "dwconv", maxima, {.bias = false}), {height, width}, /*align_corners=*/false);
  const at::Tensor both = at::cat({rest, at::gelu(gate) * gated}, 1);
  return layers.conv(prefix + "out", layers.activated(both, kGelu), shape.features,
                     {.kernel = 1, .bias = false});
}

at::Tensor safmn(Layers& layers, const at::Tensor& x, const SafmnShape& shape) {
  at::Tensor y = layers.conv("to_feat", x, shape.features, {.bias = false});
  for (int i = 0; i < shape.blocks; ++i) {
    const std::string prefix = fmt::format("feats.{}.", i);
    const at::Tensor inside =
        layers.conv(prefix + "conv2.conv1", modulated(layers, prefix + "conv1.", y, shape), shape.hidden,
                    {.bias = false, .then = kGelu});
    y = layers.conv(prefix + "conv2.conv2", inside, shape.features, {.kernel = 1, .bias = false, .plus = y});
  }
  const at::Tensor details =
      layers.conv("to_img.0", y, std::int64_t{3} * shape.scale * shape.scale, {.bias = false});
  return at::pixel_shuffle(details, shape.scale) +
         at::upsample_bilinear2d(x, {x.size(2) * shape.scale, x.size(3) * shape.scale}, false);
}

NetworkDefinition definition(const SafmnShape& shape) {
  return [shape](Layers& layers, const at::Tensor& x) { return safmn(layers, x, shape); };
}

}  // namespace

std::optional<NetworkMatch> match_safmn(const NamedTensors& tensors) {
  if (conv_size(tensors, "feats.0.conv1.dwconv", 0) == 0) return {};
  NetworkMatch match;
  match.architecture = "SAFMN++";
  const std::string scale = set_scale(match, tensors, "to_img.0");
  const SafmnShape shape{.features = conv_size(tensors, "to_feat", 0),
                         .modulated = conv_size(tensors, "feats.0.conv1.dwconv", 0),
                         .hidden = conv_size(tensors, "feats.0.conv2.conv1", 0),
                         .blocks = count_blocks(tensors, "feats.", 0),
                         .scale = match.scale};
  set_hyper_parameters(match, {{"features", shape.features},
                               {"modulated", shape.modulated, shape.features - 1},
                               {"hidden", shape.hidden},
                               {"blocks", shape.blocks, kMostBlocks}});
  match.recognised_by =
      fmt::format("feats.0.conv1.dwconv modulates {} of the {} features that to_feat gives: {} blocks; {}",
                  shape.modulated, shape.features, shape.blocks, scale);
  match.size_multiple = match.minimum_size = kReduction;
  match.spandrel_padding = PaddingRule{.minimum_size = kReduction};
  // On multiples of 8, a pixel's gate is made from two cells of 8 pixels to one side and one or two to the
  // other, 19 pixels at most. A block: 1 before, 19, 1 behind; 1 at each end of the network.
  match.receptive_radius = static_cast<int>(21 * shape.blocks + 2);
  if (match.problem.empty()) define(match, definition(shape));
  return match;
}

Layout safmn_layout(const SafmnShape& shape) {
  return layout_of(definition(shape));
}

}  // namespace upbench
