#include "models/diffusion/tiled/fused_tiles.h"

#include <cmath>
#include <stdexcept>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace upbench::test {
namespace {

using ::testing::ElementsAre;

// Of each latent of a side, over the tiles.
std::vector<double> sums(const FusedAxis& axis, int length) {
  std::vector<double> sum(static_cast<std::size_t>(length), 0.0);
  for (std::size_t t = 0; t < axis.begins.size(); ++t)
    for (int i = 0; i < axis.size; ++i)
      sum[static_cast<std::size_t>(axis.begins[t] + i)] += axis.weights[t][static_cast<std::size_t>(i)];
  return sum;
}

// cols = ceil((w - ov) / (tw - ov)), x = int(i dx): 200 latents, tiles of 96, overlap 8: 3 tiles, dx 52.
TEST(FusedTiles, LieEvenly) {
  const FusedGrid grid = fused_grid(200, 96, {});
  EXPECT_THAT(grid.columns.begins, ElementsAre(0, 52, 104));
  EXPECT_THAT(grid.rows.begins, ElementsAre(0)) << "one that covers the side";
  EXPECT_THAT(fused_grid(205, 96, {}).columns.begins, ElementsAre(0, 54, 109)) << "54.5 is truncated";
}

TEST(FusedTiles, ATileThatIsLargerIsThePicture) {
  const FusedGrid grid = fused_grid(40, 30, {});
  EXPECT_EQ(grid.tiles(), 1u);
  EXPECT_EQ(grid.columns.size, 40);
  EXPECT_EQ(grid.rows.size, 30);
  for (const Fusion mode : {Fusion::multidiffusion, Fusion::mixture}) {
    const FusedGrid whole = fused_grid(40, 30, {.mode = mode});
    for (const double weight : whole.columns.weights[0]) EXPECT_EQ(weight, 1.0);
  }
}

TEST(FusedTiles, OfMultiDiffusionCountTheSame) {
  const FusedGrid grid = fused_grid(20, 20, {.width = 12, .height = 20, .overlap = 4});
  ASSERT_THAT(grid.columns.begins, ElementsAre(0, 8));
  for (int i = 0; i < 12; ++i)
    EXPECT_EQ(grid.columns.weights[0][static_cast<std::size_t>(i)], i < 8 ? 1.0 : 0.5) << i;
}

// Weights of the extension: g(x; (tw - 1) / 2) across, g(y; th / 2) down, variance 0.01 tw^2 on both.
TEST(FusedTiles, OfMixtureCountByAGaussian) {
  const FusedGrid grid =
      fused_grid(20, 24, {.mode = Fusion::mixture, .width = 12, .height = 16, .overlap = 4});
  ASSERT_THAT(grid.columns.begins, ElementsAre(0, 8));
  ASSERT_THAT(grid.rows.begins, ElementsAre(0, 8));
  const auto g = [](double i, double middle) {
    return std::exp(-(i - middle) * (i - middle) / (2 * 0.01 * 12 * 12));
  };
  for (int x = 8; x < 12; ++x) {
    const double left = g(x, 5.5), right = g(x - 8, 5.5);
    EXPECT_NEAR(grid.columns.weights[0][static_cast<std::size_t>(x)], left / (left + right), 1e-12) << x;
  }
  for (int y = 8; y < 16; ++y) {
    const double upper = g(y, 8), lower = g(y - 8, 8);
    EXPECT_NEAR(grid.rows.weights[0][static_cast<std::size_t>(y)], upper / (upper + lower), 1e-12) << y;
  }
}

// A tile 12 times as high as it is wide: its Gaussian, a tenth of the width on both axes, is 0 in double.
TEST(FusedTiles, WeightsAreNumbersWhereTheGaussianIsNone) {
  const FusedGrid grid =
      fused_grid(8, 200, {.mode = Fusion::mixture, .width = 8, .height = 96, .overlap = 2});
  for (const double sum : sums(grid.rows, 200)) EXPECT_NEAR(sum, 1, 1e-12);
}

TEST(FusedTiles, WeightsOfEveryLatentSumToOne) {
  for (const Fusion mode : {Fusion::multidiffusion, Fusion::mixture})
    for (const bool jitter : {false, true})
      for (int length = 5; length < 60; ++length)
        for (const double share : {0.0, 0.3, 0.999}) {
          const FusedGrid grid = fused_grid(
              length, length, {.mode = mode, .width = 16, .height = 13, .overlap = 5, .jitter = jitter},
              share, share);
          for (const FusedAxis* axis : {&grid.columns, &grid.rows})
            for (const double sum : sums(*axis, length)) ASSERT_NEAR(sum, 1, 1e-12) << length << " " << share;
        }
}

TEST(FusedTiles, JitterMovesTheTiles) {
  const FusionSettings settings{.width = 16, .height = 16, .overlap = 4, .jitter = true};
  EXPECT_THAT(fused_grid(40, 16, settings, 0).columns.begins, ElementsAre(0, 12, 24));
  EXPECT_THAT(fused_grid(40, 16, settings, 0.5).columns.begins, ElementsAre(0, 6, 18, 24));
  EXPECT_EQ(fused_grid(16, 16, settings, 0.5).tiles(), 1u) << "a tile that covers the picture stays";
}

TEST(FusedTiles, BoundariesAreTheOverlaps) {
  const FusedGrid grid = fused_grid(20, 12, {.width = 12, .height = 12, .overlap = 4});
  EXPECT_THAT(fused_boundaries(grid, 8), ElementsAre(Boundary{true, 80, 16})) << "latents 8 .. 12";
}

TEST(FusedTiles, OverlapsThatDoNotFitAreRefused) {
  EXPECT_THROW(fused_grid(20, 20, {.width = 8, .height = 16, .overlap = 8}), std::invalid_argument);
  EXPECT_THROW(fused_grid(20, 20, {.width = 8, .height = 16, .overlap = -1}), std::invalid_argument);
}

}  // namespace
}  // namespace upbench::test
