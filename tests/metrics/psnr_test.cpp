#include <cmath>
#include <limits>

#include <gtest/gtest.h>

#include "metrics/catalog.h"
#include "tests/metrics/pictures.h"

namespace upbench {
namespace {

using test::constant;
using test::noisy;
using test::textured;

Score score(const std::string& metric, const Image& output, const Image& reference, int border = 0) {
  return Scorer({parse_metric(metric)}, border).score(output, reference).at(0).score;
}

TEST(Psnr, ConstantErrorOfOneTenthIsTwentyDecibels) {
  const Score result = score("psnr-rgb@float", constant(8, 9, 0.5), constant(8, 9, 0.4));
  EXPECT_NEAR(result.value, 20.0, 1e-5);  // 0.4 and 0.1 are not float32 numbers
  EXPECT_EQ(result.flag, ScoreFlag::ok);
}

TEST(Psnr, ConstantErrorOfOneStepIsFortyEightDecibels) {
  const Score result = score("psnr-rgb", constant(8, 9, 101.0 / 255), constant(8, 9, 100.0 / 255));
  EXPECT_NEAR(result.value, 20 * std::log10(255.0),
              1e-12);  // 8-bit differences are exact: only the logarithm rounds
}

TEST(Psnr, OneStepInEveryChannelOfLumaIsTheLimitedRangeStep) {
  // Y moves by 219 / 255 when R, G and B move by one step; full-range Y would give 48.13 dB, 1.32 dB less.
  const Score result = score("psnr-y", constant(8, 9, 101.0 / 255), constant(8, 9, 100.0 / 255));
  EXPECT_NEAR(result.value, 20 * std::log10(255.0 * 255.0 / 219.0), 1e-12);
}

TEST(Psnr, LumaWeighsGreenMost) {
  Image one_green = constant(4, 4, 0.0);
  one_green[1].fill_(1.0);
  EXPECT_NEAR(score("psnr-y", one_green, constant(4, 4, 0.0)).value, 20 * std::log10(255 / 128.553), 1e-12);
}

TEST(Psnr, IdenticalPicturesAreFlaggedInfinite) {
  const Image picture = textured(20, 30, 1);
  for (const char* metric : {"psnr-rgb", "psnr-y", "psnr-rgb@float", "psnr-y@float"}) {
    const Score result = score(metric, picture, picture);
    EXPECT_EQ(result.flag, ScoreFlag::inf) << metric;
    EXPECT_EQ(result.value, std::numeric_limits<double>::infinity()) << metric;
  }
}

TEST(Psnr, ScoresThePictureAsItWouldBeSaved) {
  // 0.4 of a step vanishes in rounding; below 0 and above 1 is clamped. Only @float sees the first, nothing
  // the second.
  const Image reference = constant(4, 4, 1.0);
  EXPECT_EQ(score("psnr-rgb", constant(4, 4, 1.0 - 0.4 / 255), reference).flag, ScoreFlag::inf);
  EXPECT_EQ(score("psnr-rgb", constant(4, 4, 1.7), reference).flag, ScoreFlag::inf);
  EXPECT_EQ(score("psnr-rgb@float", constant(4, 4, 1.7), reference).flag, ScoreFlag::inf);
  EXPECT_NEAR(score("psnr-rgb@float", constant(4, 4, 1.0 - 0.4 / 255), reference).value,
              20 * std::log10(255 / 0.4),
              1e-3);  // float32 holds 1 - 0.4 / 255 to 3e-5 of the difference
}

TEST(Psnr, RoundsHalfAStepToEven) {
  const Image reference = constant(4, 4, 0.0);
  EXPECT_EQ(score("mse", constant(4, 4, 0.5 / 255), reference).value, 0);
  EXPECT_EQ(score("mse", constant(4, 4, 1.5 / 255), reference).value, 4);
}

// As a decoder leaves it whose rows are interleaved: the strides of sides of one pixel mean nothing.
TEST(Mse, TakesAPictureOfOnePixel) {
  for (const int height : {1, 5}) {
    const Image pixels = at::empty_strided({3, height, 1}, {1, 3, 3}).copy_(constant(height, 1, 0.2));
    ASSERT_NE(pixels.stride(2), 1);
    EXPECT_EQ(score("mse", pixels, constant(height, 1, 0.2 + 2.0 / 255)).value, 4);
    EXPECT_EQ(score("ssim-y", pixels, pixels).flag, ScoreFlag::undefined);
  }
}

TEST(Mse, IsInSquaredCodeValues) {
  EXPECT_EQ(score("mse", constant(4, 4, 1.0), constant(4, 4, 0.0)).value, 65025);
  Image half = constant(4, 4, 0.0);
  half.narrow(1, 0, 2).fill_(3.0 / 255);
  EXPECT_EQ(score("mse", half, constant(4, 4, 0.0)).value, 4.5);
}

TEST(Mse, MatchesASumInFloat64ForEveryWidth) {
  for (int width : {1, 7, 8, 255, 256, 257, 600}) {
    const Image reference = textured(5, width, 2), output = noisy(reference, 20, 3);
    const at::Tensor steps = (output.to(at::kDouble) - reference.to(at::kDouble)).mul(255).round();
    EXPECT_DOUBLE_EQ(score("mse", output, reference).value, steps.square().mean().item<double>()) << width;
  }
}

TEST(Psnr, FallsAsNoiseGrows) {
  const Image reference = textured(40, 40, 4);
  for (const char* metric : {"psnr-rgb", "psnr-y"}) {
    double before = std::numeric_limits<double>::infinity();
    for (double amplitude : {1.0, 4.0, 16.0, 64.0}) {
      const double value = score(metric, noisy(reference, amplitude, 5), reference).value;
      EXPECT_LT(value, before) << metric << " at " << amplitude;
      before = value;
    }
  }
}

TEST(Psnr, DoesNotSeeWhatTheBorderCuts) {
  const Image reference = textured(24, 20, 6);
  Image output = reference.clone();
  output.narrow(1, 0, 2).fill_(0);   // top two rows
  output.narrow(2, 18, 2).fill_(0);  // right two columns
  EXPECT_EQ(score("psnr-rgb", output, reference, 2).flag, ScoreFlag::inf);
  EXPECT_EQ(score("psnr-y@b2", output, reference).flag, ScoreFlag::inf);
  EXPECT_EQ(score("psnr-rgb@b1", output, reference, 2).flag, ScoreFlag::ok);
  EXPECT_EQ(score("psnr-rgb@b0", output, reference, 2).value, score("psnr-rgb", output, reference, 0).value);
}

}  // namespace
}  // namespace upbench
