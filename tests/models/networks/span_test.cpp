#include "models/networks/span.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "models/networks/registry.h"
#include "tests/models/networks/random_network.h"

namespace upbench {
namespace {

using Convolve = std::function<at::Tensor(const std::string& name, const at::Tensor& x)>;

// The network from the paper's equations, over any way to convolve.
at::Tensor by_definition(const NamedTensors& w, const at::Tensor& x, const SpanShape& shape,
                         const Convolve& convolve) {
  const at::Tensor mean = at::tensor({0.4488F, 0.4371F, 0.4040F}).reshape({1, 3, 1, 1});
  const at::Tensor first = convolve("conv_1", (x - mean) * 255);
  at::Tensor y = first, after_first, last_inner;
  for (int i = 1; i <= shape.blocks; ++i) {
    const std::string block = "block_" + std::to_string(i);
    at::Tensor o = convolve(block + ".c1_r", y);
    o = o * o.sigmoid();
    last_inner = o;
    o = convolve(block + ".c2_r", o);
    o = convolve(block + ".c3_r", o * o.sigmoid());
    y = (o + y) * (o.sigmoid() - 0.5);
    if (i == 1) after_first = y;
  }
  y = at::cat({first, convolve("conv_2", y), after_first, last_inner}, 1);
  y = at::conv2d(y, w.at("conv_cat.weight"), w.at("conv_cat.bias"));
  y = at::conv2d(y, w.at("upsampler.0.weight"), w.at("upsampler.0.bias"), 1, 1);
  return at::pixel_shuffle(y, shape.scale);
}

Convolve run_convolution(const NamedTensors& w) {
  return [&w](const std::string& name, const at::Tensor& x) {
    return at::conv2d(x, w.at(name + ".eval_conv.weight"), w.at(name + ".eval_conv.bias"), 1, 1);
  };
}

// As in training: the borders are added before the first of the three.
Convolve training_convolution(const NamedTensors& w) {
  return [&w](const std::string& name, const at::Tensor& x) {
    at::Tensor y = at::constant_pad_nd(x, {1, 1, 1, 1});
    for (const char* step : {".conv.0", ".conv.1", ".conv.2"})
      y = at::conv2d(y, w.at(name + step + ".weight"), w.at(name + step + ".bias"));
    return y + at::conv2d(x, w.at(name + ".sk.weight"), w.at(name + ".sk.bias"));
  };
}

double relative_difference(const at::Tensor& a, const at::Tensor& b) {
  return ((a - b).abs().max() / b.abs().max()).item<double>();
}

TEST(Span, EveryScaleIsRecognisedAndComputesTheNetworkByDefinition) {
  for (const int scale : {1, 2, 3, 4}) {
    const SpanShape shape{.features = 5, .fused = 4, .blocks = 3, .scale = scale};
    const NamedTensors weights = test::random_tensors(span_layout(shape), 1);
    const NetworkMatch match = recognise(weights);
    EXPECT_EQ(match.architecture, "SPAN");
    EXPECT_EQ(match.scale, scale);
    EXPECT_EQ(match.receptive_radius, 12);
    EXPECT_THAT(match.hyper_parameters,
                testing::IsSupersetOf({testing::Pair("features", "5"), testing::Pair("fused", "4"),
                                       testing::Pair("blocks", "3"), testing::Pair("form", "run")}));
    const at::Tensor x = at::rand({2, 3, 9, 7});
    // The same float32 operations, but for the order of sums in convolutions.
    EXPECT_LT(relative_difference(match.bind(weights)(x),
                                  by_definition(weights, x, shape, run_convolution(weights))),
              1e-5);
  }
}

TEST(Span, TheTrainingFormComputesWhatItComputedInTraining) {
  const SpanShape shape{.features = 5, .fused = 5, .blocks = 2, .gain = 2, .scale = 2};
  const NamedTensors file = test::random_tensors(span_layout(shape), 2);
  const NetworkMatch match = recognise(file);
  EXPECT_THAT(match.hyper_parameters,
              testing::IsSupersetOf({testing::Pair("form", "training"), testing::Pair("gain", "2")}));
  const at::Tensor x = at::rand({1, 3, 8, 11});
  const at::Tensor expected = by_definition(file, x, shape, training_convolution(file));
  // Three convolutions in a row against one: roundings of float32, through eight layers.
  EXPECT_LT(relative_difference(match.bind(file)(x), expected), 1e-4);
  const NamedTensors fused = fuse_span(file);
  EXPECT_EQ(recognise(fused).hyper_parameters.back().second, "run");
  EXPECT_TRUE(at::equal(recognise(fused).bind(fused)(x), match.bind(file)(x)));
}

TEST(Span, WhatAnEarlierFusionLeftInATrainingFileDoesNotMatter) {
  NamedTensors file =
      test::random_tensors(span_layout({.features = 4, .fused = 4, .blocks = 1, .gain = 2, .scale = 2}), 3);
  const at::Tensor x = at::rand({1, 3, 8, 8}), before = recognise(file).bind(file)(x);
  file["block_1.c1_r.eval_conv.weight"].fill_(7);
  EXPECT_TRUE(at::equal(recognise(file).bind(file)(x), before));
  const LoadedNetwork loaded = load_network({.format = {}, .dialect = {}, .tensors = file, .metadata = {}});
  EXPECT_FALSE(loaded.weights.contains("block_1.c1_r.eval_conv.weight"));
  EXPECT_TRUE(at::equal(loaded.match.bind(loaded.weights)(x), before));
}

TEST(Span, AFileThatSaysSoTakesItsInputAsItIs) {
  const SpanShape shape{.features = 4, .fused = 4, .blocks = 1, .normalised = false, .scale = 2};
  NamedTensors file = test::random_tensors(span_layout(shape), 4);
  ASSERT_TRUE(file.contains("no_norm"));
  const at::Tensor x = at::rand({1, 3, 8, 8}), plain = recognise(file).bind(file)(x);
  file.erase("no_norm");
  const at::Tensor mean = at::tensor({0.4488F, 0.4371F, 0.4040F}).reshape({1, 3, 1, 1});
  // The other network on an input whose normalisation gives this one: float32 roundings of it.
  EXPECT_LT(relative_difference(recognise(file).bind(file)(x / 255 + mean), plain), 1e-4);
}

TEST(Span, WorkOfTheStandardNetworkIsThatCountedByHand) {
  const auto match = [](const SpanShape& shape) {
    return recognise(test::hollow_tensors(span_layout(shape)));
  };
  // 9 (3 48 + 19 48^2 + 48 48) + 4 48^2: 24.5 G for an output of 1280 x 720
  EXPECT_EQ(match({}).macs_per_pixel, 425'232);
  EXPECT_EQ(match({.gain = 2}).macs_per_pixel, 425'232);
  EXPECT_EQ(match({.features = 28, .fused = 20}).macs_per_pixel,
            9 * (3 * 28 + 19 * 28 * 28 + 20 * 48) + 4 * 28 * 20);
}

TEST(Span, NothingBeyondTheReceptiveRadiusMatters) {
  const NamedTensors weights =
      test::random_tensors(span_layout({.features = 4, .fused = 4, .blocks = 2, .scale = 2}), 5);
  const NetworkMatch match = recognise(weights);
  EXPECT_EQ(test::measured_radius(match.bind(weights), 2, 1, match.receptive_radius), match.receptive_radius);
}

TEST(Span, WidthsBeyondBoundsAreRefused) {
  NamedTensors file = test::hollow_tensors(span_layout({.features = 4, .fused = 4, .blocks = 1}));
  file["conv_1.eval_conv.weight"] = at::zeros({}).expand({5000, 3, 3, 3});
  EXPECT_THAT([&] { recognise(file); }, testing::ThrowsMessage<std::invalid_argument>(
                                            testing::HasSubstr("features is 5000, expected 1 to 4096")));
}

}  // namespace
}  // namespace upbench
