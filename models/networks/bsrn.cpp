#include "models/networks/bsrn.h"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include "models/networks/derive.h"
#include "models/networks/residual_distillation.h"

namespace upbench {
namespace {

at::Tensor separable_convolution(Layers& layers, const std::string& name, const at::Tensor& x,
                                 std::int64_t outputs, const ConvOptions& options) {
  const at::Tensor mixed = layers.conv(name + ".pw", x, outputs, {.kernel = 1, .bias = false});
  return layers.depthwise(name + ".dw", mixed, options);
}

at::Tensor block(Layers& layers, const std::string& name, const at::Tensor& x, const BsrnShape& shape) {
  const ResidualDistillation settings{
      .distilled = shape.distilled,
      .attention = {.channels = shape.attention, .convolution = separable_convolution, .activation = kGelu},
      .activation = kGelu};
  const at::Tensor y = residual_distillation(layers, name, x, settings);
  return layers.sum(contrast_attention(layers, name + ".cca.conv_du", y, shape.squeezed), x);
}

at::Tensor bsrn(Layers& layers, const at::Tensor& x, const BsrnShape& shape) {
  const at::Tensor first =
      separable_convolution(layers, "fea_conv", at::cat({x, x, x, x}, 1), shape.features, {});
  std::vector<at::Tensor> outputs;
  for (int i = 1; i <= shape.blocks; ++i)
    outputs.push_back(block(layers, fmt::format("B{}", i), i == 1 ? first : outputs.back(), shape));
  const at::Tensor fused =
      layers.conv("c1", at::cat(outputs, 1), shape.features, {.kernel = 1, .then = kGelu});
  const at::Tensor y = separable_convolution(layers, "c2", fused, shape.features, {.plus = first});
  return layers.shuffled_conv("upsampler.upsampleOneStep.0", y, shape.scale);
}

NetworkDefinition definition(const BsrnShape& shape) {
  return [shape](Layers& layers, const at::Tensor& x) { return bsrn(layers, x, shape); };
}

}  // namespace

std::optional<NetworkMatch> match_bsrn(const NamedTensors& tensors) {
  if (conv_size(tensors, "B1.c1_d", 0) == 0 || conv_size(tensors, "B1.c1_r.pw", 0) == 0) return {};
  NetworkMatch match;
  match.architecture = "BSRN";
  const std::string scale = set_scale(match, tensors, "upsampler.upsampleOneStep.0");
  const BsrnShape shape{.features = conv_size(tensors, "B1.c1_r.pw", 0),
                        .distilled = conv_size(tensors, "B1.c1_d", 0),
                        .attention = conv_size(tensors, "B1.esa.conv1", 0),
                        .squeezed = conv_size(tensors, "B1.cca.conv_du.0", 0),
                        .blocks = count_blocks(tensors, "B", 1),
                        .scale = match.scale};
  set_hyper_parameters(match, {{"features", shape.features},
                               {"distilled", shape.distilled},
                               {"attention", shape.attention},
                               {"squeezed", shape.squeezed},
                               {"blocks", shape.blocks, kMostBlocks}});
  match.recognised_by = fmt::format(
      "B1.c1_r.pw gives {} features beside B1.c1_d's {}: {} residual distillation blocks of separable "
      "convolutions; {}",
      shape.features, shape.distilled, shape.blocks, scale);
  match.minimum_size = kSpatialAttentionMinimum;
  if (match.problem.empty()) define(match, definition(shape));
  return match;
}

Layout bsrn_layout(const BsrnShape& shape) {
  return layout_of(definition(shape));
}

}  // namespace upbench
