#include "models/networks/efdn.h"

#include <array>

#include <ATen/ATen.h>
#include <fmt/format.h>

#include "models/networks/attention.h"
#include "models/networks/derive.h"

namespace upbench {
namespace {

// A layer's convolution is named after its kind, its activation "act".
at::Tensor activated(Layers& layers, const std::string& name, const char* convolution, const at::Tensor& x,
                     int kernel) {
  const at::Tensor y = layers.conv(name + convolution, x, x.size(1), {.kernel = kernel});
  return layers.prelu(name + ".act", y, x.size(1));
}

at::Tensor cell(Layers& layers, const std::string& name, const at::Tensor& x, const EfdnShape& shape) {
  const at::Tensor a = activated(layers, name + ".conv1", ".conv1x1", x, 1);
  const at::Tensor b = activated(layers, name + ".conv2", ".rep_conv", a, 3);
  const at::Tensor c = activated(layers, name + ".conv3", ".rep_conv", b, 3);
  std::vector<at::Tensor> branches;
  for (const at::Tensor& y : {x, a, b, c})
    branches.push_back(
        layers.conv(fmt::format("{}.branch.{}", name, branches.size()), y, shape.distilled, {.kernel = 1}));
  const at::Tensor fused = layers.conv(name + ".fuse", at::cat(branches, 1), shape.features, {.kernel = 1});
  return layers.sum(spatial_attention(layers, name + ".att", fused, {.channels = shape.attention}), x);
}

at::Tensor efdn(Layers& layers, const at::Tensor& x, const EfdnShape& shape) {
  const auto fuse = [&](const char* name, const at::Tensor& a, const at::Tensor& b) {
    return layers.conv(name, at::cat({a, b}, 1), shape.features, {.kernel = 1});
  };
  const at::Tensor first = layers.conv("head", x, shape.features);
  const at::Tensor y1 = cell(layers, "cells.0", first, shape);
  const at::Tensor y2 = cell(layers, "cells.1", y1, shape);
  const at::Tensor y3 = cell(layers, "cells.2", fuse("local_fuse.0", y1, y2), shape);
  const at::Tensor y4 = cell(layers, "cells.3", fuse("local_fuse.1", y2, y3), shape);
  return layers.shuffled_conv("tail.0", fuse("local_fuse.2", y2, y4) + first, shape.scale);
}

NetworkDefinition definition(const EfdnShape& shape) {
  return [shape](Layers& layers, const at::Tensor& x) { return efdn(layers, x, shape); };
}

}  // namespace

std::optional<NetworkMatch> match_efdn(const NamedTensors& tensors) {
  if (conv_size(tensors, "cells.0.conv2.rep_conv", 0) == 0) return {};
  NetworkMatch match;
  match.architecture = "EFDN";
  const std::string scale = set_scale(match, tensors, "tail.0");
  const EfdnShape shape{.features = conv_size(tensors, "cells.0.conv2.rep_conv", 0),
                        .distilled = conv_size(tensors, "cells.0.branch.0", 0),
                        .attention = conv_size(tensors, "cells.0.att.conv1", 0),
                        .scale = match.scale};
  set_hyper_parameters(
      match, {{"features", shape.features}, {"distilled", shape.distilled}, {"attention", shape.attention}});
  match.recognised_by =
      fmt::format("cells.0.conv2.rep_conv gives {} features, cells.0.branch.0 {}: merged cells; {}",
                  shape.features, shape.distilled, scale);
  match.minimum_size = kSpatialAttentionMinimum;
  if (match.problem.empty()) define(match, definition(shape));
  return match;
}

Layout efdn_layout(const EfdnShape& shape) {
  return layout_of(definition(shape));
}

}  // namespace upbench
