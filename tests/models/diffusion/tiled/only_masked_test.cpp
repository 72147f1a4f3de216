#include "models/diffusion/tiled/only_masked.h"

#include <cmath>

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "models/diffusion/tiled/redraw_tiles.h"

namespace upbench::test {
namespace {

RedrawJob square(int left, int top, int side, int processed, int blur, int padding) {
  return {.mask = {left, top, left + side, top + side},
          .width = processed,
          .height = processed,
          .blur = blur,
          .padding = padding};
}

MaskedRegion region_of(const RedrawJob& job, CropRule rule, int width, int height) {
  return masked_region(draw_mask(job, width, height), job, rule, width, height);
}

// One interior tile of a large picture, by the published table of A1111's crops at padding 32: tile, blur ->
// crop. OpenCV's fixed-point kernel ends a pixel or two earlier than int(2.5 b + 0.5), since the last taps
// round to 0.
TEST(OnlyMasked, CropsAreLargerThanTheProcessingSizeInA1111) {
  struct Row {
    int tile, blur, crop;
  };
  for (const auto& [tile, blur, crop] : {Row{512, 2, 587},
                                         {512, 4, 597},
                                         {512, 8, 617},
                                         {512, 16, 655},
                                         {512, 32, 731},
                                         {1024, 2, 1099},
                                         {1024, 4, 1109},
                                         {1024, 8, 1129},
                                         {1024, 16, 1167},
                                         {1024, 32, 1243}}) {
    const auto jobs =
        redraw_jobs(3 * tile, 3 * tile, {.tile_width = tile, .tile_height = tile, .blur = blur});
    const MaskedRegion region = region_of(jobs[4], CropRule::a1111, 3 * tile, 3 * tile);
    EXPECT_NEAR(region.crop.width(), crop, 4) << tile << " " << blur << ": up to 2 pixels a side";
    EXPECT_EQ(region.crop.width(), region.crop.height());
    EXPECT_NEAR(region.scale_across(), static_cast<double>(region.width) / crop, 0.006);
  }
}

TEST(OnlyMasked, TilesOfTheComfyPortAreNotResampled) {
  for (int tile : {0, 1, 3, 4, 8}) {
    const auto jobs = redraw_jobs(1536, 1536, {.crops = CropRule::comfy});
    const MaskedRegion region = region_of(jobs[static_cast<std::size_t>(tile)], CropRule::comfy, 1536, 1536);
    EXPECT_EQ(region.crop.width(), 576) << "grown and shifted to the tile's size at borders too";
    EXPECT_EQ(region.scale_across(), 1);
    EXPECT_EQ(region.scale_down(), 1);
  }
}

TEST(OnlyMasked, WithoutUniformTilesCropsAreAsSmallAsTheyCanBe) {
  const auto jobs = redraw_jobs(1536, 1536, {.crops = CropRule::comfy_minimal});
  const MaskedRegion corner = region_of(jobs[0], CropRule::comfy_minimal, 1536, 1536);
  EXPECT_EQ(corner.crop, (PixelBox{0, 0, 544, 544}));
  const MaskedRegion middle = region_of(jobs[4], CropRule::comfy_minimal, 1536, 1536);
  EXPECT_EQ(middle.crop, (PixelBox{480, 480, 1056, 1056}));
}

// 40 x 40 to the shape 2 : 1: 20 pixels to each side, or shifted, or cut.
TEST(OnlyMasked, TheShortSideGrowsInsideThePicture) {
  EXPECT_EQ(grown_to_shape({50, 50, 90, 90}, 100, 50, 200, 200), (PixelBox{30, 50, 110, 90}));
  EXPECT_EQ(grown_to_shape({10, 50, 50, 90}, 100, 50, 200, 200), (PixelBox{0, 50, 80, 90}));
  EXPECT_EQ(grown_to_shape({155, 50, 195, 90}, 100, 50, 200, 200), (PixelBox{120, 50, 200, 90}));
  EXPECT_EQ(grown_to_shape({10, 50, 50, 90}, 100, 50, 60, 200), (PixelBox{0, 50, 60, 90}));
  EXPECT_EQ(grown_to_shape({50, 50, 90, 90}, 50, 100, 200, 200), (PixelBox{50, 30, 90, 110}));
  EXPECT_EQ(grown_to_shape({50, 50, 91, 90}, 64, 64, 200, 200), (PixelBox{50, 50, 91, 91}))
      << "the odd pixel goes below";
}

// The Gaussian of the page, summed in double.
TEST(OnlyMasked, MasksAreBlurredByAGaussian) {
  constexpr int kBlur = 3, kReach = 8;
  const LocalMask mask = draw_mask(square(20, 24, 11, 64, kBlur, 0), 60, 60);
  const LocalMask made = blurred(mask, kBlur, CropRule::a1111, 60, 60);
  double taps[2 * kReach + 1], sum = 0;
  for (int i = -kReach; i <= kReach; ++i) sum += taps[i + kReach] = std::exp(-i * i / (2.0 * kBlur * kBlur));
  const auto along = [&](int at, int begin) {
    double share = 0;
    for (int i = -kReach; i <= kReach; ++i)
      if (at + i >= begin && at + i < begin + 11) share += taps[i + kReach] / sum;
    return share;
  };
  for (int y = made.box.top; y < made.box.bottom; ++y)
    for (int x = made.box.left; x < made.box.right; ++x)
      ASSERT_NEAR(made.levels[y - made.box.top][x - made.box.left].item<int>(),
                  255 * along(x, 20) * along(y, 24), 2)
          << "8-bit weights, rounded twice";
}

TEST(OnlyMasked, AWhitePictureStaysWhite) {
  for (const CropRule rule : {CropRule::a1111, CropRule::comfy}) {
    const LocalMask made = blurred(draw_mask(square(-5, -5, 100, 64, 8, 0), 60, 50), 8, rule, 60, 50);
    EXPECT_EQ(made.levels.min().item<int>(), 255) << "the picture is mirrored or repeated at its edges";
  }
}

TEST(OnlyMasked, BlurOfALocalMaskIsThatOfTheWhole) {
  for (const CropRule rule : {CropRule::a1111, CropRule::comfy}) {
    const LocalMask local = draw_mask(square(90, 3, 20, 64, 4, 0), 200, 120);
    LocalMask whole{{0, 0, 200, 120}, at::zeros({120, 200}, at::kByte)};
    whole.levels.slice(0, 3, 23).slice(1, 90, 110).fill_(255);
    const LocalMask a = blurred(local, 4, rule, 200, 120), b = blurred(whole, 4, rule, 200, 120);
    at::Tensor placed = at::zeros({120, 200}, at::kByte);
    placed.slice(0, a.box.top, a.box.bottom).slice(1, a.box.left, a.box.right).copy_(a.levels);
    EXPECT_TRUE(at::equal(placed, b.levels));
  }
}

TEST(OnlyMasked, LatentMasksAreRounded) {
  const RedrawJob job = square(32, 32, 64, 128, 6, 32);
  const at::Tensor mask = latent_mask(region_of(job, CropRule::a1111, 128, 128), 8);
  ASSERT_EQ(mask.sizes(), at::IntArrayRef({1, 1, 16, 16}));
  EXPECT_TRUE(((mask == 0) + (mask == 1)).all().item<bool>());
  EXPECT_EQ(mask.slice(2, 5, 11).slice(3, 5, 11).min().item<float>(), 1);
  EXPECT_EQ(mask.slice(2, 0, 3).max().item<float>(), 0);
  EXPECT_FALSE(latent_mask(region_of(job, CropRule::comfy, 128, 128), 8).defined());
}

TEST(OnlyMasked, WhatIsMadeIsTruncatedTo8Bit) {
  const MaskedRegion region = region_of(square(0, 0, 64, 64, 0, 0), CropRule::a1111, 64, 64);
  const Image picture = at::zeros({3, 64, 64});
  const Image made = composited(picture, at::full({3, 64, 64}, 100.9F / 255), region);
  EXPECT_EQ((made * 255).round().max().item<float>(), 100);
  EXPECT_EQ((made * 255).round().min().item<float>(), 100);
  EXPECT_EQ(composited(picture, at::full({3, 64, 64}, 7.0F), region).max().item<float>(), 1);
}

TEST(OnlyMasked, WhatTheMaskDoesNotReachStays) {
  at::manual_seed(3);
  const Image picture = at::randint(0, 256, {3, 128, 128}) / 255;
  const MaskedRegion region = region_of(square(40, 40, 20, 64, 2, 8), CropRule::a1111, 128, 128);
  const Image made = composited(picture, at::zeros({3, 64, 64}), region);
  const at::Tensor changed = (made != picture).any(0);
  EXPECT_TRUE(changed.slice(0, 40, 60).slice(1, 40, 60).any().item<bool>());
  EXPECT_FALSE(changed.slice(0, 0, 35).any().item<bool>());
  EXPECT_FALSE(changed.slice(1, 65, 128).any().item<bool>());
}

TEST(OnlyMasked, MasksOutsideOrBlackAreRefused) {
  EXPECT_THROW(draw_mask(square(100, 0, 10, 64, 0, 0), 50, 50), std::invalid_argument);
  EXPECT_THROW(bounding_box({{0, 0, 4, 4}, at::zeros({4, 4}, at::kByte)}), std::invalid_argument);
}

// ---- the whole run with networks of which the answer is known

Image smooth_picture(int width, int height) {
  const at::Tensor x = at::arange(width, at::kFloat) / width, y = at::arange(height, at::kFloat) / height;
  const at::Tensor wave = at::sin(x * 6).unsqueeze(0) * at::cos(y * 5).unsqueeze(1) * 0.4F + 0.5F;
  return at::stack({wave, 1 - wave, wave * 0.5F + 0.2F}).contiguous();
}

RedrawSettings every_pass(CropRule rule) {
  return {.tile_width = 64,
          .tile_height = 64,
          .crops = rule,
          .blur = 4,
          .padding = 16,
          .seam_fix = SeamFix::half_tile_and_corners};
}

// A network that gives back what it sees, and no resampling: not one value changes, so there are no seams.
// (The truncation to 8 bit is met with half a level more, as an autoencoder may be off by.)
TEST(RedrawTiles, APerfectNetworkLeavesThePicture) {
  at::manual_seed(5);
  const Image picture = at::randint(0, 256, {3, 160, 224}) / 255;
  for (const RedrawOrder order : {RedrawOrder::linear, RedrawOrder::chess}) {
    RedrawSettings settings = every_pass(CropRule::comfy);
    settings.order = order;
    settings.seam_fix = SeamFix::none;
    const Image made = redraw_tiles(picture, redraw_jobs(224, 160, settings), CropRule::comfy, 8,
                                    [](const RedrawPiece& piece) { return piece.picture + 0.5F / 255; });
    EXPECT_TRUE(at::equal(made, picture));
  }
}

// A1111 resamples; on a smooth picture Lanczos there and back is off by rounding alone, at seams as
// elsewhere, but for the picture's own edges, over which it cannot look.
TEST(RedrawTiles, APerfectNetworkMakesNoSeams) {
  const Image picture = smooth_picture(224, 160);
  for (const CropRule rule : {CropRule::a1111, CropRule::comfy, CropRule::comfy_minimal}) {
    const auto jobs = redraw_jobs(224, 160, every_pass(rule));
    const Image made = redraw_tiles(picture, jobs, rule, 8,
                                    [](const RedrawPiece& piece) { return piece.picture + 0.5F / 255; });
    constexpr int kEdge = 8;
    const at::Tensor off = ((made - picture) * 255).slice(1, kEdge, -kEdge).slice(2, kEdge, -kEdge);
    // Rounding; A1111's paste cuts off what it divides by the picture's share: up to some levels a pass where
    // a mask is soft and nearly white (the same bytes as Pillow's, see RedrawPeers).
    EXPECT_LE(off.abs().max().item<double>(), rule == CropRule::a1111 ? 10 : 3);
    const at::Tensor step = (off.slice(2, 1) - off.slice(2, 0, -1)).abs().mean(at::IntArrayRef{0, 1});
    const double inside = step.median().item<double>();
    for (const int seam : {64, 128, 192})
      EXPECT_LE(step[seam - 1 - kEdge].item<double>(), inside + 0.5) << "at " << seam << ", in levels";
  }
}

// One tile over the whole picture without padding and blur: what the network makes, truncated.
TEST(RedrawTiles, OneTileIsTheWholePicture) {
  const Image picture = smooth_picture(128, 64);
  for (const CropRule rule : {CropRule::a1111, CropRule::comfy, CropRule::comfy_minimal}) {
    const auto jobs =
        redraw_jobs(128, 64, {.tile_width = 128, .tile_height = 64, .crops = rule, .blur = 8, .padding = 0});
    ASSERT_EQ(jobs.size(), 1u);
    Image seen;
    const Image made = redraw_tiles(picture, jobs, rule, 8, [&](const RedrawPiece& piece) {
      seen = piece.picture;
      EXPECT_TRUE(!piece.latent_mask.defined() || piece.latent_mask.min().item<float>() == 1);
      return Image(piece.picture * 0.5F);
    });
    EXPECT_EQ(seen.sizes(), picture.sizes());
    EXPECT_TRUE(at::equal(made, (seen * 0.5F * 255).floor() / 255));
  }
}

// A tile sees what the ones before it left.
TEST(RedrawTiles, TilesAreRedrawnOneAfterAnother) {
  const Image picture = at::zeros({3, 64, 128});
  const auto jobs = redraw_jobs(
      128, 64, {.tile_width = 64, .tile_height = 64, .crops = CropRule::comfy, .blur = 0, .padding = 8});
  std::vector<double> seen;
  redraw_tiles(picture, jobs, CropRule::comfy, 8, [&](const RedrawPiece& piece) {
    seen.push_back(piece.picture.max().item<double>());
    return Image(at::ones_like(piece.picture));
  });
  EXPECT_EQ(seen, (std::vector<double>{0, 1}));
}

TEST(RedrawTiles, ATileOfAnotherSizeIsAnError) {
  const auto jobs = redraw_jobs(64, 64, {.tile_width = 64, .tile_height = 64});
  EXPECT_THROW(redraw_tiles(at::zeros({3, 64, 64}), jobs, CropRule::a1111, 8,
                            [](const RedrawPiece&) { return Image(at::zeros({3, 8, 8})); }),
               std::runtime_error);
}

}  // namespace
}  // namespace upbench::test
