#include <cmath>
#include <limits>
#include <vector>

#include <gtest/gtest.h>

#include "metrics/catalog.h"
#include "metrics/ssim_kernel.h"
#include "tests/metrics/pictures.h"

namespace upbench {
namespace {

using test::constant;
using test::noisy;
using test::textured;

constexpr double kC1 = 0.01 * 255 * 0.01 * 255;
constexpr double kC2 = 0.03 * 255 * 0.03 * 255;

Score score(const std::string& metric, const Image& output, const Image& reference) {
  return Scorer({parse_metric(metric)}, 0).score(output, reference).at(0).score;
}

// The definition, written down: every window of its own, five moments, float64.
double defined_ssim(const Image& output, const Image& reference, const Signal& signal) {
  std::vector<double> weight(kSsimWindow);
  double total = 0;
  for (int i = 0; i < kSsimWindow; ++i) total += weight[i] = std::exp(-(i - 5) * (i - 5) / 4.5);
  const auto plane = [&](const Image& image) {
    at::Tensor sum = at::full({image.size(1), image.size(2)}, signal.offset, at::kDouble);
    for (int c = 0; c < 3; ++c) sum += signal.weights[c] * image[c].to(at::kDouble).mul(255).round();
    return sum;
  };
  const at::Tensor a = plane(output), b = plane(reference);
  const auto at_a = a.accessor<double, 2>(), at_b = b.accessor<double, 2>();
  double result = 0;
  for (int y = 0; y + kSsimWindow <= a.size(0); ++y)
    for (int x = 0; x + kSsimWindow <= a.size(1); ++x) {
      double ma = 0, mb = 0, aa = 0, bb = 0, ab = 0;
      for (int j = 0; j < kSsimWindow; ++j)
        for (int i = 0; i < kSsimWindow; ++i) {
          const double w = weight[i] * weight[j] / (total * total), u = at_a[y + j][x + i],
                       v = at_b[y + j][x + i];
          ma += w * u, mb += w * v, aa += w * u * u, bb += w * v * v, ab += w * u * v;
        }
      result += (2 * ma * mb + kC1) * (2 * (ab - ma * mb) + kC2) /
                ((ma * ma + mb * mb + kC1) * (aa - ma * ma + bb - mb * mb + kC2));
    }
  return result / (static_cast<double>(a.size(0) - 10) * static_cast<double>(a.size(1) - 10));
}

TEST(Ssim, ConstantPicturesCompareByTheirMeans) {
  // No variance: (2 a b + C1) / (a^2 + b^2 + C1).
  const auto expected = [](double a, double b) { return (2 * a * b + kC1) / (a * a + b * b + kC1); };
  const Image dark = constant(16, 19, 50.0 / 255), light = constant(16, 19, 200.0 / 255);
  EXPECT_NEAR(score("ssim-rgb", dark, light).value, expected(50, 200),
              1e-5);  // variance of rounding, 5e-4, against C2 = 58.5
  const auto luma = [](double v) { return 16 + 219 * v / 255; };
  EXPECT_NEAR(score("ssim-y", dark, light).value, expected(luma(50), luma(200)), 1e-5);
  EXPECT_NEAR(score("ssim-rgb", constant(11, 11, 0), constant(11, 11, 1)).value, expected(0, 255), 1e-5);
}

TEST(Ssim, IdenticalPicturesScoreExactlyOne) {
  for (const char* metric : {"ssim-rgb", "ssim-y", "ssim-rgb@float", "ssim-y@float"})
    for (const Image& picture :
         {textured(33, 1100, 1), constant(20, 20, 0), constant(20, 20, 1), constant(11, 11, 0.3)})
      EXPECT_EQ(score(metric, picture, picture).value, 1.0) << metric;
}

TEST(Ssim, IsExactlySymmetric) {
  const Image a = textured(40, 50, 2), b = noisy(a, 30, 3);
  for (const char* metric : {"ssim-rgb", "ssim-y"})
    EXPECT_EQ(score(metric, a, b).value, score(metric, b, a).value) << metric;
}

TEST(Ssim, MatchesTheDefinitionInFloat64) {
  // Strips are 1024 results wide: sizes of one window, just below, at and above a strip.
  for (const auto& [height, width] :
       {std::pair{11, 11}, {11, 12}, {30, 47}, {12, 1033}, {12, 1034}, {12, 1035}, {70, 64}})
    for (double amplitude : {2.0, 30.0, 200.0}) {
      const Image reference = textured(height, width, 4), output = noisy(reference, amplitude, 5);
      const double luma = defined_ssim(output, reference, kLumaSignal);
      double rgb = 0;
      for (const Signal& signal : kRgbSignals) rgb += defined_ssim(output, reference, signal) / 3;
      // float32 windows: each result is off by up to 1e-5, with either sign; the mean over windows by less.
      EXPECT_NEAR(score("ssim-y", output, reference).value, luma, 2e-6)
          << width << "x" << height << " +-" << amplitude;
      EXPECT_NEAR(score("ssim-rgb", output, reference).value, rgb, 2e-6)
          << width << "x" << height << " +-" << amplitude;
    }
}

TEST(Ssim, KeepsItsPrecisionNextToBlackAndWhite) {
  // Where E[x^2] - E[x]^2 would cancel: bright and flat with a little noise.
  for (double level : {0.0, 8.0 / 255, 247.0 / 255, 1.0}) {
    const Image reference = noisy(constant(64, 80, level), 3, 6),
                output = noisy(constant(64, 80, level), 3, 7);
    EXPECT_NEAR(score("ssim-y", output, reference).value, defined_ssim(output, reference, kLumaSignal), 2e-6)
        << level;
    EXPECT_NEAR(
        score("ssim-rgb", output, reference).value,
        (defined_ssim(output, reference, kRgbSignals[0]) + defined_ssim(output, reference, kRgbSignals[1]) +
         defined_ssim(output, reference, kRgbSignals[2])) /
            3,
        2e-6)
        << level;
  }
}

TEST(Ssim, RgbIsTheMeanOfTheChannels) {
  const Image reference = textured(30, 30, 8);
  Image output = reference.clone();
  output[1] = noisy(reference, 60, 9)[1];
  EXPECT_NEAR(score("ssim-rgb", output, reference).value,
              (2 + defined_ssim(output, reference, kRgbSignals[1])) / 3, 1e-6);
}

TEST(Ssim, FallsAsNoiseGrows) {
  const Image reference = textured(40, 40, 10);
  for (const char* metric : {"ssim-rgb", "ssim-y"}) {
    double before = 1;
    for (double amplitude : {2.0, 8.0, 32.0, 128.0}) {
      const double value = score(metric, noisy(reference, amplitude, 11), reference).value;
      EXPECT_LT(value, before) << metric << " at " << amplitude;
      before = value;
    }
  }
}

TEST(Ssim, IsUndefinedBelowItsWindow) {
  for (const char* metric : {"ssim-rgb", "ssim-y"}) {
    for (const Image& picture : {constant(10, 40, 0.5), constant(40, 10, 0.5), constant(1, 1, 0.5)}) {
      const Score result = score(metric, picture, picture);
      EXPECT_EQ(result.flag, ScoreFlag::undefined) << metric;
      EXPECT_EQ(result.reason, "smaller than the 11x11 window");
    }
    EXPECT_EQ(score(metric, constant(11, 11, 0.5), constant(11, 11, 0.5)).flag, ScoreFlag::ok);
  }
}

TEST(Ssim, IsUndefinedWhereTheBorderLeavesLessThanItsWindow) {
  const Image picture = constant(18, 18, 0.5);
  EXPECT_EQ(score("ssim-y@b3", picture, picture).flag, ScoreFlag::ok);
  EXPECT_EQ(score("ssim-y@b4", picture, picture).flag, ScoreFlag::undefined);
}

}  // namespace
}  // namespace upbench
