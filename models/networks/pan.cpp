#include "models/networks/pan.h"

#include <algorithm>

#include <ATen/ATen.h>
#include <fmt/format.h>

#include "models/networks/derive.h"
#include "models/networks/layers.h"

namespace upbench {
namespace {

constexpr Activation kLeaky = leaky_relu_of(0.2);

at::Tensor block(Layers& layers, const std::string& name, const at::Tensor& x, const PanShape& shape) {
  const auto convolve = [&](const char* layer, const at::Tensor& y, const ConvOptions& options) {
    return layers.conv(name + layer, y, shape.branch, options);
  };
  const ConvOptions narrow{.kernel = 1, .bias = false, .then = kLeaky}, wide{.bias = false, .then = kLeaky};
  const at::Tensor a = convolve(".k1.0", convolve(".conv1_a", x, narrow), wide);
  const at::Tensor b = convolve(".conv1_b", x, narrow);
  const at::Tensor weights = convolve(".PAConv.k2", b, {.kernel = 1, .then = kSigmoid});
  const at::Tensor weighed = convolve(".PAConv.k3", b, {.bias = false, .times = weights});
  const at::Tensor both = at::cat({a, convolve(".PAConv.k4", weighed, wide)}, 1);
  return layers.conv(name + ".conv3", both, shape.features, {.kernel = 1, .bias = false, .plus = x});
}

// Stage `k` (1, 2): `factor` times the size, 2 or 3.
at::Tensor enlarged(Layers& layers, int k, const at::Tensor& x, const PanShape& shape, int factor) {
  const std::string name = fmt::format("upconv{}", k);
  const at::Tensor y =
      factor == 2 ? layers.enlarged_conv(name, x, shape.enlarged)
                  : layers.conv(name, at::upsample_nearest2d(x, {factor * x.size(2), factor * x.size(3)}),
                                shape.enlarged);
  const at::Tensor weights =
      layers.conv(fmt::format("att{}.conv", k), y, shape.enlarged, {.kernel = 1, .then = kSigmoid});
  const at::Tensor weighed = layers.activated(layers.product(weights, y), kLeaky);
  return layers.conv(fmt::format("HRconv{}", k), weighed, shape.enlarged, {.then = kLeaky});
}

at::Tensor pan(Layers& layers, const at::Tensor& x, const PanShape& shape, int scale) {
  const at::Tensor first = layers.conv("conv_first", x, shape.features);
  at::Tensor y = first;
  for (int i = 0; i < shape.blocks; ++i) y = block(layers, fmt::format("SCPA_trunk.{}", i), y, shape);
  y = layers.conv("trunk_conv", y, shape.features, {.plus = first});
  for (int k = 1; k <= shape.stages; ++k) y = enlarged(layers, k, y, shape, scale == 3 ? 3 : 2);
  const at::Tensor base = at::upsample_bilinear2d(x, {y.size(2), y.size(3)}, false);
  return layers.conv("conv_last", y, 3, {.plus = base});
}

// One enlargement makes two or three times the size: networks of both have the same tensors.
void define(NetworkMatch& match, const PanShape& shape) {
  if (shape.stages == 1) {
    match.scales = {2, 3};
    define(match, match.scales,
           [shape](Layers& layers, const at::Tensor& x, int scale) { return pan(layers, x, shape, scale); });
  } else {
    match.scale = 4;
    define(match, [shape](Layers& layers, const at::Tensor& x) { return pan(layers, x, shape, 4); });
  }
}

// Two pixels a block and one each for the convolutions around them; behind these the last convolution at full
// size and two at each size on the way there.
int receptive_radius(const PanShape& shape) {
  // Of the output pixels that come from one input pixel. Three times the size reaches no further than twice.
  int low = -1, high = (1 << shape.stages) - 1 + 1;
  for (int k = 0; k < shape.stages; ++k) {
    low = (low - 2) >> 1;
    high = (high + 2) >> 1;
  }
  return std::max(-low, high) + 2 + 2 * static_cast<int>(shape.blocks);
}

}  // namespace

std::optional<NetworkMatch> match_pan(const NamedTensors& tensors) {
  if (conv_size(tensors, "SCPA_trunk.0.conv1_a", 0) == 0) return {};
  NetworkMatch match;
  match.architecture = "PAN";
  const PanShape shape{.features = conv_size(tensors, "SCPA_trunk.0.conv1_a", 1),
                       .branch = conv_size(tensors, "SCPA_trunk.0.conv1_a", 0),
                       .enlarged = conv_size(tensors, "upconv1", 0),
                       .blocks = count_blocks(tensors, "SCPA_trunk.", 0),
                       .stages = conv_size(tensors, "upconv2", 0) > 0 ? 2 : 1};
  set_hyper_parameters(match, {{"features", shape.features},
                               {"branch", shape.branch},
                               {"enlarged", shape.enlarged},
                               {"blocks", shape.blocks, kMostBlocks}});
  match.recognised_by = fmt::format(
      "SCPA_trunk.0.conv1_a takes {} features and gives {}: {} pixel attention blocks; {}", shape.features,
      shape.branch, shape.blocks,
      shape.stages == 2 ? "upconv2: two enlargements, x4"
                        : "no upconv2: one enlargement, x2 or x3, whose networks have the same tensors");
  if (!match.problem.empty()) return match;
  match.receptive_radius = receptive_radius(shape);
  define(match, shape);
  return match;
}

Layout pan_layout(const PanShape& shape) {
  NetworkMatch match;
  define(match, shape);
  return match.layout;
}

}  // namespace upbench
