#include "models/networks/layers.h"

#include <cmath>
#include <stdexcept>

#include <ATen/ATen.h>
#include <fmt/format.h>

namespace upbench {
namespace {

// A tensor of any size that takes the memory of one number.
at::Tensor placeholder(const std::vector<std::int64_t>& shape) {
  return at::zeros({}).expand(shape);
}

double product(at::IntArrayRef sizes) {
  double result = 1;
  for (const std::int64_t size : sizes) result *= static_cast<double>(size);
  return result;
}

std::int64_t conv_side(std::int64_t side, const ConvOptions& options, int padding) {
  return (side + 2 * padding - options.dilation * (options.kernel - 1) - 1) / options.stride + 1;
}

}  // namespace

at::Tensor Layers::parameter(const std::string& name, const std::vector<std::int64_t>& shape) {
  if (!declares()) return weights_->at(name);
  const bool is_new =
      declaration_->layout.emplace(name, ExpectedTensor{.shape = shape, .canonical = name}).second;
  // A tensor used in two places is one tensor: a second use must agree with the first.
  if (!is_new && declaration_->layout.at(name).shape != shape)
    throw std::logic_error(fmt::format("{} is declared with two shapes", name));
  return placeholder(shape);
}

at::Tensor Layers::conv(const std::string& name, const at::Tensor& x, std::int64_t outputs,
                        const ConvOptions& options) {
  const int padding = options.padding < 0 ? options.kernel / 2 * options.dilation : options.padding;
  const std::vector<std::int64_t> shape{outputs, x.size(1) / options.groups, options.kernel, options.kernel};
  const at::Tensor weight = parameter(name + ".weight", shape);
  const at::Tensor bias = options.bias ? parameter(name + ".bias", {outputs}) : at::Tensor();
  if (!declares())
    return at::conv2d(x, weight, bias, options.stride, padding, options.dilation, options.groups);
  const std::int64_t height = conv_side(x.size(2), options, padding),
                     width = conv_side(x.size(3), options, padding);
  declaration_->macs += product(shape) * static_cast<double>(x.size(0) * height * width);
  return placeholder({x.size(0), outputs, height, width});
}

at::Tensor Layers::depthwise(const std::string& name, const at::Tensor& x, ConvOptions options) {
  options.groups = x.size(1);
  return conv(name, x, x.size(1), options);
}

at::Tensor Layers::linear(const std::string& name, const at::Tensor& x, std::int64_t outputs, bool bias) {
  const at::Tensor weight = parameter(name + ".weight", {outputs, x.size(-1)});
  const at::Tensor offset = bias ? parameter(name + ".bias", {outputs}) : at::Tensor();
  if (!declares()) return at::linear(x, weight, offset);
  declaration_->macs += product(x.sizes()) * static_cast<double>(outputs);
  std::vector<std::int64_t> shape = x.sizes().vec();
  shape.back() = outputs;
  return placeholder(shape);
}

at::Tensor Layers::layer_norm(const std::string& name, const at::Tensor& x, double epsilon) {
  const at::Tensor weight = parameter(name + ".weight", {x.size(-1)});
  const at::Tensor bias = parameter(name + ".bias", {x.size(-1)});
  return declares() ? x : at::layer_norm(x, {x.size(-1)}, weight, bias, epsilon);
}

at::Tensor Layers::prelu(const std::string& name, const at::Tensor& x, std::int64_t slopes) {
  const at::Tensor slope = parameter(name + ".weight", {slopes});
  return declares() ? x : at::prelu(x, slope);
}

at::Tensor Layers::matmul(const at::Tensor& a, const at::Tensor& b) {
  if (!declares()) return at::matmul(a, b);
  const at::Tensor result = at::matmul(a, b);
  declaration_->macs += product(result.sizes()) * static_cast<double>(a.size(-1));
  return result;
}

void define(NetworkMatch& match, NetworkDefinition network) {
  const std::int64_t multiple = match.size_multiple, side = (64 + multiple - 1) / multiple * multiple;
  Declaration declaration;
  Layers declaring(declaration);
  network(declaring, placeholder({1, 3, side, side}));
  match.layout = std::move(declaration.layout);
  match.macs_per_pixel = declaration.macs / static_cast<double>(side * side);
  match.bind = [network = std::move(network)](const NamedTensors& weights) -> NetworkFunction {
    return [network, weights](const at::Tensor& x) {
      Layers layers(weights);
      return network(layers, x);
    };
  };
}

int shuffle_factor(std::int64_t channels, std::int64_t colours) {
  const auto factor = static_cast<int>(
      std::lround(std::sqrt(static_cast<double>(channels) / static_cast<double>(colours))));
  return colours * factor * factor == channels ? factor : 0;
}

}  // namespace upbench
