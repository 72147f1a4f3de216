#include "models/diffusion/networks/diffusion_layers.h"

#include <cmath>

#include <ATen/ATen.h>

#include "models/diffusion/networks/wide_layers.h"
#include "models/networks/enlarged.h"

namespace upbench {
namespace {

// Weights up to this many numbers are kept a second time in the form that a faster convolution takes: the
// widest that it is faster for. They are 3 % of Stable Diffusion 1.
constexpr std::int64_t kFewWeights = 3 << 20;

bool are_few(std::int64_t inputs, std::int64_t outputs) {
  return 9 * inputs * outputs <= kFewWeights;
}

at::Tensor half_of(const at::Tensor& x, std::int64_t which) {
  const std::int64_t half = x.size(0) / 2;
  return x.narrow(0, which * half, half);
}

}  // namespace

at::Tensor wide_linear(Layers& layers, const std::string& name, const at::Tensor& x, std::int64_t outputs,
                       const Following& following) {
  const at::Tensor weight = layers.parameter(name + ".weight", {outputs, x.size(-1)}),
                   bias = layers.parameter(name + ".bias", {outputs});
  std::vector<std::int64_t> shape = x.sizes().vec();
  shape.back() = outputs;
  return layers.counted(shape, static_cast<double>(x.numel() * outputs),
                        [&] { return wide_linear(x, weight, bias, following); });
}

at::Tensor wide_conv(Layers& layers, const std::string& name, const at::Tensor& x, std::int64_t outputs,
                     const ConvOptions& options) {
  const std::int64_t kernel = options.kernel, stride = options.stride, inputs = x.size(1);
  if (kernel == 3 && stride == 1 && are_few(inputs, outputs)) return layers.conv(name, x, outputs, options);
  const at::Tensor weight = layers.parameter(name + ".weight", {outputs, inputs, kernel, kernel}),
                   bias = layers.parameter(name + ".bias", {outputs});
  const std::vector<std::int64_t> shape{x.size(0), outputs, (x.size(2) - 1) / stride + 1,
                                        (x.size(3) - 1) / stride + 1};
  const double pixels = static_cast<double>(shape[0] * shape[2] * shape[3]);
  return layers.counted(shape, pixels * static_cast<double>(weight.numel()), [&] {
    const Following following{.plus = options.plus, .times = options.times, .then = options.then};
    if (kernel > 1)
      return wide_convolution({.weight = weight, .bias = bias, .stride = stride, .padding = kernel / 2}, x,
                              following);
    const auto tokens = [](const at::Tensor& t) { return t.defined() ? picture_to_tokens(t) : t; };
    return tokens_to_picture(wide_linear(picture_to_tokens(x), weight.flatten(1), bias,
                                         {tokens(following.plus), tokens(following.times), following.then}),
                             x);
  });
}

at::Tensor wide_enlarged_conv(Layers& layers, const std::string& name, const at::Tensor& x,
                              std::int64_t outputs) {
  if (are_few(x.size(1), outputs)) return layers.enlarged_conv(name, x, outputs);
  const at::Tensor weight = layers.parameter(name + ".weight", {outputs, x.size(1), 3, 3}),
                   bias = layers.parameter(name + ".bias", {outputs});
  const std::vector<std::int64_t> shape{x.size(0), outputs, 2 * x.size(2), 2 * x.size(3)};
  const double pixels = static_cast<double>(shape[0] * shape[2] * shape[3]);
  return layers.counted(shape, pixels * static_cast<double>(weight.numel()), [&] {
    const ConvolutionLayer layer{.weight = weight, .bias = bias, .padding = 1};
    return enlarged_convolution(layer, is_fusible(x) ? folded_for_corners(layer) : layer, x);
  });
}

at::Tensor group_norm(Layers& layers, const std::string& name, const at::Tensor& x, std::int64_t groups,
                      double epsilon, const Activation& then) {
  const at::Tensor weight = layers.parameter(name + ".weight", {x.size(1)}),
                   bias = layers.parameter(name + ".bias", {x.size(1)});
  return layers.counted(x.sizes().vec(), 0,
                        [&] { return activated(at::group_norm(x, groups, weight, bias, epsilon), then); });
}

at::Tensor linear_without_bias(Layers& layers, const std::string& name, const at::Tensor& x,
                               std::int64_t outputs) {
  const at::Tensor weight = layers.parameter(name + ".weight", {outputs, x.size(-1)});
  std::vector<std::int64_t> shape = x.sizes().vec();
  shape.back() = outputs;
  return layers.counted(shape, static_cast<double>(x.numel() * outputs),
                        [&] { return wide_linear(x, weight, at::Tensor()); });
}

at::Tensor attention(Layers& layers, const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                     std::int64_t heads, bool causal) {
  return layers.counted(q.sizes().vec(), 2.0 * static_cast<double>(q.numel() * k.size(1)), [&] {
    const auto split = [&](const at::Tensor& x) {
      return x.reshape({x.size(0), x.size(1), heads, x.size(2) / heads}).transpose(1, 2);
    };
    return at::scaled_dot_product_attention(split(q), split(k), split(v), {}, 0.0, causal)
        .transpose(1, 2)
        .reshape(q.sizes());
  });
}

at::Tensor gated_gelu(Layers& layers, const std::string& name, const at::Tensor& x, std::int64_t outputs) {
  const at::Tensor weight = layers.parameter(name + ".weight", {2 * outputs, x.size(-1)}),
                   bias = layers.parameter(name + ".bias", {2 * outputs});
  std::vector<std::int64_t> shape = x.sizes().vec();
  shape.back() = outputs;
  return layers.counted(shape, 2.0 * static_cast<double>(x.numel() * outputs), [&] {
    const at::Tensor gate = wide_linear(x, half_of(weight, 1), half_of(bias, 1), {.then = kGelu});
    return wide_linear(x, half_of(weight, 0), half_of(bias, 0), {.times = gate});
  });
}

at::Tensor quick_gelu(Layers& layers, const at::Tensor& x) {
  return layers.counted(x.sizes().vec(), 0, [&] { return at::sigmoid(x * 1.702).mul_(x); });
}

at::Tensor picture_to_tokens(const at::Tensor& x) {
  return x.permute({0, 2, 3, 1}).flatten(1, 2);
}

at::Tensor tokens_to_picture(const at::Tensor& tokens, const at::Tensor& like) {
  return tokens.reshape({tokens.size(0), like.size(2), like.size(3), tokens.size(2)}).permute({0, 3, 1, 2});
}

at::Tensor sinusoids(const at::Tensor& x, std::int64_t width) {
  const std::int64_t half = width / 2;
  const at::Tensor positions = at::arange(half, x.options().dtype(at::kFloat));
  const at::Tensor frequencies = (positions * (-std::log(10000.0) / static_cast<double>(half))).exp();
  const at::Tensor angles = x.to(at::kFloat).unsqueeze(1) * frequencies;
  return at::cat({angles.cos(), angles.sin()}, 1);
}

}  // namespace upbench
