#include "models/networks/pan.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "models/networks/registry.h"
#include "tests/models/networks/random_network.h"

namespace upbench {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;

NetworkMatch small(int stages) {
  return recognise(test::hollow_tensors(
      pan_layout({.features = 6, .branch = 2, .enlarged = 4, .blocks = 2, .stages = stages})));
}

TEST(Pan, TwoEnlargementsAreTimesFour) {
  const NetworkMatch match = small(2);
  EXPECT_EQ(match.architecture, "PAN");
  EXPECT_EQ(match.scale, 4);
  EXPECT_THAT(match.hyper_parameters, ElementsAre(Pair("features", "6"), Pair("branch", "2"),
                                                  Pair("enlarged", "4"), Pair("blocks", "2")));
  EXPECT_EQ(test::random_output(match, 5, 7).sizes(), at::IntArrayRef({2, 3, 20, 28}));
}

// Their tensors are the same: the pictures choose.
TEST(Pan, OneEnlargementIsTimesTwoOrThree) {
  const NetworkMatch match = small(1);
  EXPECT_EQ(match.architecture, "PAN");
  EXPECT_EQ(match.scale, 0);
  EXPECT_THAT(match.scales, ElementsAre(2, 3));
  EXPECT_THAT(match.recognised_by, HasSubstr("x2 or x3, whose networks have the same tensors"));
  const NamedTensors weights = test::random_tensors(match.layout, 3);
  const at::Tensor x = at::rand({2, 3, 5, 7});
  EXPECT_EQ(match.bind_at(weights, 2)(x).sizes(), at::IntArrayRef({2, 3, 10, 14}));
  EXPECT_EQ(match.bind_at(weights, 3)(x).sizes(), at::IntArrayRef({2, 3, 15, 21}));
}

TEST(Pan, NothingBeyondTheReceptiveRadiusMatters) {
  for (const int scale : {2, 3, 4}) {
    const NetworkMatch match = small(scale == 4 ? 2 : 1);
    EXPECT_EQ(match.receptive_radius, 8);
    NamedTensors weights = test::random_tensors(match.layout, 3);
    for (auto& [name, tensor] : weights)
      tensor = tensor.to(at::kDouble);  // float32 loses the rim of the field
    const NetworkFunction network = scale == 4 ? match.bind(weights) : match.bind_at(weights, scale);
    const int measured = test::measured_radius(
        [&](const at::Tensor& x) { return network(x.to(at::kDouble)); }, scale, 1, match.receptive_radius);
    if (scale == 3) {
      EXPECT_LE(measured, match.receptive_radius);
    } else {
      EXPECT_EQ(measured, match.receptive_radius);
    }
  }
}

// The network adds to the input enlarged bilinearly: without weights that is all.
TEST(Pan, WithoutWeightsTheInputIsEnlargedBilinearly) {
  const NetworkMatch match = small(2);
  NamedTensors weights;
  for (const auto& [name, expected] : match.layout) weights[name] = at::zeros(expected.shape);
  const at::Tensor x = at::rand({1, 3, 5, 4});
  EXPECT_TRUE(at::equal(match.bind(weights)(x), at::upsample_bilinear2d(x, {20, 16}, false)));
}

// Table 1 of the paper: multiply-adds for an output of 1280 x 720.
TEST(Pan, WorkIsThePapers) {
  EXPECT_EQ(recognise(test::hollow_tensors(pan_layout({}))).macs_per_pixel, 488'952);
  EXPECT_NEAR(488'952.0 * 320 * 180 / 1e9, 28.2, 0.05);  // half a unit of the paper's last digit
  const double twice = recognise(test::hollow_tensors(pan_layout({.stages = 1}))).macs_by_scale.at(2);
  EXPECT_NEAR(twice * 640 * 360 / 1e9, 70.5, 0.05);
}

}  // namespace
}  // namespace upbench
