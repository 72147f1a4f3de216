// Inputs whose answer is known by hand.
#include <array>
#include <cmath>

#include <gtest/gtest.h>

#include "datasets/image.h"
#include "datasets/procedural.h"
#include "datasets/resample.h"
#include "metrics/cambi.h"
#include "metrics/catalog.h"
#include "metrics/ciede2000.h"
#include "metrics/erqa.h"
#include "metrics/opencv_picture.h"
#include "metrics/shift.h"
#include "tests/metrics/pictures.h"

namespace upbench {
namespace {

Score score(const std::string& metric, const Image& output, const Image& reference) {
  return Scorer({parse_metric(metric)}, 0).score(output, reference).at(0).score;
}

Image drawn(const char* cls, int size) {
  return to_image(render_procedural({.cls = cls, .size = size, .seed = 3}));
}

// The 34 pairs of Sharma, Wu, Dalal 2005, table 1: L, a, b of both, the difference to four digits.
TEST(Ciede2000, AgreesWithTheTestPairsOfSharmaEtAl) {
  constexpr std::array<std::array<double, 7>, 34> kPairs = {{
      {50, 2.6772, -79.7751, 50, 0, -82.7485, 2.0425},
      {50, 3.1571, -77.2803, 50, 0, -82.7485, 2.8615},
      {50, 2.8361, -74.0200, 50, 0, -82.7485, 3.4412},
      {50, -1.3802, -84.2814, 50, 0, -82.7485, 1.0000},
      {50, -1.1848, -84.8006, 50, 0, -82.7485, 1.0000},
      {50, -0.9009, -85.5211, 50, 0, -82.7485, 1.0000},
      {50, 0, 0, 50, -1, 2, 2.3669},
      {50, -1, 2, 50, 0, 0, 2.3669},
      {50, 2.49, -0.001, 50, -2.49, 0.0009, 7.1792},
      {50, 2.49, -0.001, 50, -2.49, 0.0010, 7.1792},
      {50, 2.49, -0.001, 50, -2.49, 0.0011, 7.2195},
      {50, 2.49, -0.001, 50, -2.49, 0.0012, 7.2195},
      {50, -0.001, 2.49, 50, 0.0009, -2.49, 4.8045},
      {50, -0.001, 2.49, 50, 0.0010, -2.49, 4.8045},
      {50, -0.001, 2.49, 50, 0.0011, -2.49, 4.7461},
      {50, 2.5, 0, 50, 0, -2.5, 4.3065},
      {50, 2.5, 0, 73, 25, -18, 27.1492},
      {50, 2.5, 0, 61, -5, 29, 22.8977},
      {50, 2.5, 0, 56, -27, -3, 31.9030},
      {50, 2.5, 0, 58, 24, 15, 19.4535},
      {50, 2.5, 0, 50, 3.1736, 0.5854, 1.0000},
      {50, 2.5, 0, 50, 3.2972, 0, 1.0000},
      {50, 2.5, 0, 50, 1.8634, 0.5757, 1.0000},
      {50, 2.5, 0, 50, 3.2592, 0.3350, 1.0000},
      {60.2574, -34.0099, 36.2677, 60.4626, -34.1751, 39.4387, 1.2644},
      {63.0109, -31.0961, -5.8663, 62.8187, -29.7946, -4.0864, 1.2630},
      {61.2901, 3.7196, -5.3901, 61.4292, 2.2480, -4.9620, 1.8731},
      {35.0831, -44.1164, 3.7933, 35.0232, -40.0716, 1.5901, 1.8645},
      {22.7233, 20.0904, -46.6940, 23.0331, 14.9730, -42.5619, 2.0373},
      {36.4612, 47.8580, 18.3852, 36.2715, 50.5065, 21.2231, 1.4146},
      {90.8027, -2.0831, 1.4410, 91.1528, -1.6435, 0.0447, 1.4441},
      {90.9257, -0.5406, -0.9208, 88.6381, -0.8985, -0.7239, 1.5381},
      {6.7747, -0.2908, -2.4247, 5.8714, -0.0985, -2.2286, 0.6377},
      {2.0776, 0.0795, -1.1350, 0.9033, -0.0636, -0.5514, 0.9082},
  }};
  for (const auto& pair : kPairs) {
    const Lab first{pair[0], pair[1], pair[2]}, second{pair[3], pair[4], pair[5]};
    EXPECT_NEAR(ciede2000_difference(first, second), pair[6], 5e-5);  // half of the last digit
    EXPECT_NEAR(ciede2000_difference(second, first), pair[6], 5e-5);
  }
}

TEST(Ciede2000, WhiteIsWhiteAndGreyHasNoColour) {
  EXPECT_NEAR(lab_of_srgb(1, 1, 1).lightness, 100, 1e-3);  // the matrix has six digits
  for (const double grey : {0.0, 0.02, 0.5, 1.0}) {
    EXPECT_NEAR(lab_of_srgb(grey, grey, grey).a, 0, 0.01);
    EXPECT_NEAR(lab_of_srgb(grey, grey, grey).b, 0, 0.01);
  }
  // Between greys only lightness differs; around L = 50 its scale is 1.
  const double difference = ciede2000_difference({49.5, 0, 0}, {50.5, 0, 0});
  EXPECT_NEAR(difference, 1, 1e-9);
}

TEST(Ciede2000, IsTheMeanOverPixels) {
  const Image black = test::constant(10, 20, 0), white = test::constant(10, 20, 1);
  Image half = black.clone();
  half.narrow(2, 0, 10).fill_(1);
  const double whole = score("ciede2000", white, black).value;
  EXPECT_NEAR(whole, 100, 0.01);
  EXPECT_NEAR(score("ciede2000", half, black).value, whole / 2, 1e-9);
  EXPECT_GT(score("ciede2000@float", test::constant(8, 8, 0.5001), test::constant(8, 8, 0.5)).value, 0);
}

TEST(Erqa, CountsFalseAndLostEdges) {
  Image reference = test::constant(40, 60, 0), output = test::constant(40, 60, 0);
  reference.narrow(2, 15, 45).fill_(1);  // one edge at x = 15
  EXPECT_EQ(score("erqa", reference, reference).value, 1);
  EXPECT_EQ(score("erqa", output, reference).value, 0);  // no edge at all
  output.copy_(reference);
  output.narrow(2, 40, 20).fill_(0);  // and another at x = 40
  const EdgeMatches two = match_edges(planes_of(output), planes_of(reference));
  EXPECT_EQ(two.recall(), 1);
  EXPECT_EQ(two.precision(), 0.5);
  EXPECT_NEAR(score("erqa", output, reference).value, 2.0 / 3, 1e-12);
  const EdgeMatches lost = match_edges(planes_of(reference), planes_of(output));
  EXPECT_EQ(lost.recall(), 0.5);
  EXPECT_EQ(lost.precision(), 1);
}

TEST(Erqa, RemovesWholePixelShiftsUpToThree) {
  const Image reference = drawn("dead-leaves", 96);
  const EdgeMatches moved =
      match_edges(planes_of(at::roll(reference, {3, -2}, {1, 2})), planes_of(reference));
  EXPECT_EQ(moved.down, 3);
  EXPECT_EQ(moved.right, -2);
  EXPECT_GT(score("erqa", at::roll(reference, {3, -2}, {1, 2}), reference).value, 0.95);
  EXPECT_LT(score("erqa", at::roll(reference, {9, 9}, {1, 2}), reference).value, 0.7);
}

TEST(Erqa, HasNoScoreWithoutEdges) {
  EXPECT_EQ(score("erqa", test::constant(20, 20, 0.3), test::constant(20, 20, 0.4)).flag,
            ScoreFlag::undefined);
  EXPECT_EQ(score("erqa", test::constant(7, 20, 0.3), test::constant(7, 20, 0.4)).flag, ScoreFlag::undefined);
}

TEST(LrPsnr, SeesOnlyWhatIsLeftAfterShrinking) {
  const Image reference = drawn("natural-field", 96);
  // A checkerboard of single pixels is all but gone at half the size; a change of level is not.
  const at::Tensor x = at::arange(96).view({1, 1, 96}), y = at::arange(96).view({1, 96, 1});
  const Image pattern = ((x + y).remainder(2).to(at::kFloat) - 0.5) * (10.0 / 255);
  const Image base = reference * 0.8 + 0.1;
  EXPECT_GT(score("lr-psnr-x2", base + pattern, base).value,
            score("psnr-rgb", base + pattern, base).value + 15);
  // One level everywhere: 20 log10(255).
  EXPECT_NEAR(
      score("lr-psnr-x2", test::constant(40, 60, 100.0 / 255), test::constant(40, 60, 101.0 / 255)).value,
      20 * std::log10(255.0), 1e-6);
  EXPECT_EQ(score("lr-psnr-x4", reference, reference).flag, ScoreFlag::inf);
  // What a set's low resolution says, an interpolator that is nearly its inverse keeps.
  const Image low = quantized(resample(reference, 48, 48, "matlab-bicubic", true));
  EXPECT_GT(score("lr-psnr-x2", resample(low, 96, 96, "matlab-bicubic"), reference).value, 35);
}

// A band-limited picture, so that moving it by any part of a pixel is exact.
Image waves(double right, double down) {
  const at::Tensor x = at::arange(120, at::kDouble).view({1, 1, 120}) - right,
                   y = at::arange(90, at::kDouble).view({1, 90, 1}) - down;
  const at::Tensor sum =
      at::sin(0.31 * x + 0.17 * y) + at::sin(0.13 * x - 0.37 * y + 1) + at::cos(0.05 * x + 0.6 * y);
  return (0.5 + sum / 8).expand({3, 90, 120}).to(at::kFloat).contiguous();
}

TEST(Shift, FindsKnownTranslations) {
  for (const auto& [right, down] :
       {std::pair{0.0, 0.0}, {0.5, 0.5}, {-0.25, 0.1}, {1.0, 0.0}, {2.3, -3.7}, {-4.0, 4.0}}) {
    const auto found = global_shift(luma_of(planes_of(waves(right, down))), luma_of(planes_of(waves(0, 0))));
    ASSERT_TRUE(found);
    // Keys's kernel is not exact for these frequencies after the low-pass: 0.004 px at most.
    EXPECT_NEAR(found->right, right, 5e-3);
    EXPECT_NEAR(found->down, down, 5e-3);
  }
  EXPECT_NEAR(score("shift", waves(0.3, -0.4), waves(0, 0)).value, 0.5, 5e-3);
}

TEST(Shift, SeesTheHalfPixelOfAnUnalignedUpscaling) {
  for (const char* cls : {"dead-leaves", "text", "natural-field"}) {
    const Image reference = drawn(cls, 128);
    const Image small = quantized(resample(reference, 64, 64, "matlab-bicubic"));
    const Image aligned = resample(small, 128, 128, "matlab-bicubic");
    // Every pixel doubled lies half a pixel of the large picture right of and below its place.
    const Image corner = at::roll(resample(small, 128, 128, "nearest"), {1, 1}, {1, 2});
    EXPECT_LT(score("shift", aligned, reference).value, 0.05) << cls;
    EXPECT_NEAR(score("shift", corner, reference).value, std::sqrt(2.0), 0.15) << cls;
  }
}

TEST(Shift, HasNoScoreWithoutStructureInTwoDirections) {
  const Image stripes =
      at::sin(at::arange(64, at::kFloat) * 0.3).mul(0.4).add(0.5).expand({3, 64, 64}).contiguous();
  EXPECT_EQ(score("shift@float", stripes, stripes).flag, ScoreFlag::undefined);
  EXPECT_EQ(score("shift", test::constant(64, 64, 0.5), test::constant(64, 64, 0.5)).flag,
            ScoreFlag::undefined);
  EXPECT_EQ(score("shift", test::textured(31, 64, 1), test::textured(31, 64, 1)).flag, ScoreFlag::undefined);
}

// A smooth ramp in so many grey levels of 8 bit.
Image ramp(int levels, double noise) {
  const at::Tensor x = at::arange(256, at::kFloat) / 256;
  const Image smooth = (40 + levels * x).expand({3, 256, 256}) / 255;
  return noise > 0 ? test::noisy(smooth.contiguous(), noise, 4) : quantized(smooth.contiguous());
}

// Two greys of 8 bit, one step apart, each half of the picture: 10-bit codes 4 (16 + 219 / 255 g).
TEST(Cambi, OneStepIsWorthItsContrastAndItsShareOfTheWindow) {
  Image step = test::constant(256, 256, 60.0 / 255);
  step.narrow(2, 128, 128).fill_(61.0 / 255);
  const Banding banding = cambi_of(planes_of(step));
  // Codes 270 and 274: a contrast of 4. 63 rows; 32 columns of the dark half and 31 of the bright one.
  const double dark = 63 * 32, bright = 63 * 31;
  const double expected = 4 * dark * bright / (dark + bright) / (63 * 63);
  EXPECT_NEAR(banding.map.at<float>(128, 127), expected, 0.02 * expected);
  EXPECT_EQ(banding.map.at<float>(128, 60), 0);  // no second code within 31 pixels
  EXPECT_EQ(cambi_of(planes_of(test::constant(256, 256, 0.3))).score, 0);
}

TEST(Cambi, ASmoothRampInFewLevelsBandsAndDitherHidesIt) {
  const double banded = score("cambi", ramp(10, 0), ramp(10, 0)).value;
  EXPECT_GT(banded, 4);  // libvmaf calls 5 annoying
  EXPECT_LT(score("cambi", ramp(10, 2), ramp(10, 0)).value, 0.05 * banded);
  EXPECT_LT(score("cambi", drawn("dead-leaves", 192), drawn("dead-leaves", 192)).value, 1);
  EXPECT_EQ(score("cambi", test::constant(15, 40, 0), test::constant(15, 40, 0)).flag, ScoreFlag::undefined);
}

}  // namespace
}  // namespace upbench
