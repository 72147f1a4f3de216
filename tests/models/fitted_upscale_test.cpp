#include "models/fitted_upscale.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "datasets/image.h"
#include "datasets/resample.h"
#include "models/interpolator.h"
#include "tests/models/fake_upscalers.h"

namespace upbench::test {
namespace {

using ::testing::ElementsAre;

// Repeats each pixel `scale` times and adds 0.3 of a level: what rounding makes of it is known.
FakeUpscaler repeating(int scale) {
  UpscalerInfo info;
  info.name = "repeating";
  info.scale = scale;
  return {info, [](const at::Tensor& batch, int times) { return repeated(batch, times) + 0.3 / 255; }};
}

Image enlarged(const Image& picture, int times) {
  return repeated(picture.unsqueeze(0), times).squeeze(0);
}

TEST(FittedUpscale, TruncationTakesTheLevelBelow) {
  const Image picture =
      at::tensor({-0.5F, 0.9F / 255, 1.0F / 255, 254.999F / 255, 1.0F, 7.0F}).view({1, 1, 6});
  const Image levels = truncated(picture) * 255;
  EXPECT_THAT(std::vector<float>(levels.data_ptr<float>(), levels.data_ptr<float>() + 6),
              ElementsAre(0, 0, 1, 254, 255, 255));
  for (int level = 0; level < 256; ++level) {
    const Image whole = at::full({3, 1, 1}, static_cast<float>(level) / 255.0F);
    EXPECT_TRUE(at::equal(truncated(whole), whole)) << level;
  }
}

// 8-bit input, x2 to the exact size: 0.3 of a level is rounded away.
TEST(FittedUpscale, OnePassThatFitsIsRounded) {
  const FakeUpscaler twice = repeating(2);
  const Image picture = random_image(16, 24);
  const FittedUpscale made = upscale_fitted(&twice, picture, 32, 48, FitRules::a1111);
  EXPECT_THAT(made.passes, ElementsAre("x2"));
  EXPECT_LT((made.image - enlarged(truncated(picture), 2)).abs().max().item<double>(), 1e-6);
}

TEST(FittedUpscale, PassesAreRepeatedThenLanczosGoesToTheSize) {
  const FakeUpscaler twice = repeating(2);
  const Image picture = random_image(16, 24);
  const FittedUpscale made = upscale_fitted(&twice, picture, 80, 120, FitRules::a1111);
  EXPECT_THAT(made.passes, ElementsAre("x2", "x2", "x2", "pil-lanczos 120x80"));
  const Image expected = resample(enlarged(truncated(picture), 8), 80, 120, "pil-lanczos");
  EXPECT_LT((made.image - expected).abs().max().item<double>(), 1e-6);
}

TEST(FittedUpscale, ThreePassesAreTheMost) {
  const FakeUpscaler twice = repeating(2);
  EXPECT_THAT(upscale_fitted(&twice, random_image(8, 8), 80, 80, FitRules::a1111).passes,
              ElementsAre("x2", "x2", "x2", "pil-lanczos 80x80"));
}

TEST(FittedUpscale, ANetworkThatDoesNotEnlargeStopsAfterOnePass) {
  const FakeUpscaler once = repeating(1);
  EXPECT_THAT(upscale_fitted(&once, random_image(8, 8), 16, 16, FitRules::a1111).passes,
              ElementsAre("x1", "pil-lanczos 16x16"));
}

// 16 x 16 by 1.3 is 20.8: A1111's wrapper goes to 16, the multiple of 8 below, which needs no pass at all.
TEST(FittedUpscale, TheWrapperAimsAtMultiplesOfEightBelow) {
  const FakeUpscaler twice = repeating(2);
  EXPECT_THAT(upscale_fitted(&twice, random_image(16, 16), 20, 20, FitRules::a1111).passes,
              ElementsAre("pil-lanczos 20x20"));
  EXPECT_THAT(upscale_fitted(&twice, random_image(16, 16), 28, 28, FitRules::a1111).passes,
              ElementsAre("x2", "pil-lanczos 24x24", "pil-lanczos 28x28"));
}

TEST(FittedUpscale, WhatShrinksOrNamesNoUpscalerIsLanczosAlone) {
  const FakeUpscaler twice = repeating(2);
  EXPECT_THAT(upscale_fitted(&twice, random_image(16, 16), 8, 16, FitRules::a1111).passes,
              ElementsAre("pil-lanczos 16x8"));
  const Image picture = random_image(9, 11);
  const FittedUpscale made = upscale_fitted(nullptr, picture, 18, 22, FitRules::a1111);
  EXPECT_TRUE(at::equal(made.image, resample(truncated(picture), 18, 22, "pil-lanczos")));
}

TEST(FittedUpscale, LanczosByNameIsPillows) {
  const UpscalerPtr lanczos = make_interpolator("lanczos");
  const Image picture = random_image(16, 16);
  for (const FitRules rules : {FitRules::a1111, FitRules::comfy})
    EXPECT_TRUE(at::equal(upscale_fitted(lanczos.get(), picture, 32, 32, rules).image,
                          resample(truncated(picture), 32, 32, "pil-lanczos")));
}

// ComfyUI gives the network the picture as it is, and takes what it gives.
TEST(FittedUpscale, ComfyTruncatesOnlyWhereItResizes) {
  const FakeUpscaler twice = repeating(2);
  const Image picture = random_image(8, 8) * 0.9;
  const Image exact = (enlarged(picture, 2) + 0.3 / 255).clamp(0, 1);
  const FittedUpscale fits = upscale_fitted(&twice, picture, 16, 16, FitRules::comfy);
  EXPECT_THAT(fits.passes, ElementsAre("x2"));
  EXPECT_LT((fits.image - exact).abs().max().item<double>(), 1e-6);
  const FittedUpscale larger = upscale_fitted(&twice, picture, 64, 64, FitRules::comfy);
  EXPECT_THAT(larger.passes, ElementsAre("x2", "pil-lanczos 64x64")) << "once, whatever is wanted";
  EXPECT_TRUE(at::equal(larger.image, resample(truncated(fits.image), 64, 64, "pil-lanczos")));
}

TEST(FittedUpscale, UnknownRulesAreRefused) {
  EXPECT_THROW(parse_fit_rules("forge"), std::invalid_argument);
}

}  // namespace
}  // namespace upbench::test
