#include "models/networks/imdn.h"

#include <array>

#include <ATen/ATen.h>
#include <fmt/format.h>

#include "models/networks/attention.h"
#include "models/networks/derive.h"

namespace upbench {
namespace {

// Both spellings of a block's layers.
struct BlockNames {
  std::array<const char*, 4> convolutions;
  const char* fusion;
  const char* attention;  // nullptr: none
};
constexpr BlockNames kNames{{"c1", "c2", "c3", "c4"}, "c5", "cca.conv_du"};
constexpr BlockNames kBaselineNames{{"conv1.0", "conv2.0", "conv3.0", "conv4"}, "conv1x1", nullptr};

at::Tensor block(Layers& layers, const std::string& prefix, const BlockNames& names, const at::Tensor& x,
                 const ImdnShape& shape) {
  std::vector<at::Tensor> kept;
  at::Tensor rest = x;
  for (int k = 0; k < 3; ++k) {
    const at::Tensor y =
        layers.conv(prefix + names.convolutions[k], rest, shape.features, {.then = kSlightlyLeaky});
    kept.push_back(y.narrow(1, 0, shape.distilled));
    rest = y.narrow(1, shape.distilled, shape.features - shape.distilled);
  }
  kept.push_back(layers.conv(prefix + names.convolutions[3], rest, shape.distilled));
  at::Tensor y = at::cat(kept, 1);
  if (names.attention) y = contrast_attention(layers, prefix + names.attention, y, shape.squeezed);
  return layers.conv(prefix + names.fusion, y, shape.features, {.kernel = 1, .plus = x});
}

at::Tensor imdn(Layers& layers, const at::Tensor& x, const ImdnShape& shape) {
  const at::Tensor first = layers.conv("fea_conv", x, shape.features);
  std::vector<at::Tensor> outputs;
  for (int i = 1; i <= shape.blocks; ++i)
    outputs.push_back(
        block(layers, fmt::format("IMDB{}.", i), kNames, i == 1 ? first : outputs.back(), shape));
  const at::Tensor fused =
      layers.conv("c.0", at::cat(outputs, 1), shape.features, {.kernel = 1, .then = kSlightlyLeaky});
  return layers.shuffled_conv("upsampler.0", layers.conv("LR_conv", fused, shape.features, {.plus = first}),
                              shape.scale);
}

at::Tensor imdn_baseline(Layers& layers, const at::Tensor& x, const ImdnShape& shape) {
  const at::Tensor first = layers.conv("model.0", x, shape.features);
  at::Tensor y = first;
  for (int i = 0; i < shape.blocks; ++i)
    y = block(layers, fmt::format("model.1.sub.{}.", i), kBaselineNames, y, shape);
  y = layers.conv(fmt::format("model.1.sub.{}", shape.blocks), y, shape.features, {.plus = first});
  return layers.shuffled_conv("model.2", y, shape.scale);
}

NetworkDefinition definition(const ImdnShape& shape) {
  return [shape](Layers& layers, const at::Tensor& x) { return imdn(layers, x, shape); };
}

NetworkDefinition baseline_definition(const ImdnShape& shape) {
  return [shape](Layers& layers, const at::Tensor& x) { return imdn_baseline(layers, x, shape); };
}

}  // namespace

std::optional<NetworkMatch> match_imdn(const NamedTensors& tensors) {
  if (conv_size(tensors, "IMDB1.c1", 0) == 0) return {};
  NetworkMatch match;
  match.architecture = "IMDN";
  const std::string scale = set_scale(match, tensors, "upsampler.0");
  const ImdnShape shape{.features = conv_size(tensors, "IMDB1.c1", 0),
                        .distilled = conv_size(tensors, "IMDB1.c4", 0),
                        .squeezed = conv_size(tensors, "IMDB1.cca.conv_du.0", 0),
                        .blocks = count_blocks(tensors, "IMDB", 1),
                        .scale = match.scale};
  set_hyper_parameters(match, {{"features", shape.features},
                               {"distilled", shape.distilled, shape.features - 1},
                               {"squeezed", shape.squeezed},
                               {"blocks", shape.blocks, kMostBlocks}});
  match.recognised_by = fmt::format(
      "IMDB1.c1 gives {} features, IMDB1.c4 {}: {} distillation blocks with contrast attention; {}",
      shape.features, shape.distilled, shape.blocks, scale);
  if (match.problem.empty()) define(match, definition(shape));
  return match;
}

std::optional<NetworkMatch> match_imdn_baseline(const NamedTensors& tensors) {
  if (conv_size(tensors, "model.1.sub.0.conv1.0", 0) == 0) return {};
  NetworkMatch match;
  match.architecture = "IMDN-baseline";
  const std::string scale = set_scale(match, tensors, "model.2");
  const ImdnShape shape{.features = conv_size(tensors, "model.1.sub.0.conv1.0", 0),
                        .distilled = conv_size(tensors, "model.1.sub.0.conv4", 0),
                        .squeezed = 0,
                        .blocks = count_blocks(tensors, "model.1.sub.", 0) - 1,  // the last is a convolution
                        .scale = match.scale};
  set_hyper_parameters(match, {{"features", shape.features},
                               {"distilled", shape.distilled, shape.features - 1},
                               {"blocks", shape.blocks, kMostBlocks}});
  match.recognised_by = fmt::format(
      "model.1.sub.0.conv1.0 gives {} features, conv4 {}: {} distillation blocks without attention; {}",
      shape.features, shape.distilled, shape.blocks, scale);
  if (!match.problem.empty()) return match;
  // Four 3x3 convolutions a block, one before the blocks, one behind them, one before the shuffle.
  match.receptive_radius = static_cast<int>(4 * shape.blocks + 3);
  define(match, baseline_definition(shape));
  return match;
}

Layout imdn_layout(const ImdnShape& shape) {
  return layout_of(definition(shape));
}

Layout imdn_baseline_layout(const ImdnShape& shape) {
  return layout_of(baseline_definition(shape));
}

}  // namespace upbench
