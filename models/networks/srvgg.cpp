#include "models/networks/srvgg.h"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include "models/networks/layers.h"
#include "models/networks/prepared.h"

namespace upbench {
namespace {

constexpr const char* kName = "SRVGGNetCompact";

std::string weight_name(int layer) {
  return fmt::format("body.{}.weight", layer);
}
std::string bias_name(int layer) {
  return fmt::format("body.{}.bias", layer);
}

ConvolutionLayer convolution_of(const NamedTensors& weights, int layer) {
  return {.weight = weights.at(weight_name(layer)), .bias = weights.at(bias_name(layer)), .padding = 1};
}

at::Tensor enlarged_sum(const at::Tensor& y, const at::Tensor& x, int scale) {
  return at::pixel_shuffle(y, scale) + at::upsample_nearest2d(x, {x.size(2) * scale, x.size(3) * scale});
}

NetworkFunction bind_srvgg(const NamedTensors& weights, int scale) {
  std::vector<PreparedConvolution> convolutions;
  std::vector<at::Tensor> slopes;  // of what follows each but the last
  for (int layer = 0; weights.contains(weight_name(layer)); layer += 2) {
    convolutions.push_back(prepared(convolution_of(weights, layer)));
    if (const auto slope = weights.find(weight_name(layer + 1)); slope != weights.end())
      slopes.push_back(slope->second);
  }
  return [=](const at::Tensor& x) {
    at::Tensor y = x;
    for (std::size_t i = 0; i < slopes.size(); ++i) y = rectified_convolution(convolutions[i], y, slopes[i]);
    return enlarged_sum(convolution(convolutions.back(), y), x, scale);
  };
}

}  // namespace

at::Tensor srvgg_forward(const NamedTensors& weights, const at::Tensor& x, int scale) {
  at::Tensor y = convolution(convolution_of(weights, 0), x);
  for (int layer = 1; weights.contains(weight_name(layer)); layer += 2)
    y = convolution(convolution_of(weights, layer + 1), parametric_relu(y, weights.at(weight_name(layer))));
  return enlarged_sum(y, x, scale);
}

Layout srvgg_layout(std::int64_t features, int convolutions, int scale) {
  Layout layout;
  const int last = 2 * convolutions + 2;
  const auto add = [&](const std::string& name, std::vector<std::int64_t> shape) {
    layout[name] = {.shape = std::move(shape), .canonical = name};
  };
  for (int layer = 0; layer <= last; layer += 2) {
    const std::int64_t outputs = layer == last ? std::int64_t{3} * scale * scale : features;
    add(weight_name(layer), {outputs, layer == 0 ? 3 : features, 3, 3});
    add(bias_name(layer), {outputs});
    if (layer != last) add(weight_name(layer + 1), {features});
  }
  return layout;
}

std::optional<NetworkMatch> match_srvgg(const NamedTensors& tensors) {
  const auto first = tensors.find(weight_name(0)), slope = tensors.find(weight_name(1));
  if (first == tensors.end() || slope == tensors.end()) return {};
  if (first->second.dim() != 4 || slope->second.dim() != 1) return {};
  int last = 0;
  while (tensors.contains(weight_name(last + 1)) && tensors.contains(weight_name(last + 2))) last += 2;
  const int convolutions = last / 2 - 1;
  const std::int64_t features = first->second.size(0);
  const at::Tensor& tail = tensors.at(weight_name(last));
  if (convolutions < 0 || tail.dim() == 0) return {};

  NetworkMatch match;
  match.architecture = kName;
  match.scale = shuffle_factor(tail.size(0));
  match.recognised_by = fmt::format(
      "body.N.weight alternates 3x3 convolutions and PReLU slopes; body.{} gives {} channels = 3 x {}^2",
      last, tail.size(0), match.scale);
  if (match.scale == 0 || features == 0) {
    match.recognised_by = "body.N.weight alternates 3x3 convolutions and PReLU slopes";
    match.problem = fmt::format("body.0 gives {} channels and the last, body.{}, {}, expected 3 x scale^2",
                                features, last, tail.size(0));
    return match;
  }
  match.layout = srvgg_layout(features, convolutions, match.scale);
  match.receptive_radius = convolutions + 2;
  const auto width = static_cast<double>(features);
  match.macs_per_pixel = 9 * width * (3 + convolutions * width + static_cast<double>(tail.size(0)));
  match.hyper_parameters = {{"features", std::to_string(features)},
                            {"convolutions", std::to_string(convolutions)},
                            {"activation", "prelu"}};
  match.bind = [scale = match.scale](const NamedTensors& weights) { return bind_srvgg(weights, scale); };
  return match;
}

}  // namespace upbench
