#include "models/networks/efdn.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "models/networks/registry.h"
#include "tests/models/networks/random_network.h"

namespace upbench {
namespace {

using testing::ElementsAre;
using testing::Pair;

TEST(Efdn, EveryScaleIsRecognisedFromNamesAndShapes) {
  for (const int scale : {1, 2, 3, 4}) {
    const NetworkMatch match = recognise(
        test::hollow_tensors(efdn_layout({.features = 6, .distilled = 2, .attention = 3, .scale = scale})));
    EXPECT_EQ(match.architecture, "EFDN");
    EXPECT_EQ(match.scale, scale);
    EXPECT_EQ(match.minimum_size, 15);
    EXPECT_EQ(match.receptive_radius, -1);
    EXPECT_THAT(match.hyper_parameters,
                ElementsAre(Pair("features", "6"), Pair("distilled", "2"), Pair("attention", "3")));
    EXPECT_EQ(test::random_output(match, 15, 17).sizes(), at::IntArrayRef({2, 3, 15 * scale, 17 * scale}));
  }
}

// By hand, per pixel of 64 x 64: 27 48 first; a cell has 48 48 + 2 9 48 48, 4 48 24 and 96 48, its attention
// 48 12, 12 12, 12 48, and of 9 12 12 one on 31 x 31 and three on 9 x 9 of the 64 x 64; 3 96 48 between the
// cells; 9 48 48 last.
TEST(Efdn, WorkIsThatCountedByHand) {
  const double cell =
      2304 + 41'472 + 4608 + 4608 + 576 + 144 + 576 + 1296.0 * (31 * 31 + 3 * 9 * 9) / (64 * 64);
  EXPECT_DOUBLE_EQ(recognise(test::hollow_tensors(efdn_layout({}))).macs_per_pixel,
                   1296 + 4 * cell + 13'824 + 20'736);
}

}  // namespace
}  // namespace upbench
