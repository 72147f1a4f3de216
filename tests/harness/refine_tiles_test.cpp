#include "harness/plan/refine_tiles.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "harness/plan/text.h"
#include "tests/harness/plan_fixture.h"

namespace upbench::test {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

// Of pictures that are 400 x 320 and 240 x 240 where they are refined.
Plan tiled(const std::string& tile, const std::string& more = "") {
  return plan_of("  - upscale: {model: any_x4}\n  - refine: {checkpoint: a, denoise: 0.3, guidance: 1, " +
                 more + "tile: " + tile + "}\n");
}
std::size_t distinct(const std::string& tile, const std::string& more = "") {
  return outputs(tiled(tile, more)).size();
}
std::string error(const std::string& tile, const std::string& more = "") {
  try {
    return error_of(spec_of("  - upscale: {model: any_x4}\n  - refine: {checkpoint: a, denoise: 0.3, " +
                            more + "tile: " + tile + "}\n"),
                    inputs_of({picture("p", 100, 80)}));
  } catch (const SpecError& error) {
    return error.what();
  }
}

constexpr std::size_t kPictures = 2;

TEST(RefineTiles, WithoutTilesNothingOfThemMatters) {
  const std::size_t plain =
      outputs(
          plan_of("  - upscale: {model: any_x4}\n  - refine: {checkpoint: a, denoise: 0.3, guidance: 1}\n"))
          .size();
  EXPECT_EQ(plain, kPictures);
  EXPECT_EQ(distinct("{mode: [linear, chess, mixture], blur: [4, 8], seam-fix: [none, band]}"), kPictures);
  EXPECT_EQ(outputs(tiled("none")),
            outputs(plan_of("  - upscale: {model: any_x4}\n  - refine: {checkpoint: a, "
                            "denoise: 0.3, guidance: 1}\n")));
}

TEST(RefineTiles, ANumberIsTheirSize) {
  EXPECT_EQ(outputs(tiled("128")), outputs(tiled("{size: 128}")));
  EXPECT_EQ(outputs(tiled("[none, 128]")), outputs(tiled("{size: [none, 128]}")));
  EXPECT_EQ(distinct("{from: 128, to: 192, step: 32}"), 3 * kPictures);
}

TEST(RefineTiles, EverySettingThatMattersIsInTheKeys) {
  for (const char* tile : {"{size: [96, 128]}",
                           "{size: 96, height: [0, 128]}",
                           "{size: 96, mode: [linear, chess]}",
                           "{size: 96, crop: [a1111, comfy]}",
                           "{size: 96, crop: [comfy, comfy-minimal]}",
                           "{size: 96, blur: [4, 8]}",
                           "{size: 96, padding: [16, 32]}",
                           "{size: 96, seam-fix: [none, band]}",
                           "{size: 96, seam-fix: [half-tile, half-tile-intersections]}",
                           "{size: 96, seam-fix: band, seam-denoise: [0.2, 0.4]}",
                           "{size: 96, seam-fix: band, seam-width: [32, 64]}",
                           "{size: 96, seam-fix: half-tile, seam-blur: [2, 4]}",
                           "{size: 96, seam-fix: band, seam-padding: [8, 16]}",
                           "{size: 96, mode: [linear, mixture]}",
                           "{size: 96, mode: [multidiffusion, mixture]}",
                           "{size: 96, mode: mixture, overlap: [16, 64]}",
                           "{size: 96, mode: mixture, jitter: [false, true]}",
                           "{size: 96, mode: mixture, inversion-steps: [0, 10]}",
                           "{size: 96, mode: mixture, inversion-steps: 10, renoise: [0.5, 1]}",
                           "{size: 96, mode: mixture, inversion-steps: 10, renoise-kernel: [32, 64]}"})
    EXPECT_EQ(distinct(tile), 2 * kPictures) << tile;
}

TEST(RefineTiles, WhatDoesNotMatterIsNotInThem) {
  for (const char* tile :
       {"{size: 96, overlap: [16, 64]}", "{size: 96, jitter: [false, true]}", "{size: 96, height: [0, 96]}",
        "{size: 96, seam-denoise: [0.2, 0.4]}", "{size: 96, seam-fix: half-tile, seam-width: [32, 64]}",
        "{size: 96, seam-fix: band, seam-blur: [2, 4]}", "{size: 96, mode: mixture, blur: [4, 8]}",
        "{size: 96, mode: mixture, crop: [a1111, comfy]}",
        "{size: 96, mode: mixture, seam-fix: [none, band]}", "{size: 96, mode: mixture, renoise: [0.5, 1]}",
        "{size: 96, mode: none, seam-fix: band, blur: [4, 8]}",
        "{size: 96, seam-fix: band, seam-denoise: [0.30, 0.31]}"})
    EXPECT_EQ(distinct(tile), kPictures) << tile;
}

TEST(RefineTiles, ATileThatCoversThePictureIsNoTile) {
  const auto plain = outputs(tiled("none"));
  EXPECT_EQ(outputs(tiled("{size: 400, mode: [multidiffusion, mixture]}")), plain);
  EXPECT_EQ(outputs(tiled("{size: 512, mode: mixture, overlap: [8, 64], jitter: true}")), plain);
  EXPECT_NE(outputs(tiled("{size: 512, mode: mixture, inversion-steps: 10}")), plain);
  EXPECT_NE(outputs(tiled("{size: 512}")), plain) << "Ultimate SD Upscale resamples and rounds to 8 bit";
  const Plan plan = tiled("{size: [none, 512], mode: mixture}");
  EXPECT_THAT(duplicates(plan),
              ::testing::Contains(::testing::Key(HasSubstr("tile 512 covers the picture"))));
}

// Two tiles side by side are the same in both orders.
TEST(RefineTiles, TheSameTilesInTheSameOrderRunOnce) {
  EXPECT_EQ(distinct("{size: 400, height: 400, mode: [linear, chess]}"), kPictures);
  EXPECT_EQ(distinct("{size: 400, seam-fix: [none, band, half-tile]}"), kPictures) << "one tile has no seam";
}

TEST(RefineTiles, WhatCannotBeIsRefusedWithItsPlace) {
  EXPECT_THAT(error("{size: 96, mod: linear}"),
              AllOf(HasSubstr("s.yaml:"), HasSubstr("mod"), HasSubstr("mode")));
  EXPECT_THAT(error("{size: 96, mode: lineer}"), AllOf(HasSubstr("lineer"), HasSubstr("linear")));
  EXPECT_THAT(error("{size: 8}"), HasSubstr("refine.tile.size is '8'"));
  EXPECT_THAT(error("{size: 96, blur: -1}"), HasSubstr("refine.tile.blur is '-1'"));
  EXPECT_THAT(error("{size: 96, seam-fix: band, seam-denoise: 1.5}"), HasSubstr("tile.seam-denoise 1.5"));
  EXPECT_THAT(error("{size: 100, mode: mixture}"), HasSubstr("tile.size 100 is no multiple of 8"));
  EXPECT_THAT(error("{size: 96, mode: mixture, overlap: 100}"),
              HasSubstr("tile.overlap 100 is no multiple of 8"));
  EXPECT_THAT(error("{size: 96, mode: mixture, overlap: 96}"), HasSubstr("tile.overlap 96 is not smaller"));
  EXPECT_THAT(error("{size: 96, mode: none}"), HasSubstr("nothing is left to do"));
  EXPECT_THAT(error("[]"), HasSubstr("empty list"));
  EXPECT_THAT(error("[none, {size: 96}]"), HasSubstr("refine.tile.size"));
}

TEST(RefineTiles, SeamsHaveNoiseLevelsOfTheirOwn) {
  const Plan plan = plan_of(
      "  - upscale: {model: any_x4}\n  - refine: {checkpoint: a, denoise: 0, as: comfy, "
      "guidance: 1, prompt: none, sampler: [euler, heun], tile: {size: 96, seam-fix: band}}\n");
  EXPECT_EQ(outputs(plan).size(), 2 * kPictures) << "no step for tiles, but for seams";
}

// 400 x 320 in tiles of 128: 4 x 3; 240 x 240: 2 x 2. 7 steps (int(0.3 x 20) + 1), seams int(0.35 x 20) + 1
// = 8.
TEST(RefineTiles, WorkIsCountedByTilesAndEvaluations) {
  const auto work = [](const std::string& tile) {
    std::vector<std::pair<int, double>> counted;
    for (const DiffusionWork& one : tiled(tile).diffusion) counted.emplace_back(one.tiles, one.evaluations);
    return counted;
  };
  using Counted = std::vector<std::pair<int, double>>;
  EXPECT_EQ(work("none"), (Counted{{0, 7}, {0, 7}}));
  EXPECT_EQ(work("128"), (Counted{{12, 84}, {4, 28}}));
  EXPECT_EQ(work("{size: 128, seam-fix: band}"), (Counted{{17, 84 + 5 * 8}, {6, 28 + 2 * 8}}));
  // ceil((400 - 64) / 64) = 6 columns, ceil((320 - 64) / 64) = 4 rows; ceil((240 - 64) / 64) = 3
  EXPECT_EQ(work("{size: 128, mode: mixture}"), (Counted{{24, 168}, {9, 63}}));
  EXPECT_EQ(work("{size: 128, mode: mixture, inversion-steps: 10}"), (Counted{{24, 24 * 17}, {9, 9 * 17}}));
}

// 1000 multiply-accumulates a pixel and evaluation, 100 for the autoencoder; tiles of 128 + 32 are processed
// at 192.
TEST(RefineTiles, WorkIsThatOfTheProcessedPixels) {
  const double upscaled = 1000.0 * (100 * 80 + 60 * 60);
  EXPECT_DOUBLE_EQ(tiled("128").estimate.macs - upscaled, 16 * 192.0 * 192 * (7 * 1000 + 100));
  EXPECT_DOUBLE_EQ(tiled("none").estimate.macs - upscaled, (400 * 320 + 240 * 240.0) * (7 * 1000 + 100));
}

TEST(RefineTiles, ThePlanSaysThem) {
  const Spec spec = spec_of(
      "  - upscale: {model: any_x4}\n  - refine: {checkpoint: a, denoise: 0.3, guidance: 1, "
      "tile: {size: [none, 128]}}\n");
  const Plan plan = make_plan(spec, inputs_of({picture("p", 100, 80)}));
  const std::string text = describe_plan(plan, spec);
  EXPECT_THAT(text, HasSubstr("diffusion networks\n"));
  EXPECT_THAT(text, HasSubstr("7 evaluations of a picture of 100 x 80"));
  EXPECT_THAT(text, HasSubstr("12 tiles, 84 evaluations of a picture of 100 x 80"));
  const nlohmann::json json = plan_to_json(plan, spec);
  ASSERT_EQ(json.at("diffusion").size(), 2u);
  EXPECT_EQ(json["diffusion"][1]["tiles"], 12);
}

}  // namespace
}  // namespace upbench::test
