#include "models/diffusion/tiled/redraw_plan.h"

#include <set>
#include <stdexcept>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace upbench::test {
namespace {

using ::testing::ElementsAre;

std::vector<PixelBox> masks(const std::vector<RedrawJob>& jobs) {
  std::vector<PixelBox> boxes;
  for (const RedrawJob& job : jobs) boxes.push_back(job.mask);
  return boxes;
}

std::size_t count(const std::vector<RedrawJob>& jobs, RedrawPass pass) {
  std::size_t n = 0;
  for (const RedrawJob& job : jobs) n += job.pass == pass;
  return n;
}

// Cores from 0, 0 and not spread evenly; each mask has one pixel more to the right and below.
TEST(RedrawPlan, LinearGoesRowByRow) {
  const auto jobs = redraw_jobs(1024, 600, {});
  EXPECT_THAT(masks(jobs), ElementsAre(PixelBox{0, 0, 513, 513}, PixelBox{512, 0, 1025, 513},
                                       PixelBox{0, 512, 513, 1025}, PixelBox{512, 512, 1025, 1025}));
}

TEST(RedrawPlan, ChessTakesEvenCellsFirst) {
  const auto jobs = redraw_jobs(48, 32, {.tile_width = 16, .tile_height = 16, .order = RedrawOrder::chess});
  EXPECT_THAT(masks(jobs),
              ElementsAre(PixelBox{0, 0, 17, 17}, PixelBox{32, 0, 49, 17}, PixelBox{16, 16, 33, 33},
                          PixelBox{16, 0, 33, 17}, PixelBox{0, 16, 17, 33}, PixelBox{32, 16, 49, 33}));
}

// 512 + 32 -> 576, 1024 + 32 -> 1088 (the scripts' rounding to 64); the port processes 512 + 2 x 32.
TEST(RedrawPlan, TilesAreProcessedAtTheToolsSizes) {
  const auto size = [](int tile, int padding, CropRule rule) {
    const auto jobs =
        redraw_jobs(2048, 2048, {.tile_width = tile, .tile_height = tile, .crops = rule, .padding = padding});
    return processing_size(jobs.at(0), rule, 2048, 2048).width;
  };
  EXPECT_EQ(size(512, 32, CropRule::a1111), 576);
  EXPECT_EQ(size(1024, 32, CropRule::a1111), 1088);
  EXPECT_EQ(size(512, 0, CropRule::a1111), 512);
  EXPECT_EQ(size(512, 32, CropRule::comfy), 576);
  EXPECT_EQ(size(500, 3, CropRule::comfy), 512) << "506 rounded up to 8";
  EXPECT_EQ(size(512, 32, CropRule::comfy_minimal), 544) << "a corner: 512 + 32";
}

// rows + columns - 2 bands; rows (columns - 1) + (rows - 1) columns half tiles; (rows - 1)(columns - 1)
// intersections.
TEST(RedrawPlan, SeamPassesHaveTheScriptsCounts) {
  RedrawSettings settings{.tile_width = 100, .tile_height = 50, .seam_fix = SeamFix::band};
  const auto jobs = [&] { return redraw_jobs(400, 150, settings); };  // 4 columns, 3 rows
  EXPECT_EQ(count(jobs(), RedrawPass::tiles), 12u);
  EXPECT_EQ(count(jobs(), RedrawPass::bands), 4u + 3 - 2);
  settings.seam_fix = SeamFix::half_tile;
  EXPECT_EQ(count(jobs(), RedrawPass::half_tiles), 3u * 3 + 2 * 4);
  EXPECT_EQ(count(jobs(), RedrawPass::corners), 0u);
  settings.seam_fix = SeamFix::half_tile_and_corners;
  EXPECT_EQ(count(jobs(), RedrawPass::half_tiles), 17u);
  EXPECT_EQ(count(jobs(), RedrawPass::corners), 2u * 3);
  settings.order = RedrawOrder::none;
  EXPECT_EQ(jobs().size(), 17u + 6) << "no tile is redrawn, seams are";
}

TEST(RedrawPlan, BandsSpanThePictureAndAreProcessedWhole) {
  const auto jobs = redraw_jobs(1024, 768, {.order = RedrawOrder::none, .seam_fix = SeamFix::band});
  ASSERT_EQ(jobs.size(), 2u);
  EXPECT_EQ(jobs[0].mask, (PixelBox{480, 0, 544, 768}));
  EXPECT_EQ(jobs[0].shape, MaskShape::across);
  EXPECT_EQ(jobs[0].width, 64 + 2 * 16);
  EXPECT_EQ(jobs[0].height, 768);
  EXPECT_EQ(jobs[0].blur, 0);
  EXPECT_EQ(jobs[1].mask, (PixelBox{0, 480, 1024, 544}));
  EXPECT_EQ(jobs[1].width, 1024);
}

TEST(RedrawPlan, HalfTilesLieOnTheSeams) {
  const auto jobs = redraw_jobs(64, 64,
                                {.tile_width = 32,
                                 .tile_height = 32,
                                 .order = RedrawOrder::none,
                                 .seam_fix = SeamFix::half_tile_and_corners});
  EXPECT_THAT(masks(jobs),
              ElementsAre(PixelBox{0, 16, 32, 48}, PixelBox{32, 16, 64, 48}, PixelBox{16, 0, 48, 32},
                          PixelBox{16, 32, 48, 64}, PixelBox{16, 16, 48, 48}));
  EXPECT_EQ(jobs[0].shape, MaskShape::down);
  EXPECT_EQ(jobs[2].shape, MaskShape::across);
  EXPECT_EQ(jobs[4].shape, MaskShape::from_centre);
  EXPECT_EQ(jobs[0].padding, 16);
  EXPECT_EQ(jobs[0].blur, 4);
  EXPECT_EQ(jobs[4].padding, 0);
  EXPECT_EQ(jobs[4].width, 32);
}

TEST(RedrawPlan, BoundariesAreTheSeamsAndTheirBlur) {
  const auto lines = redraw_boundaries(1024, 600, {});
  EXPECT_THAT(lines, ElementsAre(Boundary{true, 512, 20}, Boundary{false, 512, 20})) << "2.5 x 8";
  EXPECT_TRUE(redraw_boundaries(512, 512, {}).empty());
  const auto banded = redraw_boundaries(1024, 512, {.seam_fix = SeamFix::band});
  EXPECT_THAT(banded, ElementsAre(Boundary{true, 512, 20}, Boundary{true, 496, 16}, Boundary{true, 528, 16}));
  const auto crossed = redraw_boundaries(
      64, 32, {.tile_width = 32, .tile_height = 32, .blur = 2, .seam_fix = SeamFix::half_tile_and_corners});
  EXPECT_THAT(crossed, ElementsAre(Boundary{true, 32, 5}, Boundary{true, 24, 8}, Boundary{true, 40, 8},
                                   Boundary{true, 16, 10}, Boundary{true, 48, 10}));
}

TEST(RedrawPlan, ReachOfTheBlurIsTruncated) {
  EXPECT_EQ(blur_reach(0), 0);
  EXPECT_EQ(blur_reach(1), 3);
  EXPECT_EQ(blur_reach(2), 5);
  EXPECT_EQ(blur_reach(3), 8);
  EXPECT_EQ(blur_reach(8), 20);
}

TEST(RedrawPlan, SettingsOutOfRangeAreRefused) {
  EXPECT_THROW(redraw_jobs(0, 10, {}), std::invalid_argument);
  EXPECT_THROW(redraw_jobs(10, 10, {.tile_width = 1}), std::invalid_argument);
  EXPECT_THROW(redraw_jobs(10, 10, {.blur = -1}), std::invalid_argument);
  EXPECT_THROW(redraw_jobs(10, 10, {.seam_width = 1}), std::invalid_argument);
}

}  // namespace
}  // namespace upbench::test
