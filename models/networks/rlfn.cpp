#include "models/networks/rlfn.h"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include "models/networks/attention.h"
#include "models/networks/derive.h"

namespace upbench {
namespace {

at::Tensor block(Layers& layers, const std::string& name, const at::Tensor& x, const RlfnShape& shape) {
  at::Tensor y = layers.conv(name + ".c1_r", x, shape.inner, {.then = kSlightlyLeaky});
  y = layers.conv(name + ".c2_r", y, shape.inner, {.then = kSlightlyLeaky});
  y = layers.conv(name + ".c3_r", y, shape.features, {.then = kSlightlyLeaky});
  y = layers.conv(name + ".c5", layers.sum(y, x), shape.features, {.kernel = 1});
  return spatial_attention(layers, name + ".esa", y, {.channels = shape.attention, .brief = true});
}

at::Tensor rlfn(Layers& layers, const at::Tensor& x, const RlfnShape& shape, double greatest) {
  const at::Tensor first = layers.conv("conv_1", x * greatest, shape.features);
  at::Tensor y = first;
  for (int i = 1; i <= shape.blocks; ++i) y = block(layers, fmt::format("block_{}", i), y, shape);
  y = layers.conv("conv_2", y, shape.features, {.plus = first});
  return layers.shuffled_conv("upsampler.0", y, shape.scale) / greatest;
}

RangedDefinition definition(const RlfnShape& shape) {
  return [shape](Layers& layers, const at::Tensor& x, double greatest) {
    return rlfn(layers, x, shape, greatest);
  };
}

}  // namespace

std::optional<NetworkMatch> match_rlfn(const NamedTensors& tensors) {
  if (conv_size(tensors, "block_1.c1_r", 0) == 0) return {};
  NetworkMatch match;
  match.architecture = "RLFN";
  const std::string scale = set_scale(match, tensors, "upsampler.0");
  const RlfnShape shape{.features = conv_size(tensors, "block_1.c1_r", 1),
                        .inner = conv_size(tensors, "block_1.c1_r", 0),
                        .attention = conv_size(tensors, "block_1.esa.conv1", 0),
                        .blocks = count_blocks(tensors, "block_", 1),
                        .scale = match.scale};
  set_hyper_parameters(match, {{"features", shape.features},
                               {"inner", shape.inner},
                               {"attention", shape.attention},
                               {"blocks", shape.blocks, kMostBlocks}});
  match.recognised_by = fmt::format(
      "block_1.c1_r takes {} features and gives {}: {} residual local feature blocks; {}; the authors' "
      "compute on 0..255, which no tensor tells",
      shape.features, shape.inner, shape.blocks, scale);
  match.minimum_size = kSpatialAttentionMinimum;
  if (match.problem.empty()) define(match, "0..255", definition(shape));
  return match;
}

Layout rlfn_layout(const RlfnShape& shape) {
  return layout_of(
      [network = definition(shape)](Layers& layers, const at::Tensor& x) { return network(layers, x, 255); });
}

}  // namespace upbench
