#include "models/diffusion/networks/diffusion_layers.h"

#include <cmath>

#include <ATen/ATen.h>
#include <c10/core/InferenceMode.h>
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "models/diffusion/networks/wide_layers.h"
#include "tests/models/diffusion/peers/peer.h"

namespace upbench {
namespace {

using test::relative_error;

constexpr double kTolerance = 1e-5;  // single precision, sums of up to 6,000 products in another order

at::Tensor with_channels_last(at::IntArrayRef shape) {
  return at::randn(shape).contiguous(at::MemoryFormat::ChannelsLast);
}

// Of a function of Layers: what it gives for given weights, once it declared these.
struct Outcome {
  Layout layout;
  at::Tensor result;
  double macs = 0;
};

using Function = std::function<at::Tensor(Layers&, const at::Tensor& x)>;

Outcome outcome_of(const Function& function, const at::Tensor& x, const NamedTensors& weights) {
  Declaration declaration;
  Layers declares(declaration);
  const at::Tensor declared = function(declares, at::zeros({}).expand(x.sizes()));
  Layers computes(weights);
  Outcome outcome{.layout = declaration.layout, .result = function(computes, x), .macs = declaration.macs};
  EXPECT_EQ(declared.sizes(), outcome.result.sizes());
  EXPECT_EQ(outcome.layout.size(), weights.size());
  for (const auto& [name, tensor] : weights)
    EXPECT_EQ(tensor.sizes(), at::IntArrayRef(outcome.layout.at(name).shape)) << name;
  return outcome;
}

TEST(DiffusionLayers, GroupNormIsThatOfPyTorchInEveryMemoryFormat) {
  const c10::InferenceMode no_gradients;
  const NamedTensors weights{{"n.weight", at::randn({64})}, {"n.bias", at::randn({64})}};
  const auto normed = [](Layers& layers, const at::Tensor& x) {
    return group_norm(layers, "n", x, 32, 1e-5, kSilu);
  };
  const at::Tensor x = with_channels_last({2, 64, 5, 7});
  const at::Tensor expected =
      at::silu(at::group_norm(x.contiguous(), 32, weights.at("n.weight"), weights.at("n.bias"), 1e-5));
  const at::Tensor before = x.clone();
  const Outcome last = outcome_of(normed, x, weights);
  EXPECT_LE(relative_error(last.result, expected), kTolerance);
  EXPECT_TRUE(last.result.is_contiguous(at::MemoryFormat::ChannelsLast));
  EXPECT_TRUE(x.equal(before));
  EXPECT_LE(relative_error(outcome_of(normed, x.contiguous(), weights).result, expected), kTolerance);
}

// Few weights and many take different ways.
TEST(DiffusionLayers, WideConvolutionsAreConvolutions) {
  const c10::InferenceMode no_gradients;
  struct Shape {
    std::int64_t inputs, outputs;
    int kernel, stride;
  };
  for (const Shape& s : {Shape{32, 48, 3, 1}, Shape{640, 600, 3, 1}, Shape{64, 32, 1, 1},
                         Shape{640, 640, 3, 2}, Shape{20, 7, 3, 2}}) {
    SCOPED_TRACE(
        fmt::format("{} -> {}, {}x{}, stride {}", s.inputs, s.outputs, s.kernel, s.kernel, s.stride));
    const at::Tensor weight = at::randn({s.outputs, s.inputs, s.kernel, s.kernel}),
                     bias = at::randn({s.outputs}), x = with_channels_last({2, s.inputs, 5, 7});
    at::Tensor expected = at::conv2d(x.contiguous(), weight, bias, s.stride, s.kernel / 2);
    const at::Tensor plus = with_channels_last(expected.sizes());
    const auto convolved = [&](Layers& layers, const at::Tensor& y) {
      return wide_conv(layers, "c", y, s.outputs,
                       {.kernel = s.kernel, .stride = s.stride, .plus = plus, .then = kSilu});
    };
    const Outcome made = outcome_of(convolved, x, {{"c.weight", weight}, {"c.bias", bias}});
    EXPECT_LE(relative_error(made.result, at::silu(expected + plus)), kTolerance);
    EXPECT_DOUBLE_EQ(made.macs,
                     static_cast<double>(expected.numel()) * static_cast<double>(weight[0].numel()));
  }
}

TEST(DiffusionLayers, EnlargedConvolutionsSeeEveryPixelFourTimes) {
  const c10::InferenceMode no_gradients;
  for (const std::int64_t channels : {32, 640}) {
    SCOPED_TRACE(channels);
    const at::Tensor weight = at::randn({channels, channels, 3, 3}), bias = at::randn({channels}),
                     x = with_channels_last({1, channels, 4, 3});
    const Outcome made = outcome_of(
        [&](Layers& layers, const at::Tensor& y) { return wide_enlarged_conv(layers, "c", y, channels); }, x,
        {{"c.weight", weight}, {"c.bias", bias}});
    const at::Tensor large = at::upsample_nearest2d(x.contiguous(), {8, 6});
    EXPECT_LE(relative_error(made.result, at::conv2d(large, weight, bias, 1, 1)), kTolerance);
    EXPECT_DOUBLE_EQ(made.macs, static_cast<double>(48 * weight.numel()));
  }
}

TEST(DiffusionLayers, WhatFollowsAWideLinearLayerFollowsIt) {
  const c10::InferenceMode no_gradients;
  for (const auto& [type, tolerance] : {std::pair{at::kFloat, kTolerance}, {at::kBFloat16, 0.02}}) {
    const at::Tensor x = at::randn({2, 5, 96}).to(type), weight = at::randn({64, 96}).to(type),
                     bias = at::randn({64}).to(type), other = at::randn({2, 5, 64}).to(type);
    const at::Tensor plain = at::linear(x.to(at::kFloat), weight.to(at::kFloat), bias.to(at::kFloat)),
                     factor = other.to(at::kFloat);
    const auto error = [&](const Following& following, const at::Tensor& expected) {
      return relative_error(wide_linear(x, weight, bias, following), expected);
    };
    EXPECT_LE(error({}, plain), tolerance);
    EXPECT_LE(error({.plus = other}, plain + factor), tolerance);
    EXPECT_LE(error({.times = other}, plain * factor), tolerance);
    EXPECT_LE(error({.plus = other, .times = other, .then = kSilu}, at::silu((plain + factor) * factor)),
              tolerance);
    EXPECT_LE(error({.then = kGelu}, at::gelu(plain)), tolerance);
    EXPECT_LE(relative_error(wide_linear(x, weight, at::Tensor()), plain - bias.to(at::kFloat)), tolerance);
  }
}

TEST(DiffusionLayers, AttentionIsTheWeighedSumOfValues) {
  const c10::InferenceMode no_gradients;
  const at::Tensor q = at::randn({2, 6, 32}), k = at::randn({2, 6, 32}), v = at::randn({2, 6, 32});
  const auto by_definition = [&](bool causal) {
    std::vector<at::Tensor> heads;
    for (int head = 0; head < 4; ++head) {
      const auto part = [&](const at::Tensor& t) { return t.narrow(2, 8 * head, 8); };
      at::Tensor scores = at::matmul(part(q), part(k).transpose(1, 2)) / std::sqrt(8.0);
      if (causal) scores = scores.masked_fill(at::ones({6, 6}).triu(1).to(at::kBool), -INFINITY);
      heads.push_back(at::matmul(scores.softmax(-1), part(v)));
    }
    return at::cat(heads, 2);
  };
  for (const bool causal : {false, true}) {
    const Outcome made = outcome_of(
        [&](Layers& layers, const at::Tensor& x) { return attention(layers, x, k, v, 4, causal); }, q, {});
    EXPECT_LE(relative_error(made.result, by_definition(causal)), kTolerance);
    EXPECT_DOUBLE_EQ(made.macs, 2.0 * 2 * 6 * 6 * 32);
  }
}

TEST(DiffusionLayers, TheSecondHalfOfAGatedLayerIsTheGate) {
  const c10::InferenceMode no_gradients;
  const at::Tensor weight = at::randn({48, 16}), bias = at::randn({48}), x = at::randn({2, 3, 16});
  const at::Tensor both = at::linear(x, weight, bias);
  const Outcome made =
      outcome_of([](Layers& layers, const at::Tensor& y) { return gated_gelu(layers, "g", y, 24); }, x,
                 {{"g.weight", weight}, {"g.bias", bias}});
  EXPECT_LE(relative_error(made.result, both.narrow(2, 0, 24) * at::gelu(both.narrow(2, 24, 24))),
            kTolerance);
  EXPECT_DOUBLE_EQ(made.macs, 6.0 * 16 * 48);
}

TEST(DiffusionLayers, SinusoidsAreCosinesThenSines) {
  const at::Tensor made = sinusoids(at::tensor({0.0F, 2.5F}), 6);
  ASSERT_EQ(made.sizes(), (std::vector<std::int64_t>{2, 6}));
  EXPECT_TRUE(made[0].equal(at::tensor({1.0F, 1.0F, 1.0F, 0.0F, 0.0F, 0.0F})));
  for (int i = 0; i < 3; ++i) {
    const double angle = 2.5 * std::pow(10000.0, -i / 3.0);
    EXPECT_NEAR(made[1][i].item<double>(), std::cos(angle), 1e-6);  // single precision
    EXPECT_NEAR(made[1][3 + i].item<double>(), std::sin(angle), 1e-6);
  }
}

TEST(DiffusionLayers, QuickGeluIsAScaledSigmoid) {
  const c10::InferenceMode no_gradients;
  const at::Tensor x = at::tensor({-2.0F, 0.0F, 3.0F});
  const NamedTensors none;
  Layers layers(none);
  const at::Tensor made = quick_gelu(layers, x);
  for (int i = 0; i < 3; ++i) {
    const double value = x[i].item<double>();
    EXPECT_NEAR(made[i].item<double>(), value / (1 + std::exp(-1.702 * value)), 1e-6);  // single precision
  }
}

TEST(DiffusionLayers, TokensAndPicturesAreEachOther) {
  const at::Tensor x = with_channels_last({2, 8, 3, 4}), tokens = picture_to_tokens(x);
  EXPECT_EQ(tokens.sizes(), (std::vector<std::int64_t>{2, 12, 8}));
  EXPECT_EQ(tokens.data_ptr(), x.data_ptr());
  EXPECT_TRUE(tokens_to_picture(tokens, x).equal(x));
  EXPECT_TRUE(tokens.select(1, 5).equal(x.select(2, 1).select(2, 1)));
}

}  // namespace
}  // namespace upbench
