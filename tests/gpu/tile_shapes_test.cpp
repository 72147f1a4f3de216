// How many shapes the tiles of a picture have, which is how many graphs a network needs: docs/gpu.md, "Shapes
// of tiles".
#include <set>
#include <utility>

#include <gtest/gtest.h>

#include "models/tiling/tile_plan.h"

namespace upbench {
namespace {

// Of what is read of a square picture.
std::size_t shapes(int side, const TileSettings& settings) {
  const TilePlan plan = plan_tiles(side, side, 2, settings);
  std::set<std::pair<int, int>> found;
  for (const TileAxis& row : plan.rows)
    for (const TileAxis& column : plan.cols) found.emplace(row.read.size(), column.read.size());
  return found.size();
}

TEST(TileShapes, AreOneWhereTheLastTileIsMovedBack) {
  for (const TileMode mode : {TileMode::even_ramp, TileMode::uniform})
    for (const int side : {82, 95, 96, 100})
      EXPECT_EQ(shapes(side, {.tile = 20, .overlap = 8, .mode = mode}), 1u) << to_string(mode) << side;
}

// Tiles of 20, 12 apart: the last one begins at 84 and has 11, or at 72 and has all 20.
TEST(TileShapes, OfAFixedStrideAreFourWhereTheLastTileIsShort) {
  const TileSettings settings{.tile = 20, .overlap = 8, .mode = TileMode::stride_feather};
  EXPECT_EQ(shapes(95, settings), 4u);
  EXPECT_EQ(shapes(92, settings), 1u);
}

// Cores of 20 with 3 more pixels where there are any. Of 100 pixels 23, 26, 26, 26, 23; of 95 the last one is
// 18; of 82 the last core has 2, so that its own reads 5 and the one before it 25.
TEST(TileShapes, OfCoresWithContextAreUsuallyNine) {
  const TileSettings settings{.tile = 20, .context = 3, .mode = TileMode::core_context};
  EXPECT_EQ(shapes(100, settings), 4u);
  EXPECT_EQ(shapes(95, settings), 9u);
  EXPECT_EQ(shapes(82, settings), 16u);
}

// Cores as equal as they can be, with half of the overlap on each side. Of 95 five of 19; of 96 four of 20
// and one of 16; of 50, at most 8 large, six of 8 and one of 2, which the one before it would read beyond.
TEST(TileShapes, OfEqualisedCoresAreUsuallyNine) {
  const auto half_sine = [](int tile, int overlap) {
    return TileSettings{.tile = tile, .overlap = overlap, .mode = TileMode::half_sine};
  };
  EXPECT_EQ(shapes(95, half_sine(20, 8)), 4u);
  EXPECT_EQ(shapes(96, half_sine(20, 8)), 9u);
  EXPECT_EQ(shapes(50, half_sine(8, 6)), 16u);
}

}  // namespace
}  // namespace upbench
