#include "models/networks/rfdn.h"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include "models/networks/derive.h"
#include "models/networks/residual_distillation.h"

namespace upbench {
namespace {

at::Tensor rfdn(Layers& layers, const at::Tensor& x, const RfdnShape& shape, double greatest) {
  const ResidualDistillation block{.distilled = shape.distilled, .attention = {.channels = shape.attention}};
  const at::Tensor first = layers.conv("fea_conv", x * greatest, shape.features);
  std::vector<at::Tensor> outputs;
  for (int i = 1; i <= shape.blocks; ++i)
    outputs.push_back(
        residual_distillation(layers, fmt::format("B{}", i), i == 1 ? first : outputs.back(), block));
  const at::Tensor fused =
      layers.conv("c.0", at::cat(outputs, 1), shape.features, {.kernel = 1, .then = kSlightlyLeaky});
  const at::Tensor y = layers.conv("LR_conv", fused, shape.features, {.plus = first});
  return layers.shuffled_conv("upsampler.0", y, shape.scale) / greatest;
}

RangedDefinition definition(const RfdnShape& shape) {
  return [shape](Layers& layers, const at::Tensor& x, double greatest) {
    return rfdn(layers, x, shape, greatest);
  };
}

}  // namespace

std::optional<NetworkMatch> match_rfdn(const NamedTensors& tensors) {
  if (conv_size(tensors, "B1.c1_d", 0) == 0 || conv_size(tensors, "B1.c1_r", 0) == 0) return {};
  NetworkMatch match;
  match.architecture = "RFDN";
  const std::string scale = set_scale(match, tensors, "upsampler.0");
  const RfdnShape shape{.features = conv_size(tensors, "B1.c1_r", 0),
                        .distilled = conv_size(tensors, "B1.c1_d", 0),
                        .attention = conv_size(tensors, "B1.esa.conv1", 0),
                        .blocks = count_blocks(tensors, "B", 1),
                        .scale = match.scale};
  set_hyper_parameters(match, {{"features", shape.features},
                               {"distilled", shape.distilled},
                               {"attention", shape.attention},
                               {"blocks", shape.blocks, kMostBlocks}});
  match.recognised_by = fmt::format(
      "B1.c1_r gives {} features beside B1.c1_d's {}: {} residual distillation blocks; {}; the authors' "
      "compute on 0..255, which no tensor tells",
      shape.features, shape.distilled, shape.blocks, scale);
  match.minimum_size = kSpatialAttentionMinimum;
  if (match.problem.empty()) define(match, "0..255", definition(shape));
  return match;
}

Layout rfdn_layout(const RfdnShape& shape) {
  return layout_of(
      [network = definition(shape)](Layers& layers, const at::Tensor& x) { return network(layers, x, 255); });
}

}  // namespace upbench
