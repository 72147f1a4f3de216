#include "models/networks/kernels.h"

#include <cmath>
#include <limits>

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <ATen/Parallel.h>
#include <gtest/gtest.h>

#include "datasets/wide_vectors.h"
#include "tests/support/processor_time.h"

namespace upbench {
namespace {

constexpr double kRounding = 1e-5;  // of float32 sums of some hundred terms near 1

at::Tensor random(const std::vector<std::int64_t>& shape, std::uint64_t seed) {
  return at::randn(shape, at::make_generator<at::CPUGeneratorImpl>(seed));
}

at::Tensor last(const at::Tensor& x) {
  return x.contiguous(at::MemoryFormat::ChannelsLast);
}

double distance(const at::Tensor& a, const at::Tensor& b) {
  return (a.to(at::kDouble) - b.to(at::kDouble)).abs().max().item<double>();
}

// Every width of vectors that the processor has.
class Kernels : public testing::TestWithParam<int> {
 protected:
  void SetUp() override {
    if (vector_lanes() < GetParam()) GTEST_SKIP() << "needs a processor with vectors of " << GetParam();
    limit_vector_lanes(GetParam());
  }
  void TearDown() override { limit_vector_lanes(16); }
};
using WinogradConvolution = Kernels;
using DepthwiseConvolution = Kernels;
using PointwiseConvolution = Kernels;
using LinearAttention = Kernels;
INSTANTIATE_TEST_SUITE_P(Lanes, Kernels, testing::Values(8, 16));
INSTANTIATE_TEST_SUITE_P(Lanes, WinogradConvolution, testing::Values(8, 16));
INSTANTIATE_TEST_SUITE_P(Lanes, DepthwiseConvolution, testing::Values(8, 16));
INSTANTIATE_TEST_SUITE_P(Lanes, PointwiseConvolution, testing::Values(8, 16));
INSTANTIATE_TEST_SUITE_P(Lanes, LinearAttention, testing::Values(8, 16));

at::Tensor winograd(const ConvolutionLayer& layer, const at::Tensor& x, const Following& following = {}) {
  return winograd_convolution({.weight = winograd_weight(layer.weight), .bias = layer.bias},
                              layer.weight.size(0), x, following);
}

at::Tensor by_definition(const ConvolutionLayer& layer, const at::Tensor& x,
                         const Following& following = {}) {
  const auto exact = [](const at::Tensor& t) { return t.defined() ? t.to(at::kDouble) : t; };
  at::Tensor y =
      at::conv2d(exact(x), exact(layer.weight), exact(layer.bias), 1, layer.padding, 1, layer.groups);
  if (following.plus.defined()) y = y + exact(following.plus);
  if (following.times.defined()) y = y * exact(following.times);
  return activated(y, following.then);
}

// All four ways to follow a layer, with random tensors of the result's shape.
std::vector<Following> followings(std::int64_t outputs, const at::Tensor& x) {
  const std::vector<std::int64_t> shape{x.size(0), outputs, x.size(2), x.size(3)};
  const at::Tensor plus = last(random(shape, 11)), times = random(shape, 12);
  return {{}, {.plus = plus}, {.times = times, .then = kGelu}, {.plus = plus, .times = times, .then = kSilu}};
}

const std::vector<std::pair<int, int>> kSizes{{1, 1}, {1, 7}, {2, 2}, {5, 1}, {6, 9}, {3, 130}};

// The transformed weights of whole numbers are quarters, sums of small ones are exact.
TEST_P(WinogradConvolution, OnWholeNumbersIsExact) {
  const at::Tensor x = last(at::randint(-8, 9, {1, 20, 9, 14}, at::make_generator<at::CPUGeneratorImpl>(1),
                                        at::kFloat)),
                   weight = at::randint(-4, 5, {17, 20, 3, 3}, at::make_generator<at::CPUGeneratorImpl>(2),
                                        at::kFloat);
  EXPECT_TRUE(at::equal(winograd({.weight = weight, .bias = {}}, x), at::conv2d(x, weight, {}, 1, 1)));
}

TEST_P(WinogradConvolution, EqualsTheDefinitionForEverySizeAndNumberOfChannels) {
  for (const auto& [inputs, outputs] :
       {std::pair(16, 16), {17, 28}, {52, 48}, {40, 64}, {33, 80}, {16, 144}}) {
    const ConvolutionLayer layer{.weight = random({outputs, inputs, 3, 3}, 1).div_(std::sqrt(9.0 * inputs)),
                                 .bias = random({outputs}, 2),
                                 .padding = 1};
    for (const auto& [height, width] : kSizes) {
      const at::Tensor x = last(random({2, inputs, height, width}, 3));
      for (const Following& following : followings(outputs, x))
        EXPECT_LT(distance(winograd(layer, x, following), by_definition(layer, x, following)), kRounding)
            << inputs << " to " << outputs << ", " << height << " x " << width;
    }
  }
}

// Without a copy, where a dense block would concatenate; slices of wider tensors too.
TEST_P(WinogradConvolution, OfSeveralTensorsIsThatOfAllTogether) {
  const at::Tensor wide = last(random({2, 40, 7, 11}, 1));
  const std::vector<at::Tensor> parts{last(random({2, 64, 7, 11}, 2)), wide.narrow(1, 3, 20),
                                      random({2, 16, 7, 11}, 3)};
  const ConvolutionLayer layer{.weight = random({32, 100, 3, 3}, 4).div_(30), .bias = random({32}, 5)};
  const at::Tensor weight = winograd_weight(layer.weight);
  EXPECT_TRUE(at::equal(winograd_convolution({.weight = weight, .bias = layer.bias}, 32, parts),
                        winograd(layer, last(at::cat(parts, 1)))));
}

TEST_P(WinogradConvolution, AParametricReluFollows) {
  const at::Tensor x = last(random({1, 20, 6, 9}, 1)), slope = random({28}, 2);
  const ConvolutionLayer layer{.weight = random({28, 20, 3, 3}, 3).div_(13), .bias = random({28}, 4)};
  EXPECT_TRUE(at::equal(
      winograd_convolution({.weight = winograd_weight(layer.weight), .bias = layer.bias}, 28, x, {}, slope),
      at::prelu(winograd(layer, x), slope)));
}

TEST_P(WinogradConvolution, AnInvalidPixelSpreadsNoFurtherThanByDefinition) {
  const at::Tensor weight = random({16, 16, 3, 3}, 1);
  for (const double invalid :
       {std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity()})
    for (const auto& [y, x] : {std::pair(0, 0), {3, 4}, {4, 3}, {7, 7}}) {
      at::Tensor picture = last(random({1, 16, 8, 8}, 2));
      picture[0][5][y][x] = invalid;
      const ConvolutionLayer layer{.weight = weight, .bias = {}};
      EXPECT_TRUE(
          at::equal(winograd(layer, picture).isfinite(), at::conv2d(picture, weight, {}, 1, 1).isfinite()));
      if (std::isnan(invalid)) {  // ReLU makes a zero of what is infinitely low, but not of what is no number
        EXPECT_TRUE(at::equal(winograd(layer, picture, {.then = kRelu}).isnan(),
                              at::conv2d(picture, weight, {}, 1, 1).isnan()));
      }
    }
}

TEST_P(DepthwiseConvolution, EqualsTheDefinitionForEverySizeAndNumberOfChannels) {
  for (const std::int64_t channels : {16, 19, 64, 254}) {
    const ConvolutionLayer layer{.weight = random({channels, 1, 3, 3}, 1).div_(3),
                                 .bias = random({channels}, 2),
                                 .padding = 1,
                                 .groups = channels};
    for (const auto& [height, width] : kSizes) {
      const at::Tensor x = last(random({2, channels, height, width}, 3));
      for (const Following& following : followings(channels, x))
        EXPECT_LT(distance(depthwise_convolution(layer, x, following), by_definition(layer, x, following)),
                  kRounding)
            << channels << " channels, " << height << " x " << width;
    }
  }
}

TEST_P(PointwiseConvolution, EqualsTheDefinitionForEverySizeAndNumberOfChannels) {
  for (const auto& [inputs, outputs] : {std::pair(16, 16), {20, 40}, {55, 165}, {48, 254}, {33, 50}}) {
    const ConvolutionLayer layer{.weight = random({outputs, inputs, 1, 1}, 1).div_(std::sqrt(1.0 * inputs)),
                                 .bias = random({outputs}, 2)};
    for (const auto& [height, width] : kSizes) {
      const at::Tensor x = last(random({2, inputs, height, width}, 3));
      for (const Following& following : followings(outputs, x))
        EXPECT_LT(distance(pointwise_convolution(layer, x, following), by_definition(layer, x, following)),
                  kRounding)
            << inputs << " to " << outputs << ", " << height << " x " << width;
    }
  }
}

TEST_P(PointwiseConvolution, RowsOfAnyShapeAreMultipliedAlike) {
  const at::Tensor x = random({2, 3, 5, 20}, 1), weight = random({18, 20}, 2).div_(4), bias = random({18}, 3),
                   plus = random({2, 3, 5, 18}, 4);
  const at::Tensor expected = at::matmul(x.to(at::kDouble), weight.to(at::kDouble).t()) + bias + plus;
  EXPECT_LT(distance(multiplied_rows(x, weight, bias, {.plus = plus}), expected), kRounding);
}

TEST_P(PointwiseConvolution, ActivationsAreThoseByDefinitionFromEndToEnd) {
  const at::Tensor x = at::linspace(-120, 120, 16 * 4001).reshape({4001, 16});
  const at::Tensor exact = x.to(at::kDouble);
  const auto activation = [&](const Activation& then) {
    return multiplied_rows(x, at::eye(16), {}, {.then = then}).to(at::kDouble);
  };
  const auto error = [](const at::Tensor& a, const at::Tensor& b) {  // relative above 1
    return ((a - b).abs() / b.abs().clamp_min(1)).max().item<double>();
  };
  constexpr double kExponential = 4e-7;  // e^x to 2^-22
  EXPECT_LT(error(activation(kSigmoid), exact.sigmoid()), kExponential);
  EXPECT_LT(error(activation(kSilu), exact * exact.sigmoid()), 2 * kExponential);
  EXPECT_LT(error(activation(kGelu), at::gelu(exact)), 1e-6);  // erf to 1.5e-7 times up to half of |x| < 5
  EXPECT_TRUE(at::equal(activation(kRelu), exact.clamp_min(0)));
  EXPECT_LT(error(activation(leaky_relu_of(0.05)), at::leaky_relu(exact, 0.05)), 1e-7);  // one rounding
}

TEST_P(Kernels, ASliceOfChannelsIsReadWhereItLies) {
  const at::Tensor all = last(random({2, 60, 6, 7}, 1)), slice = all.narrow(1, 24, 20);
  const ConvolutionLayer wide{.weight = random({16, 20, 3, 3}, 2), .bias = {}, .padding = 1},
      narrow{.weight = random({16, 20, 1, 1}, 3), .bias = {}},
      each{.weight = random({20, 1, 3, 3}, 4), .bias = {}, .padding = 1, .groups = 20};
  EXPECT_TRUE(at::equal(winograd(wide, slice), winograd(wide, last(slice.clone()))));
  EXPECT_TRUE(
      at::equal(pointwise_convolution(narrow, slice), pointwise_convolution(narrow, last(slice.clone()))));
  EXPECT_TRUE(
      at::equal(depthwise_convolution(each, slice), depthwise_convolution(each, last(slice.clone()))));
  EXPECT_TRUE(at::equal(winograd(wide, slice.contiguous()), winograd(wide, slice)))
      << "another memory format";
}

// q (softmax over tokens of k)^T v / sqrt(width) of each head of each window, written out.
at::Tensor attention_by_definition(const at::Tensor& qkv, std::int64_t heads, std::int64_t window) {
  const std::int64_t channels = qkv.size(3) / 3, width = channels / heads;
  at::Tensor result = at::empty({qkv.size(0), qkv.size(1), qkv.size(2), channels}, at::kDouble);
  const auto part = [&](const at::Tensor& t, std::int64_t y, std::int64_t x, std::int64_t first) {
    return t.narrow(1, y, window).narrow(2, x, window).narrow(3, first, width);
  };
  for (std::int64_t y = 0; y < qkv.size(1); y += window)
    for (std::int64_t x = 0; x < qkv.size(2); x += window)
      for (std::int64_t head = 0; head < heads; ++head) {
        const auto tokens = [&](std::int64_t k) {
          return part(qkv, y, x, k * channels + head * width).to(at::kDouble).flatten(1, 2);
        };
        const at::Tensor correlation = at::matmul(tokens(1).softmax(1).transpose(1, 2), tokens(2));
        part(result, y, x, head * width)
            .copy_((at::matmul(tokens(0), correlation) / std::sqrt(static_cast<double>(width)))
                       .reshape({qkv.size(0), window, window, width}));
      }
  return result;
}

TEST_P(LinearAttention, EqualsTheDefinition) {
  for (const auto& [heads, width, window] : {std::tuple(5, 11, 16), {2, 20, 4}, {6, 3, 5}, {1, 16, 2}}) {
    const at::Tensor qkv = random({2, 2 * window, 3 * window, 3 * heads * width}, 1) * 3;
    const at::Tensor expected = attention_by_definition(qkv, heads, window);
    EXPECT_LT(distance(windowed_linear_attention(qkv, heads, window), expected),
              1e-6 * expected.abs().max().item<double>())  // float32 sums over a window
        << heads << " heads of " << width;
  }
}

// softmax(q k^T / sqrt(width) + bias) v of each head of each window of the rolled picture, written out.
at::Tensor softmax_attention_by_definition(const at::Tensor& qkv, const AttentionWindows& windows,
                                           std::int64_t heads, const at::Tensor& bias, std::int64_t first,
                                           std::int64_t channels) {
  const std::int64_t features = qkv.size(3) / 3, width = channels / heads;
  const at::Tensor rolled = at::roll(qkv.to(at::kDouble), {-windows.down, -windows.right}, {1, 2});
  at::Tensor result = at::zeros({qkv.size(0), qkv.size(1), qkv.size(2), features}, at::kDouble);
  for (std::int64_t n = 0; n < qkv.size(0); ++n)
    for (std::int64_t y = 0; y < qkv.size(1); y += windows.height)
      for (std::int64_t x = 0; x < qkv.size(2); x += windows.width)
        for (std::int64_t head = 0; head < heads; ++head) {
          const auto part = [&](const at::Tensor& t, std::int64_t from) {
            return t[n].narrow(0, y, windows.height).narrow(1, x, windows.width).narrow(2, from, width);
          };
          const auto tokens = [&](std::int64_t k) {
            return part(rolled, k * features + first + head * width).flatten(0, 1);
          };
          const at::Tensor scores =
              at::mm(tokens(0), tokens(1).t()) / std::sqrt(static_cast<double>(width)) + bias[head];
          part(result, first + head * width)
              .copy_(at::mm(scores.softmax(1), tokens(2)).reshape({windows.height, windows.width, width}));
        }
  return at::roll(result, {windows.down, windows.right}, {1, 2});
}

TEST_P(Kernels, WindowAttentionEqualsTheDefinition) {
  struct Case {
    AttentionWindows windows;
    std::int64_t heads, width, first, features;
  };
  for (const auto& [windows, heads, width, first, features] :
       {Case{{4, 16, 2, 8}, 3, 8, 24, 48}, Case{{16, 4}, 3, 8, 0, 48}, Case{{3, 7, 1, 2}, 2, 5, 7, 17},
        Case{{8, 9}, 1, 33, 0, 33}}) {
    const std::int64_t tokens = windows.height * windows.width;
    const at::Tensor qkv = random({2, 2 * windows.height, 3 * windows.width, 3 * features}, 1) * 3,
                     bias = random({heads, tokens, tokens}, 2) * 2;
    const at::Tensor expected =
        softmax_attention_by_definition(qkv, windows, heads, bias, first, heads * width);
    const at::Tensor out = at::zeros({2, 2 * windows.height, 3 * windows.width, features});
    windowed_attention(qkv, windows, heads, window_attention_bias(bias), first, heads * width, out);
    EXPECT_LT(distance(out, expected),
              3e-6 * expected.abs().max().item<double>())  // float32 sums over a window
        << windows.height << " x " << windows.width;
  }
}

// Scores far beyond what exp() holds.
TEST_P(Kernels, WindowAttentionOfLargeScoresIsTheGreatest) {
  at::Tensor qkv = random({1, 4, 16, 48}, 1);
  qkv.narrow(3, 0, 32).mul_(1000);
  const at::Tensor bias = at::zeros({2, 64, 64});
  const AttentionWindows windows{4, 16};
  const at::Tensor out = at::zeros({1, 4, 16, 16});
  windowed_attention(qkv, windows, 2, window_attention_bias(bias), 0, 16, out);
  EXPECT_LT(distance(out, softmax_attention_by_definition(qkv, windows, 2, bias, 0, 16)), 1e-4);
}

TEST_P(Kernels, AnyNumberOfThreadsGivesTheSameBits) {
  const at::Tensor x = last(random({1, 20, 150, 90}, 1)), qkv = random({1, 32, 64, 60}, 5);
  const ConvolutionLayer wide{.weight = random({24, 20, 3, 3}, 2), .bias = {}, .padding = 1},
      narrow{.weight = random({24, 20, 1, 1}, 3), .bias = {}},
      each{.weight = random({20, 1, 3, 3}, 4), .bias = {}, .padding = 1, .groups = 20};
  const at::Tensor bias = window_attention_bias(random({2, 64, 64}, 6));
  const auto attended = [&](const at::Tensor& of) {
    at::Tensor out = at::zeros({1, 32, 64, 20});
    windowed_attention(of, {4, 16, 2, 8}, 2, bias, 0, 20, out);
    return out;
  };
  const auto results = [&](int threads) {
    const int before = at::get_num_threads();
    at::set_num_threads(threads);
    const std::vector<at::Tensor> all{winograd(wide, x), pointwise_convolution(narrow, x),
                                      depthwise_convolution(each, x), windowed_linear_attention(qkv, 4, 16),
                                      attended(qkv)};
    at::set_num_threads(before);
    return all;
  };
  const std::vector<at::Tensor> one = results(1), three = results(3);
  for (std::size_t k = 0; k < one.size(); ++k) EXPECT_TRUE(at::equal(one[k], three[k])) << k;
}

// Without OpenMP in their sources loops run on one thread, whatever is set. Of the work of two, half is the
// caller's, and more where it waits busily for the other.
TEST_P(Kernels, LoopsRunOnTheThreadsThatAreSet) {
  const at::Tensor x = last(random({1, 64, 256, 256}, 1));
  const ConvolutionLayer layer{.weight = random({64, 64, 3, 3}, 2), .bias = {}, .padding = 1};
  const auto callers_share = [&](int threads) {
    const int before = at::get_num_threads();
    at::set_num_threads(threads);
    winograd(layer, x);  // starts the threads
    const double own = test::processor_seconds(CLOCK_THREAD_CPUTIME_ID),
                 all = test::processor_seconds(CLOCK_PROCESS_CPUTIME_ID);
    for (int k = 0; k < 8; ++k) winograd(layer, x);
    const double share = (test::processor_seconds(CLOCK_THREAD_CPUTIME_ID) - own) /
                         (test::processor_seconds(CLOCK_PROCESS_CPUTIME_ID) - all);
    at::set_num_threads(before);
    return share;
  };
  EXPECT_LT(callers_share(2), 0.8);
}

TEST_P(Kernels, OtherLayersAreLeftToOneDnnOrAten) {
  const at::Tensor x = last(random({1, 20, 8, 8}, 1)), weight = random({20, 20, 3, 3}, 2);
  const auto takes = [](const at::Tensor& of, const ConvolutionLayer& layer) {
    return winograd_takes(layer, of);
  };
  EXPECT_TRUE(takes(x, {.weight = weight, .bias = {}, .padding = 1}));
  EXPECT_FALSE(takes(x, {.weight = weight, .bias = {}, .padding = 0}));
  EXPECT_FALSE(takes(x, {.weight = weight, .bias = {}, .stride = 2, .padding = 1}));
  EXPECT_FALSE(takes(x, {.weight = weight, .bias = {}, .padding = 1, .dilation = 2}));
  EXPECT_FALSE(takes(x, {.weight = weight.narrow(0, 0, 3), .bias = {}, .padding = 1})) << "few outputs";
  EXPECT_FALSE(takes(x.narrow(1, 0, 12), {.weight = weight.narrow(1, 0, 12), .bias = {}, .padding = 1}));
  EXPECT_FALSE(takes(x.contiguous(), {.weight = weight, .bias = {}, .padding = 1}))
      << "not placed to be fast";
  EXPECT_FALSE(takes(x.to(at::kBFloat16), {.weight = weight.to(at::kBFloat16), .bias = {}, .padding = 1}));
  EXPECT_FALSE(takes(x.to(at::kDouble), {.weight = weight.to(at::kDouble), .bias = {}, .padding = 1}));
  EXPECT_FALSE(depthwise_takes({.weight = weight, .bias = {}, .padding = 1}, x));
  EXPECT_FALSE(pointwise_takes({.weight = weight, .bias = {}, .padding = 1}, x));
  const at::Tensor differentiated = random({1, 20, 8, 8}, 1).requires_grad_();
  EXPECT_FALSE(takes(last(differentiated), {.weight = weight, .bias = {}, .padding = 1}));
}

}  // namespace
}  // namespace upbench
