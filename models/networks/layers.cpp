#include "models/networks/layers.h"

#include <cmath>
#include <stdexcept>

#include <ATen/ATen.h>
#include <fmt/format.h>

#include "datasets/device/stream.h"
#include "models/networks/enlarged.h"
#include "models/networks/kernels.h"

namespace upbench {
namespace {

constexpr double kMostNumbers = 536'870'912;  // 2^29

// A tensor of any size that takes the memory of one number.
at::Tensor placeholder(const std::vector<std::int64_t>& shape) {
  return at::zeros({}).expand(shape);
}

double count(at::IntArrayRef sizes) {
  double result = 1;
  for (const std::int64_t size : sizes) result *= static_cast<double>(size);
  return result;
}

std::int64_t conv_side(std::int64_t side, const ConvOptions& options, int padding) {
  return (side + 2 * padding - options.dilation * (options.kernel - 1) - 1) / options.stride + 1;
}

double greatest_of(const std::string& input_range) {
  if (input_range == "0..255") return 255;
  if (input_range == "0..1") return 1;
  throw std::invalid_argument(fmt::format("unknown input range '{}': expected 0..255 or 0..1", input_range));
}

NetworkFunction bound_definition(const NetworkDefinition& network, const NamedTensors& weights) {
  return [network, weights, constants = std::make_shared<Constants>()](const at::Tensor& x) {
    Layers layers(weights, constants.get());
    return network(layers, x);
  };
}

Declaration declare(const NetworkDefinition& network, std::int64_t side) {
  Declaration declaration;
  Layers layers(declaration);
  network(layers, placeholder({1, 3, side, side}));
  return declaration;
}

}  // namespace

at::Tensor Constants::of(const std::string& name, const std::function<at::Tensor()>& make) {
  const std::lock_guard lock(mutex_);
  at::Tensor& value = made_[name];
  if (value.defined()) return value;
  value = make();
  // Who asks next may compute on another stream, where nothing waits for what was queued here.
  DeviceStream::current(value.device()).synchronize();
  return value;
}

at::Tensor Layers::parameter(const std::string& name, const std::vector<std::int64_t>& shape) {
  if (!declares()) return weights_->at(name);
  const bool is_new =
      declaration_->layout.emplace(name, ExpectedTensor{.shape = shape, .canonical = name}).second;
  // A tensor used in two places is one tensor: a second use must agree with the first.
  if (!is_new && declaration_->layout.at(name).shape != shape)
    throw std::logic_error(fmt::format("{} is declared with two shapes", name));
  return placeholder(shape);
}

at::Tensor Layers::declared(const std::vector<std::int64_t>& shape, double macs) {
  declaration_->macs += macs;
  declaration_->numbers += count(shape);
  if (declaration_->numbers > kMostNumbers)
    throw std::length_error(
        fmt::format("its layers give more than {:.0f} numbers for a small picture", kMostNumbers));
  return placeholder(shape);
}

at::Tensor Layers::conv(const std::string& name, const at::Tensor& x, std::int64_t outputs,
                        const ConvOptions& options) {
  const int padding = options.padding < 0 ? options.kernel / 2 * options.dilation : options.padding;
  const std::vector<std::int64_t> shape{outputs, x.size(1) / options.groups, options.kernel, options.kernel};
  const at::Tensor weight = parameter(name + ".weight", shape);
  const at::Tensor bias = options.bias ? parameter(name + ".bias", {outputs}) : at::Tensor();
  if (!declares()) {
    ConvolutionLayer layer{.weight = weight,
                           .bias = bias,
                           .stride = options.stride,
                           .padding = padding,
                           .dilation = options.dilation,
                           .groups = options.groups};
    const Following following{.plus = options.plus, .times = options.times, .then = options.then};
    if (!winograd_takes(layer, x)) return convolution(layer, x, following);
    layer.weight = constant(name + ".winograd", [&] { return winograd_weight(weight); });
    return winograd_convolution(layer, outputs, x, following);
  }
  const std::int64_t height = conv_side(x.size(2), options, padding),
                     width = conv_side(x.size(3), options, padding);
  return declared({x.size(0), outputs, height, width},
                  count(shape) * static_cast<double>(x.size(0) * height * width));
}

at::Tensor Layers::enlarged_conv(const std::string& name, const at::Tensor& x, std::int64_t outputs,
                                 const Activation& then) {
  const at::Tensor weight = parameter(name + ".weight", {outputs, x.size(1), 3, 3});
  const at::Tensor bias = parameter(name + ".bias", {outputs});
  const std::vector<std::int64_t> shape{x.size(0), outputs, 2 * x.size(2), 2 * x.size(3)};
  return counted(shape, count(shape) * static_cast<double>(9 * x.size(1)), [&] {
    const ConvolutionLayer layer{.weight = weight, .bias = bias, .padding = 1};
    const auto folded = [&] { return folded_for_corners(layer); };
    return enlarged_convolution(layer,
                                {.weight = constant(name + ".weight", [&] { return folded().weight; }),
                                 .bias = constant(name + ".bias", [&] { return folded().bias; }),
                                 .padding = 1},
                                x, then);
  });
}

at::Tensor Layers::depthwise(const std::string& name, const at::Tensor& x, ConvOptions options) {
  options.groups = x.size(1);
  return conv(name, x, x.size(1), options);
}

at::Tensor Layers::shuffled_conv(const std::string& name, const at::Tensor& x, int scale) {
  return at::pixel_shuffle(conv(name, x, std::int64_t{3} * scale * scale), scale);
}

at::Tensor Layers::linear(const std::string& name, const at::Tensor& x, std::int64_t outputs,
                          const Activation& then, const at::Tensor& plus) {
  const at::Tensor weight = parameter(name + ".weight", {outputs, x.size(-1)});
  const at::Tensor bias = parameter(name + ".bias", {outputs});
  if (!declares()) return upbench::linear(x, weight, bias, then, plus);
  std::vector<std::int64_t> shape = x.sizes().vec();
  shape.back() = outputs;
  return declared(shape, count(x.sizes()) * static_cast<double>(outputs));
}

at::Tensor Layers::layer_norm(const std::string& name, const at::Tensor& x, double epsilon) {
  const at::Tensor weight = parameter(name + ".weight", {x.size(-1)});
  const at::Tensor bias = parameter(name + ".bias", {x.size(-1)});
  return declares() ? x : at::layer_norm(x, {x.size(-1)}, weight, bias, epsilon);
}

at::Tensor Layers::prelu(const std::string& name, const at::Tensor& x, std::int64_t slopes) {
  const at::Tensor slope = parameter(name + ".weight", {slopes});
  return declares() ? x : parametric_relu(x, slope);
}

at::Tensor Layers::sum(const at::Tensor& x, const at::Tensor& y) {
  return declares() ? x : x.add_(y);
}

at::Tensor Layers::product(const at::Tensor& x, const at::Tensor& y) {
  return declares() ? x : x.mul_(y);
}

at::Tensor Layers::activated(const at::Tensor& x, const Activation& activation) {
  return declares() ? x : upbench::activated(x, activation);
}

at::Tensor Layers::matmul(const at::Tensor& a, const at::Tensor& b) {
  if (!declares()) return at::matmul(a, b);
  std::vector<std::int64_t> shape = at::infer_size(a.sizes().slice(0, static_cast<std::size_t>(a.dim()) - 2),
                                                   b.sizes().slice(0, static_cast<std::size_t>(b.dim()) - 2));
  shape.push_back(a.size(-2));
  shape.push_back(b.size(-1));
  return declared(shape, count(shape) * static_cast<double>(a.size(-1)));
}

at::Tensor Layers::counted(const std::vector<std::int64_t>& shape, double macs,
                           const std::function<at::Tensor()>& compute) {
  return declares() ? declared(shape, macs) : compute();
}

at::Tensor Layers::constant(const std::string& name, const std::function<at::Tensor()>& make) {
  return constants_ ? constants_->of(name, make) : make();
}

at::Tensor Layers::batch_normed_conv(const std::string& norm, const std::string& conv, const at::Tensor& x,
                                     std::int64_t outputs, const at::Tensor& plus) {
  constexpr double kEpsilon = 1e-5;
  const auto of_channels = [&](const char* what) { return parameter(norm + what, {x.size(1)}); };
  const at::Tensor weight = of_channels(".weight"), bias = of_channels(".bias"),
                   mean = of_channels(".running_mean"), variance = of_channels(".running_var"),
                   filters = parameter(conv + ".weight", {outputs, x.size(1), 1, 1});
  ignored(norm + ".num_batches_tracked", {});
  const std::vector<std::int64_t> shape{x.size(0), outputs, x.size(2), x.size(3)};
  return counted(shape, count(shape) * static_cast<double>(x.size(1)), [&] {
    const auto exact = [](const at::Tensor& t) { return t.to(at::kDouble); };
    const auto factor = [&] { return exact(weight) / (exact(variance) + kEpsilon).sqrt(); };
    const at::Tensor scaled = constant(norm + ".scaled", [&] {
      return (exact(filters) * factor().reshape({1, -1, 1, 1})).to(filters.scalar_type());
    });
    const at::Tensor shift = constant(norm + ".shift", [&] {
      return at::mv(exact(filters).flatten(1), exact(bias) - exact(mean) * factor())
          .to(filters.scalar_type());
    });
    return convolution({.weight = scaled, .bias = shift}, x, {.plus = plus});
  });
}

void Layers::ignored(const std::string& name, const std::vector<std::int64_t>& shape) {
  if (!declares()) return;
  declaration_->layout[name] = {.shape = shape, .canonical = name, .use = ExpectedTensor::Use::ignored};
}

void Layers::computed(const std::string& name, const at::Tensor& value) {
  if (!declares()) return;
  declaration_->layout[name] = {
      .shape = value.sizes().vec(), .canonical = name, .use = ExpectedTensor::Use::computed, .value = value};
}

void define(NetworkMatch& match, NetworkDefinition network) {
  const std::int64_t multiple = match.size_multiple, side = (64 + multiple - 1) / multiple * multiple;
  Declaration declaration;
  try {
    declaration = declare(network, side);
  } catch (const std::length_error& error) {
    match.problem = error.what();
    return;
  }
  match.layout = std::move(declaration.layout);
  match.macs_per_pixel = declaration.macs / static_cast<double>(side * side);
  match.bind = [network = std::move(network)](const NamedTensors& weights) {
    return bound_definition(network, weights);
  };
}

void define(NetworkMatch& match, const std::vector<int>& scales, ScaledDefinition network) {
  for (const int scale : scales) {
    NetworkMatch one;
    one.size_multiple = match.size_multiple;
    define(one, [&](Layers& layers, const at::Tensor& x) { return network(layers, x, scale); });
    if (!one.problem.empty()) {
      match.problem = one.problem;
      return;
    }
    match.layout.merge(one.layout);
    match.macs_per_pixel = match.macs_by_scale[scale] = one.macs_per_pixel;
  }
  match.bind_at = [network = std::move(network)](const NamedTensors& weights, int scale) -> NetworkFunction {
    return [network, weights, scale, constants = std::make_shared<Constants>()](const at::Tensor& x) {
      Layers layers(weights, constants.get());
      return network(layers, x, scale);
    };
  };
}

void define(NetworkMatch& match, const std::string& input_range, RangedDefinition network) {
  const auto on = [network = std::move(network)](double greatest) -> NetworkDefinition {
    return [network, greatest](Layers& layers, const at::Tensor& x) { return network(layers, x, greatest); };
  };
  define(match, on(greatest_of(input_range)));
  match.input_range = input_range;
  match.hyper_parameters.emplace_back("input_range",
                                      fmt::format("{}, as the authors'; not in the file", input_range));
  match.bind_on = [on](const NamedTensors& weights, double greatest) {
    return bound_definition(on(greatest), weights);
  };
}

void set_input_range(NetworkMatch& match, const std::string& input_range) {
  const double greatest = greatest_of(input_range);
  if (!match.bind_on || match.input_range == input_range) return;
  match.input_range = input_range;
  match.bind = [on = match.bind_on, greatest](const NamedTensors& weights) { return on(weights, greatest); };
  for (auto& [name, value] : match.hyper_parameters)
    if (name == "input_range") value = fmt::format("{}, as asked for; not in the file", input_range);
}

Layout layout_of(const NetworkDefinition& network) {
  return declare(network, 16).layout;
}

int shuffle_factor(std::int64_t channels, std::int64_t colours) {
  const auto factor =
      static_cast<int>(std::lround(std::sqrt(static_cast<double>(channels) / static_cast<double>(colours))));
  return colours * factor * factor == channels ? factor : 0;
}

}  // namespace upbench
