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

TEST(Pan, OneEnlargementIsTimesTwoAndTwoAreTimesFour) {
  for (const int stages : {1, 2}) {
    const NetworkMatch match = small(stages);
    EXPECT_EQ(match.architecture, "PAN");
    EXPECT_EQ(match.scale, 2 * stages);
    EXPECT_THAT(match.hyper_parameters, ElementsAre(Pair("features", "6"), Pair("branch", "2"),
                                                    Pair("enlarged", "4"), Pair("blocks", "2")));
    EXPECT_EQ(test::random_output(match, 5, 7).sizes(), at::IntArrayRef({2, 3, 10 * stages, 14 * stages}));
  }
}

TEST(Pan, OneEnlargementSaysThatItCouldAlsoBeTimesThree) {
  EXPECT_THAT(small(1).recognised_by, HasSubstr("a x3 network has the same tensors; taken as x2"));
}

TEST(Pan, NothingBeyondTheReceptiveRadiusMatters) {
  for (const int stages : {1, 2}) {
    const NetworkMatch match = small(stages);
    EXPECT_EQ(match.receptive_radius, 8);
    NamedTensors weights = test::random_tensors(match.layout, 3);
    for (auto& [name, tensor] : weights)
      tensor = tensor.to(at::kDouble);  // float32 loses the rim of the field
    const NetworkFunction network = match.bind(weights);
    EXPECT_EQ(test::measured_radius([&](const at::Tensor& x) { return network(x.to(at::kDouble)); },
                                    match.scale, 1, match.receptive_radius),
              match.receptive_radius);
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
  const double twice = recognise(test::hollow_tensors(pan_layout({.stages = 1}))).macs_per_pixel;
  EXPECT_NEAR(twice * 640 * 360 / 1e9, 70.5, 0.05);
}

}  // namespace
}  // namespace upbench
