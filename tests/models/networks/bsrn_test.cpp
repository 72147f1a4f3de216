#include "models/networks/bsrn.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "models/networks/registry.h"
#include "tests/models/networks/random_network.h"

namespace upbench {
namespace {

using testing::ElementsAre;
using testing::Pair;

TEST(Bsrn, EveryScaleIsRecognisedFromNamesAndShapes) {
  for (const int scale : {1, 2, 3, 4}) {
    const NetworkMatch match = recognise(test::hollow_tensors(bsrn_layout(
        {.features = 6, .distilled = 2, .attention = 3, .squeezed = 1, .blocks = 2, .scale = scale})));
    EXPECT_EQ(match.architecture, "BSRN");
    EXPECT_EQ(match.scale, scale);
    EXPECT_EQ(match.minimum_size, 15);
    EXPECT_EQ(match.receptive_radius, -1);
    EXPECT_THAT(match.hyper_parameters,
                ElementsAre(Pair("features", "6"), Pair("distilled", "2"), Pair("attention", "3"),
                            Pair("squeezed", "1"), Pair("blocks", "2")));
    EXPECT_EQ(test::random_output(match, 15, 17).sizes(), at::IntArrayRef({2, 3, 15 * scale, 17 * scale}));
  }
}

// Table 3 of the paper: 73.0, 33.3 and 19.4 G for an output of 1280 x 720. They fit if the addition of each
// bias and the values of each average count as well: a block has biases of 3 32, 3 64, 32, 64 and in its
// attention 16 + 16 + 64 and 16 on a quarter of the pixels, and averages 64 channels; outside are 64 + 64 +
// 64 + 3 scale^2.
TEST(Bsrn, WorkIsThePapers) {
  const auto giga = [](int scale) {
    const double macs = recognise(test::hollow_tensors(bsrn_layout({.scale = scale}))).macs_per_pixel;
    const double rest = 8 * (96 + 192 + 32 + 64 + 96 + 4 + 64) + 192 + 3 * scale * scale;
    return (macs + rest) * 1280 * 720 / (scale * scale) / 1e9;
  };
  EXPECT_NEAR(giga(2), 73.0, 0.05);  // half a unit of the paper's last digit
  EXPECT_NEAR(giga(3), 33.3, 0.05);
  EXPECT_NEAR(giga(4), 19.4, 0.05);
}

}  // namespace
}  // namespace upbench
