#include "models/networks/carn.h"

#include <ATen/ATen.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "models/networks/derive.h"
#include "models/networks/layers.h"

namespace upbench {
namespace {

at::Tensor residual(Layers& layers, const std::string& name, const at::Tensor& x, const CarnShape& shape) {
  const ConvOptions grouped{.groups = shape.groups, .then = kRelu};
  at::Tensor y = layers.conv(name + ".body.0", x, shape.features, grouped);
  y = layers.conv(name + ".body.2", y, shape.features, grouped);
  return layers.conv(name + ".body.4", y, shape.features, {.kernel = 1, .plus = x, .then = kRelu});
}

// step(k, y): the k-th inner step, from 1.
template <typename Step>
at::Tensor cascade(Layers& layers, const std::string& prefix, const at::Tensor& x, const CarnShape& shape,
                   const Step& step) {
  at::Tensor all = x, y = x;
  for (int k = 1; k <= 3; ++k) {
    all = at::cat({all, step(k, y)}, 1);
    y = layers.conv(fmt::format("{}c{}.body.0", prefix, k), all, shape.features,
                    {.kernel = 1, .then = kRelu});
  }
  return y;
}

at::Tensor enlarged(Layers& layers, const std::string& prefix, at::Tensor y, const CarnShape& shape,
                    int scale) {
  const int factor = scale == 3 ? 3 : 2;
  for (int done = 1, layer = 0; done < scale; done *= factor, layer += 3) {
    const std::string name = fmt::format("{}.body.{}", prefix, layer);
    y = layers.conv(name, y, shape.features * factor * factor, {.groups = shape.groups, .then = kRelu});
    y = at::pixel_shuffle(y, factor);
  }
  return y;
}

at::Tensor carn(Layers& layers, const at::Tensor& x, const CarnShape& shape, int scale) {
  const at::Tensor input = layers.conv("sub_mean.shifter", x, 3, {.kernel = 1});
  at::Tensor y = cascade(layers, "", layers.conv("entry", input, shape.features), shape,
                         [&](int k, const at::Tensor& outer) {
                           const std::string block = fmt::format("b{}.", k);
                           return cascade(layers, block, outer, shape, [&](int, const at::Tensor& inner) {
                             return residual(layers, block + "b1", inner, shape);
                           });
                         });
  const std::string tail = shape.scales.size() > 1 ? fmt::format("upsample.up{}", scale) : "upsample.up";
  y = layers.conv("exit", enlarged(layers, tail, y, shape, scale), 3);
  return layers.conv("add_mean.shifter", y, 3, {.kernel = 1});
}

ScaledDefinition definition(const CarnShape& shape) {
  return [shape](Layers& layers, const at::Tensor& x, int scale) { return carn(layers, x, shape, scale); };
}

// The scale of upsample.up, which one convolution or two of four or nine times the features give; 0: neither.
int only_scale(const NamedTensors& tensors, std::int64_t features) {
  if (features == 0 || !tensors.contains("upsample.up.body.0.weight")) return 0;
  if (conv_size(tensors, "upsample.up.body.0", 0) == 9 * features) return 3;
  return tensors.contains("upsample.up.body.3.weight") ? 4 : 2;
}

}  // namespace

std::optional<NetworkMatch> match_carn(const NamedTensors& tensors) {
  if (conv_size(tensors, "b1.b1.body.4", 0) == 0) return {};
  NetworkMatch match;
  match.architecture = "CARN-M";
  const std::int64_t inputs = conv_size(tensors, "b1.b1.body.0", 1);
  CarnShape shape{.features = conv_size(tensors, "entry", 0), .groups = 0, .scales = {2, 3, 4}};
  if (inputs > 0 && shape.features % inputs == 0) shape.groups = shape.features / inputs;
  set_hyper_parameters(match, {{"features", shape.features}, {"groups", shape.groups}});
  const int scale = only_scale(tensors, shape.features);
  if (scale > 0) shape.scales = {scale};
  match.recognised_by =
      fmt::format("b1.b1.body.0 is grouped, {} inputs of {} features, and b1 has no other block; {} of x{}",
                  inputs, shape.features, scale > 0 ? "upsample.up" : "upsample.up2, up3 and up4",
                  fmt::join(shape.scales, ", x"));
  // One convolution in the beginning, two in each of nine residual blocks, and those after the cascades,
  // which work on larger pictures: less than 2 together.
  match.receptive_radius = 21;
  if (!match.problem.empty()) return match;
  if (scale == 0) {
    match.scales = shape.scales;
    define(match, shape.scales, definition(shape));
  } else {
    match.scale = scale;
    define(match, [network = definition(shape), scale](Layers& layers, const at::Tensor& x) {
      return network(layers, x, scale);
    });
  }
  return match;
}

Layout carn_layout(const CarnShape& shape) {
  NetworkMatch match;
  define(match, shape.scales, definition(shape));
  return match.layout;
}

}  // namespace upbench
