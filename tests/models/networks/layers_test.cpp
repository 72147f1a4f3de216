#include "models/networks/layers.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/models/networks/random_network.h"

namespace upbench {
namespace {

at::Tensor small_network(Layers& layers, const at::Tensor& x) {
  const at::Tensor y = at::relu(layers.conv("in", x, 8, {.stride = 2}));
  const at::Tensor z = layers.prelu("act", layers.depthwise("each", y, {.bias = false}), 1);
  return layers.shuffled_conv("out", z, 4);
}

NetworkMatch small_match() {
  NetworkMatch match;
  match.scale = 2;
  define(match, small_network);
  return match;
}

TEST(Layers, OneFunctionGivesTheTensorsOfTheNetwork) {
  std::string text;
  for (const auto& [name, expected] : small_match().layout) {
    text += name;
    for (const std::int64_t size : expected.shape) text += " " + std::to_string(size);
    text += "\n";
  }
  EXPECT_EQ(text,
            "act.weight 1\n"
            "each.weight 8 1 3 3\n"
            "in.bias 8\n"
            "in.weight 8 3 3 3\n"
            "out.bias 48\n"
            "out.weight 48 8 3 3\n");
}

// At a quarter of the positions: 9 3 8 in the first, 9 8 in one filter a channel, 9 8 48 in the last.
TEST(Layers, WorkIsCountedPerInputPixel) {
  EXPECT_EQ(small_match().macs_per_pixel, (216 + 72 + 3456) / 4.0);
}

TEST(Layers, BoundFunctionComputesWhatTheLayersAreByDefinition) {
  const NetworkMatch match = small_match();
  NamedTensors w = test::random_tensors(match.layout, 3);
  const at::Tensor x = at::rand({2, 3, 10, 6});
  const at::Tensor y = at::relu(at::conv2d(x, w["in.weight"], w["in.bias"], 2, 1));
  const at::Tensor z = at::prelu(at::conv2d(y, w["each.weight"], {}, 1, 1, 1, 8), w["act.weight"]);
  const at::Tensor expected = at::pixel_shuffle(at::conv2d(z, w["out.weight"], w["out.bias"], 1, 1), 4);
  EXPECT_TRUE(at::equal(match.bind(w)(x), expected));
}

TEST(Layers, MatricesAndLinearLayersCountAsWork) {
  Declaration declaration;
  Layers layers(declaration);
  const at::Tensor x = at::zeros({2, 5, 7});
  EXPECT_EQ(layers.linear("l", layers.layer_norm("n", x), 11).sizes(), at::IntArrayRef({2, 5, 11}));
  EXPECT_EQ(declaration.macs, 2 * 5 * 7 * 11);
  EXPECT_EQ(layers.matmul(x, x.transpose(1, 2)).sizes(), at::IntArrayRef({2, 5, 5}));
  EXPECT_EQ(declaration.macs, 2 * 5 * 7 * 11 + 2 * 5 * 5 * 7);
  EXPECT_EQ(declaration.layout.size(), 4u);
}

TEST(Layers, ATensorOfTwoShapesIsADefectOfTheNetwork) {
  Declaration declaration;
  Layers layers(declaration);
  layers.parameter("a", {3});
  EXPECT_NO_THROW(layers.parameter("a", {3}));
  EXPECT_THROW(layers.parameter("a", {4}), std::logic_error);
}

// 4,096 channels of 64 x 64 are 2^24 numbers: 32 layers are 2^29.
TEST(Layers, NetworksThatNobodyCouldRunAreAProblemBeforeTheyFillTheMemory) {
  const auto chain = [](int count) {
    NetworkMatch match;
    define(match, [count](Layers& layers, const at::Tensor& x) {
      at::Tensor y = x;
      for (int i = 0; i < count; ++i) y = layers.conv("c" + std::to_string(i), y, 4096, {.kernel = 1});
      return y;
    });
    return match;
  };
  EXPECT_EQ(chain(32).problem, "");
  EXPECT_THAT(chain(33).problem, testing::HasSubstr("more than 536870912 numbers"));
  EXPECT_TRUE(chain(33).layout.empty());
}

TEST(Layers, ShuffleFactorIsTheRootOfTheChannelsOfAColour) {
  EXPECT_EQ(shuffle_factor(48), 4);
  EXPECT_EQ(shuffle_factor(27), 3);
  EXPECT_EQ(shuffle_factor(3), 1);
  EXPECT_EQ(shuffle_factor(16, 1), 4);
  EXPECT_EQ(shuffle_factor(47), 0);
  EXPECT_EQ(shuffle_factor(0), 0);
}

}  // namespace
}  // namespace upbench
