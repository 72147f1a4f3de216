#include "models/networks/rlfn.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "models/networks/layers.h"
#include "models/networks/registry.h"
#include "tests/models/networks/random_network.h"

namespace upbench {
namespace {

using testing::ElementsAre;
using testing::Pair;

TEST(Rlfn, EveryScaleIsRecognisedFromNamesAndShapes) {
  for (const int scale : {1, 2, 3, 4}) {
    const NetworkMatch match = recognise(test::hollow_tensors(
        rlfn_layout({.features = 6, .inner = 5, .attention = 3, .blocks = 2, .scale = scale})));
    EXPECT_EQ(match.architecture, "RLFN");
    EXPECT_EQ(match.scale, scale);
    EXPECT_EQ(match.minimum_size, 15);
    EXPECT_EQ(match.receptive_radius, -1);
    EXPECT_THAT(
        match.hyper_parameters,
        ElementsAre(Pair("features", "6"), Pair("inner", "5"), Pair("attention", "3"), Pair("blocks", "2"),
                    Pair("input_range", "0..255, as the authors'; not in the file")));
    EXPECT_EQ(test::random_output(match, 15, 17).sizes(), at::IntArrayRef({2, 3, 15 * scale, 17 * scale}));
  }
}

// Without weights the last convolution's bias is what is left: in units of the range.
TEST(Rlfn, ComputesOnTheRangeThatItIsTold) {
  NetworkMatch match =
      recognise(test::hollow_tensors(rlfn_layout({.features = 6, .inner = 5, .attention = 3, .blocks = 2})));
  NamedTensors weights;
  for (const auto& [name, expected] : match.layout) weights[name] = at::zeros(expected.shape);
  weights["upsampler.0.bias"].fill_(51);
  const auto value = [&] { return match.bind(weights)(at::rand({1, 3, 16, 16}))[0][0][0][0].item<float>(); };
  EXPECT_FLOAT_EQ(value(), 0.2F);
  set_input_range(match, "0..1");
  EXPECT_FLOAT_EQ(value(), 51);
}

// Table 2 of the paper: multiply-adds for an output of 1280 x 720.
TEST(Rlfn, WorkIsThePapers) {
  const auto giga = [](int scale) {
    return recognise(test::hollow_tensors(rlfn_layout({.scale = scale}))).macs_per_pixel * 1280 * 720 /
           (scale * scale) / 1e9;
  };
  // Half a unit of the last digit, and 0.1 % because attention is counted on 64 x 64 here.
  EXPECT_NEAR(giga(2), 115.4, 0.05 + 0.115);
  EXPECT_NEAR(giga(4), 29.8, 0.05 + 0.03);
}

// The pruned network of the challenge: 19.70 G for an input of 256 x 256 (authors' repository), each value of
// an activation counted as one too: 48, 48 and 46 channels in each of 4 blocks.
TEST(Rlfn, WorkOfThePrunedNetworkIsTheChallengeReports) {
  const double macs =
      recognise(test::hollow_tensors(rlfn_layout({.features = 46, .inner = 48, .blocks = 4}))).macs_per_pixel;
  EXPECT_NEAR((macs + 4 * (48 + 48 + 46)) * 256 * 256 / 1e9, 19.70, 0.005 + 0.02);  // as above
}

}  // namespace
}  // namespace upbench
