#include "models/tiling/tile_plan.h"

#include <array>
#include <cmath>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace upbench {
namespace {

using testing::HasSubstr;
using testing::ThrowsMessage;

constexpr std::array kAllModes{TileMode::core_context, TileMode::even_ramp, TileMode::stride_feather,
                               TileMode::half_sine, TileMode::uniform};

// Runs of equal weights are written once: "1x6" is six ones.
std::string weights_text(const std::vector<float>& weights) {
  std::string text;
  for (std::size_t i = 0, next = 0; i < weights.size(); i = next) {
    while (next < weights.size() && weights[next] == weights[i]) ++next;
    text +=
        next - i > 1 ? fmt::format(" {:.4g}x{}", weights[i], next - i) : fmt::format(" {:.4g}", weights[i]);
  }
  return text;
}

// The plan of one row of `length` pixels: a line per tile, a line per boundary.
std::string row_text(int length, int scale, const TileSettings& settings) {
  const TilePlan plan = plan_tiles(1, length, scale, settings);
  std::string text = "\n";
  for (const TileAxis& tile : plan.cols)
    text += fmt::format("read {}-{} keep {}-{}:{}\n", tile.read.begin, tile.read.end, tile.keep.begin,
                        tile.keep.end, weights_text(tile.weights));
  for (const Boundary& boundary : plan.boundaries)
    text +=
        fmt::format("{} {} +- {}\n", boundary.vertical ? "x" : "y", boundary.position, boundary.half_width);
  return text;
}

TEST(TilePlan, CoreContextPastesCoresReadWithContextUpToTheBorder) {
  EXPECT_EQ(row_text(10, 2, {.tile = 4, .context = 3, .mode = TileMode::core_context}), R"(
read 0-7 keep 0-4: 1x8
read 1-10 keep 4-8: 1x8
read 5-10 keep 8-10: 1x4
x 8 +- 0
x 16 +- 0
)");
}

TEST(TilePlan, EvenRampSpreadsTilesAndRampsTheFirstOverlapOfTheLater) {
  EXPECT_EQ(row_text(9, 1, {.tile = 5, .overlap = 2, .mode = TileMode::even_ramp}), R"(
read 0-5 keep 0-4: 1x3 0.5
read 2-7 keep 3-6: 0.5 1 0.5
read 4-9 keep 5-9: 0.5 1x3
x 3 +- 1
x 5 +- 1
)");
}

// 12 = 3 tiles of 6 at 0, 3, 6: neighbours share 3 pixels, more than the overlap of 2, and the later covers
// the rest.
TEST(TilePlan, EvenRampLetsTheLaterTileCoverWhatIsSharedBeyondTheOverlap) {
  EXPECT_EQ(row_text(12, 2, {.tile = 6, .overlap = 2, .mode = TileMode::even_ramp}), R"(
read 0-6 keep 0-5: 1x7 0.75 0.5 0.25
read 3-9 keep 3-8: 0 0.25 0.5 0.75 1x3 0.75 0.5 0.25
read 6-12 keep 6-12: 0 0.25 0.5 0.75 1x8
x 8 +- 2
x 14 +- 2
)");
}

TEST(TilePlan, StrideFeatherKeepsTheStrideAndShortensTheLastTile) {
  EXPECT_EQ(row_text(9, 1, {.tile = 5, .overlap = 2, .mode = TileMode::stride_feather}), R"(
read 0-5 keep 0-5: 1x3 0.6667 0.3333
read 3-8 keep 3-8: 0.3333 0.6667 1 0.6667 0.3333
read 6-9 keep 6-9: 0.3333 0.6667 1
x 4 +- 1
x 7 +- 1
)");
}

// (1 - cos(pi / 6)) / 2 = 0.06699: the two inner of four shared pixels lie at 1/3 and 2/3 of the stretch.
TEST(TilePlan, HalfSineEqualisesCoresAndBlendsTheMiddleHalfOfTheOverlap) {
  EXPECT_EQ(row_text(12, 1, {.tile = 8, .overlap = 4, .mode = TileMode::half_sine}), R"(
read 0-8 keep 0-7: 1x5 0.933 0.06699
read 4-12 keep 5-12: 0.06699 0.933 1x5
x 6 +- 1
)");
}

// Five cores of 5, 5, 5, 5 and 1: the last has one pixel for its side of the shared stretch, so the other
// side has one too.
TEST(TilePlan, HalfSineNarrowsTheBlendWhereTheLastCoreIsShort) {
  EXPECT_EQ(row_text(21, 1, {.tile = 5, .overlap = 4, .mode = TileMode::half_sine}), R"(
read 0-7 keep 0-6: 1x4 0.933 0.06699
read 3-12 keep 4-11: 0.06699 0.933 1x3 0.933 0.06699
read 8-17 keep 9-16: 0.06699 0.933 1x3 0.933 0.06699
read 13-21 keep 14-20: 0.06699 0.933 1x4
read 18-21 keep 20-21: 1
x 5 +- 1
x 10 +- 1
x 15 +- 1
x 20 +- 0.5
)");
}

TEST(TilePlan, HalfSineGivesTheLargerHalfOfAnOddOverlapToTheLaterTile) {
  EXPECT_EQ(row_text(10, 1, {.tile = 5, .overlap = 3, .mode = TileMode::half_sine}), R"(
read 0-6 keep 0-5: 1x4 0.5
read 3-10 keep 4-10: 0.5 1x5
x 4.5 +- 0.75
)");
}

TEST(TilePlan, UniformMovesTheLastTileBackAndAverages) {
  EXPECT_EQ(row_text(9, 1, {.tile = 5, .overlap = 2, .mode = TileMode::uniform}), R"(
read 0-5 keep 0-5: 1x3 0.5 0.3333
read 3-8 keep 3-8: 0.5 0.3333 0.5x3
read 4-9 keep 4-9: 0.3333 0.5x3 1
x 4 +- 1
x 6 +- 2
)");
}

TEST(TilePlan, WithoutOverlapEveryModePastesWithHardBoundaries) {
  for (const TileMode mode : kAllModes) {
    EXPECT_EQ(row_text(8, 1, {.tile = 4, .mode = mode}), R"(
read 0-4 keep 0-4: 1x4
read 4-8 keep 4-8: 1x4
x 4 +- 0
)") << to_string(mode);
  }
}

TEST(TilePlan, HasVerticalBoundariesFirstAndLeavesACoveredSideWhole) {
  const TilePlan plan = plan_tiles(5, 20, 3, {.tile = 8, .context = 2});
  EXPECT_EQ(plan.scale, 3);
  EXPECT_EQ(plan.rows.size(), 1u);
  EXPECT_EQ(plan.cols.size(), 3u);
  EXPECT_THAT(plan.boundaries, testing::ElementsAre(Boundary{true, 24, 0}, Boundary{true, 48, 0}));
  EXPECT_THAT(plan_tiles(20, 10, 3, {.tile = 8}).boundaries,
              testing::ElementsAre(Boundary{true, 24, 0}, Boundary{false, 24, 0}, Boundary{false, 48, 0}));
}

TEST(TilePlan, IsOneTileWithoutBoundariesWhereTheTileCoversThePicture) {
  for (const TileMode mode : kAllModes) {
    for (const int tile : {0, 7, 8, 1000}) {
      EXPECT_EQ(row_text(7, 1, {.tile = tile, .overlap = tile > 0 ? 2 : 0, .mode = mode}), R"(
read 0-7 keep 0-7: 1x7
)") << to_string(mode)
    << ", tile " << tile;
    }
  }
}

// A1111 at its default tile 192 and overlap 8 places the tile at a negative position and blends black into
// the left edge for these sizes.
TEST(TilePlan, IsOneTileForSidesJustBelowTheTile) {
  for (const TileMode mode : kAllModes) {
    for (int side = 185; side <= 192; ++side) {
      const TilePlan plan = plan_tiles(side, side, 4, {.tile = 192, .overlap = 8, .mode = mode});
      ASSERT_EQ(plan.rows.size() * plan.cols.size(), 1u) << to_string(mode) << ", side " << side;
      EXPECT_EQ(plan.cols[0].read, (Span{0, side}));
      EXPECT_EQ(plan.cols[0].weights, std::vector<float>(static_cast<std::size_t>(side) * 4, 1.0f));
      EXPECT_TRUE(plan.boundaries.empty());
    }
  }
}

// (2035 - 192) / 11 * 11 truncates to one less than 2035 - 192: placed by that, no tile would reach the last
// column.
TEST(TilePlan, EvenRampReachesTheLastPixelWhereTruncationFallsShort) {
  const double step = (2035.0 - 192) / 11;
  ASSERT_EQ(static_cast<int>(step * 11), 2035 - 192 - 1);
  const TilePlan plan = plan_tiles(1, 2035, 1, {.tile = 192, .overlap = 8, .mode = TileMode::even_ramp});
  EXPECT_EQ(plan.cols.size(), 12u);
  EXPECT_EQ(plan.cols.back().read, (Span{2035 - 192, 2035}));
}

TEST(TilePlan, IgnoresTheSettingThatTheModeDoesNotUse) {
  const auto text = [](int overlap, int context, TileMode mode) {
    return row_text(30, 2, {8, overlap, context, mode});
  };
  EXPECT_EQ(text(0, 3, TileMode::core_context), text(100, 3, TileMode::core_context));
  EXPECT_EQ(text(4, 0, TileMode::uniform), text(4, 100, TileMode::uniform));
}

// What one axis of any plan must be. `longest` is what a tile may read.
void check_axis(const std::vector<TileAxis>& axis, int length, int scale, int longest) {
  std::vector<double> sums(static_cast<std::size_t>(length) * static_cast<std::size_t>(scale), 0.0);
  for (const TileAxis& tile : axis) {
    ASSERT_TRUE(0 <= tile.read.begin && tile.read.end <= length && tile.read.size() <= longest);
    ASSERT_TRUE(tile.read.begin <= tile.keep.begin && tile.keep.begin < tile.keep.end &&
                tile.keep.end <= tile.read.end);
    ASSERT_EQ(tile.weights.size(), static_cast<std::size_t>(tile.keep.size() * scale));
    std::size_t pixel = static_cast<std::size_t>(tile.keep.begin * scale);
    for (const float weight : tile.weights) {
      ASSERT_TRUE(weight >= 0 && weight <= 1);
      sums[pixel++] += weight;
    }
  }
  // Weights are rounded to float32 once: their sum is off by at most 2^-24.
  for (const double sum : sums) ASSERT_NEAR(sum, 1.0, 1e-6);
}

// Boundaries are all there are: a pixel whose centre lies in none of them comes from a single tile.
void check_boundaries(const TilePlan& plan, bool vertical) {
  const std::vector<TileAxis>& axis = vertical ? plan.cols : plan.rows;
  const int length = axis.back().read.end * plan.scale;
  std::vector<bool> in_boundary(static_cast<std::size_t>(length), false);
  std::size_t count = 0;
  double previous = 0;
  for (const Boundary& boundary : plan.boundaries) {
    if (boundary.vertical != vertical) continue;
    ++count;
    ASSERT_TRUE(previous < boundary.position && boundary.position < length && boundary.half_width >= 0);
    previous = boundary.position;
    for (int pixel = 0; pixel < length; ++pixel)
      if (std::abs(pixel + 0.5 - boundary.position) < boundary.half_width)
        in_boundary[static_cast<std::size_t>(pixel)] = true;
  }
  ASSERT_EQ(count, axis.size() - 1);
  for (const TileAxis& tile : axis) {
    for (std::size_t i = 0; i < tile.weights.size(); ++i) {
      if (in_boundary[static_cast<std::size_t>(tile.keep.begin * plan.scale) + i]) continue;
      ASSERT_TRUE(tile.weights[i] == 0 || tile.weights[i] == 1);
    }
  }
}

TEST(TilePlan, CoversEveryOutputPixelExactlyOnceForAnySizesAndSettings) {
  std::mt19937 random(20240611);
  const auto between = [&random](int least, int most) {
    return std::uniform_int_distribution(least, most)(random);
  };
  for (int trial = 0; trial < 3000; ++trial) {
    const int tile = between(1, 48);
    const TileSettings settings{tile, between(0, tile - 1), between(0, 60),
                                kAllModes[static_cast<std::size_t>(between(0, 4))]};
    const int height = between(1, 200), width = between(1, 200), scale = between(1, 4);
    SCOPED_TRACE(fmt::format("{}x{} x{}, tile {}, overlap {}, context {}, {}", width, height, scale, tile,
                             settings.overlap, settings.context, to_string(settings.mode)));
    const TilePlan plan = plan_tiles(height, width, scale, settings);
    const int longest = settings.mode == TileMode::core_context ? tile + 2 * settings.context
                        : settings.mode == TileMode::half_sine  ? tile + settings.overlap
                                                                : tile;
    check_axis(plan.rows, height, scale, longest);
    check_axis(plan.cols, width, scale, longest);
    check_boundaries(plan, true);
    check_boundaries(plan, false);
    ASSERT_FALSE(HasFatalFailure());
  }
}

void expect_refused(int height, int width, int scale, const TileSettings& settings, const std::string& text) {
  EXPECT_THAT([&] { plan_tiles(height, width, scale, settings); },
              ThrowsMessage<std::invalid_argument>(HasSubstr(text)));
}

TEST(TilePlan, RefusesSettingsThatCannotWork) {
  const TileMode blended = TileMode::even_ramp;
  expect_refused(9, 9, 2, {.tile = -1}, "tile -1: expected 0 (no tiles) or more");
  expect_refused(9, 9, 2, {.tile = 64, .overlap = -1, .mode = blended},
                 "tile 64, overlap -1: expected 0 or more");
  expect_refused(9, 9, 2, {.tile = 64, .context = -2}, "tile 64, context -2: expected 0 or more");
  expect_refused(9, 9, 2, {.tile = 64, .overlap = 64, .mode = blended},
                 "tile 64, overlap 64: the overlap must be smaller than the tile");
  expect_refused(0, 9, 2, {}, "picture of 9x0 pixels at scale 2: expected sides and scale from 1");
  expect_refused(9, 9, 0, {}, "picture of 9x9 pixels at scale 0: expected sides and scale from 1");
  expect_refused(1, 1 << 29, 4, {}, "an output of at most 1073741824 pixels a side");
}

TEST(TileMode, NamesGoBothWays) {
  for (const TileMode mode : kAllModes) EXPECT_EQ(parse_tile_mode(to_string(mode)), mode);
  EXPECT_THAT(
      [] { parse_tile_mode("linear"); },
      ThrowsMessage<std::invalid_argument>(
          "unknown tile mode 'linear'; known: core-context, even-ramp, stride-feather, half-sine, uniform"));
}

}  // namespace
}  // namespace upbench
