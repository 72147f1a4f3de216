#include "models/diffusion/control_hint.h"

#include <cmath>

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "models/diffusion/sampling/noise_schedule.h"

namespace upbench {
namespace {

double distance(const at::Tensor& a, const at::Tensor& b) {
  return (a - b).abs().max().item<double>();
}

TEST(ResampledHint, BelowARateOf1_1ThePictureStays) {
  const at::Tensor picture = at::rand({1, 3, 16, 24});
  EXPECT_TRUE(at::equal(resampled_hint(picture, 1.09), picture));
  const at::Tensor made = resampled_hint(picture, 2);
  EXPECT_EQ(made.sizes(), picture.sizes());
  EXPECT_GT(distance(made, picture), 0.1);
  EXPECT_LT(made.std().item<double>(), picture.std().item<double>() / 1.5)
      << "noise of single pixels is gone";
}

// A Gaussian of a point is the Gaussian, cut at three deviations as OpenCV cuts it for 8-bit pictures.
TEST(BlurredHint, IsAGaussian) {
  at::Tensor point = at::zeros({1, 3, 31, 31});
  point.index_put_({0, 1, 15, 15}, 1);
  const double deviation = 3;
  const at::Tensor made = blurred_hint(point, deviation);
  EXPECT_EQ(made.select(1, 0).abs().max().item<double>(), 0);
  double sum = 0;
  for (int i = -9; i <= 9; ++i) sum += std::exp(-i * i / (2 * deviation * deviation));
  for (int i : {0, 1, 4, 9}) {
    const double across = std::exp(-i * i / (2 * deviation * deviation)) / sum;
    EXPECT_NEAR(made.index({0, 1, 15, 15 + i}).item<double>(), across / sum, 1e-7) << i;
  }
  EXPECT_EQ(made.index({0, 1, 15, 25}).item<double>(), 0);
  EXPECT_NEAR(made.sum().item<double>(), 1, 1e-5);
}

class Anchored : public ::testing::TestWithParam<Prediction> {
 protected:
  // The prediction of a network that takes `clean` for the picture in x.
  at::Tensor prediction(const at::Tensor& x, const at::Tensor& clean) const {
    const double a = 1 / std::sqrt(kSigma * kSigma + 1), b = kSigma * a;
    const at::Tensor noise = (x - clean * a) / b;
    return GetParam() == Prediction::epsilon ? noise : noise * a - clean * b;
  }
  at::Tensor guess(const at::Tensor& x, const at::Tensor& predicted) const {
    const double a = 1 / std::sqrt(kSigma * kSigma + 1), b = kSigma * a;
    return GetParam() == Prediction::epsilon ? (x - predicted * b) / a : x * a - predicted * b;
  }
  at::Tensor anchored_guess(const at::Tensor& latents, Branches branches, double sharpness,
                            double weight) const {
    const ColourAnchor anchor{.latents = latents, .radius = 3, .sharpness = sharpness, .weight = weight};
    return guess(x_, anchored(prediction(x_, clean_), x_, latents, kSigma, GetParam(), branches, anchor));
  }

  static constexpr double kSigma = 1.7;
  static constexpr double kRounding = 2e-5;  // of float32 through two scalings by sigma
  const at::Tensor x_ = (at::manual_seed(1), at::randn({2, 4, 16, 20})), clean_ = at::randn({2, 4, 16, 20});
};

// The guess of a constant colour more is that picture again, without the colour.
TEST_P(Anchored, ColoursBecomeThoseOfThePicture) {
  const at::Tensor made = anchored_guess(clean_ + 0.7, Branches::cond, 0, 1);
  EXPECT_LT(distance(made, clean_ + 0.7), kRounding);
  EXPECT_LT(distance(anchored_guess(clean_, Branches::cond, 0, 1), clean_), kRounding)
      << "of the picture's own colours nothing changes";
}

TEST_P(Anchored, DetailStaysThatOfTheGuess) {
  const at::Tensor flat = at::full({1, 4, 16, 20}, 0.3);
  const at::Tensor made = anchored_guess(flat, Branches::cond, 0, 1);
  // By the definition, one square of 7 x 7 at a time.
  for (const auto& [y, x] : {std::pair{8, 9}, {0, 0}, {15, 4}}) {
    double mean = 0;
    for (int dy = -3; dy <= 3; ++dy)
      for (int dx = -3; dx <= 3; ++dx)
        mean +=
            clean_.index({1, 2, std::clamp(y + dy, 0, 15), std::clamp(x + dx, 0, 19)}).item<double>() / 49;
    EXPECT_NEAR(made.index({1, 2, y, x}).item<double>(),
                clean_.index({1, 2, y, x}).item<double>() - mean + 0.3, kRounding);
  }
}

TEST_P(Anchored, WeightMixesAndStopsAtOne) {
  const at::Tensor other = clean_ + 1.0;
  EXPECT_LT(distance(anchored_guess(other, Branches::cond, 0, 0.25), clean_ + 0.25), kRounding);
  EXPECT_LT(distance(anchored_guess(other, Branches::cond, 0, 1.8), clean_ + 1.0), kRounding);
  EXPECT_LT(distance(anchored_guess(other, Branches::cond, 0, 0), clean_), kRounding);
}

// Only the negative prompt's guess is softened, by a hundredth of the sharpness.
TEST_P(Anchored, SharpnessSoftensTheNegativePrompt) {
  const at::Tensor plain = anchored_guess(clean_, Branches::uncond_and_cond, 0, 1),
                   sharp = anchored_guess(clean_, Branches::uncond_and_cond, 2, 1);
  EXPECT_LT(distance(sharp.select(0, 1), plain.select(0, 1)), kRounding);
  const at::Tensor means =
      at::avg_pool2d(at::pad(plain.narrow(0, 0, 1), {3, 3, 3, 3}, "replicate"), {7, 7}, {1, 1});
  EXPECT_LT(distance(sharp.narrow(0, 0, 1), plain.narrow(0, 0, 1) * 0.98 + means * 0.02), kRounding);
  EXPECT_GT(distance(sharp.select(0, 0), plain.select(0, 0)), 100 * kRounding);
  EXPECT_LT(distance(anchored_guess(clean_, Branches::cond, 2, 1), plain), kRounding) << "no negative prompt";
}

INSTANTIATE_TEST_SUITE_P(Predictions, Anchored, ::testing::Values(Prediction::epsilon, Prediction::v),
                         [](const auto& kind) {
                           return kind.param == Prediction::epsilon ? "epsilon" : "v";
                         });

}  // namespace
}  // namespace upbench
