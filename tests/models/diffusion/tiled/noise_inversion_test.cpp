#include "models/diffusion/tiled/noise_inversion.h"

#include <cmath>

#include <ATen/ATen.h>
#include <gtest/gtest.h>

namespace upbench::test {
namespace {

// The best denoiser of normal data of deviation s: D(x, sigma) = x s^2 / (s^2 + sigma^2). Its slope
// (x - D) / sigma = x sigma / (s^2 + sigma^2), so x(sigma) = x_0 sqrt(1 + sigma^2 / s^2) exactly.
constexpr double kDeviation = 0.5;
at::Tensor best_guess(const at::Tensor& x, double sigma) {
  return x * (kDeviation * kDeviation / (kDeviation * kDeviation + sigma * sigma));
}

std::vector<double> levels(int steps, double most) {
  std::vector<double> made;
  for (int i = 1; i <= steps; ++i) made.push_back(most * i / steps);
  return made;
}

TEST(NoiseInversion, FollowsTheExactPathWithManySteps) {
  const at::Tensor latents = (at::manual_seed(1), at::randn({1, 4, 8, 8}, at::kDouble) * kDeviation);
  const double sigma = 1.5, growth = std::sqrt(1 + sigma * sigma / (kDeviation * kDeviation));
  const at::Tensor expected = latents * ((growth - 1) / sigma);
  const auto error = [&](int steps) {
    return (inverted_noise(best_guess, latents, levels(steps, sigma)) - expected).abs().max().item<double>();
  };
  EXPECT_LT(error(2000), 5e-3) << "Euler's error is of first order: 1.5 / 2000, times the curvature";
  EXPECT_LT(error(2000), error(100) / 10) << "Euler's error falls with the step";
}

TEST(NoiseInversion, EulerStepsComeBackToThePicture) {
  const at::Tensor latents = (at::manual_seed(2), at::randn({1, 4, 8, 8}, at::kDouble) * kDeviation);
  std::vector<double> up = levels(1000, 1.0), down(up.rbegin(), up.rend());
  down.push_back(0);
  const at::Tensor noise = inverted_noise(best_guess, latents, up);
  const at::Tensor back = sample(Sampler::euler, latents + noise * up.back(), down, best_guess, {});
  EXPECT_LT((back - latents).abs().max().item<double>(), 5e-3) << "1000 steps of Euler each way";
}

TEST(NoiseInversion, LevelsMustAscend) {
  const at::Tensor latents = at::zeros({1, 4, 2, 2});
  EXPECT_THROW(inverted_noise(best_guess, latents, {}), std::invalid_argument);
  EXPECT_THROW(inverted_noise(best_guess, latents, {0, 1}), std::invalid_argument);
  EXPECT_THROW(inverted_noise(best_guess, latents, {2, 1}), std::invalid_argument);
}

TEST(LocalDetail, IsNoneOfAFlatPicture) {
  const at::Tensor detail = local_detail(at::full({1, 3, 32, 48}, 0.3), 16, 8);
  EXPECT_EQ(detail.sizes(), at::IntArrayRef({1, 1, 4, 6}));
  EXPECT_EQ(detail.max().item<double>(), 0);
}

TEST(LocalDetail, IsWhereThePictureChanges) {
  at::manual_seed(3);
  at::Tensor picture = at::full({1, 3, 64, 128}, 0.5);
  picture.slice(3, 0, 64).copy_(at::rand({1, 3, 64, 64}));
  const at::Tensor detail = local_detail(picture, 16, 8);
  EXPECT_EQ(detail.max().item<double>(), 1);
  EXPECT_GT(detail.slice(3, 0, 6).min().item<double>(), 0.5);
  EXPECT_LT(detail.slice(3, 11).max().item<double>(), 1e-5) << "a kernel's reach away";
}

// Mean over kernel x kernel of |luma - its mean|, mirrored, written out for one place.
TEST(LocalDetail, IsTheMeanDistanceFromTheLocalMean) {
  at::manual_seed(4);
  const at::Tensor picture = at::rand({1, 3, 12, 12});
  const auto luma = [&](int y, int x) {
    const auto mirror = [](int i) { return i < 0 ? -i : i > 11 ? 22 - i : i; };
    const at::Tensor rgb = picture[0].select(1, mirror(y)).select(1, mirror(x));
    return 0.299 * rgb[0].item<double>() + 0.587 * rgb[1].item<double>() + 0.114 * rgb[2].item<double>();
  };
  const auto mean = [](int y, int x, const auto& of) {  // 3 x 3
    double sum = 0;
    for (int v = -1; v <= 1; ++v)
      for (int u = -1; u <= 1; ++u) sum += of(y + v, x + u);
    return sum / 9;
  };
  const auto mirrored = [](int i) { return i < 0 ? -i : i > 11 ? 22 - i : i; };
  const auto distance = [&](int y, int x) {
    const int v = mirrored(y), u = mirrored(x);
    return std::abs(luma(v, u) - mean(v, u, luma));
  };
  double most = 0;
  for (int y = 0; y < 12; ++y)
    for (int x = 0; x < 12; ++x) most = std::max(most, mean(y, x, distance));
  const at::Tensor detail = local_detail(picture, 3, 1);
  for (const auto& [y, x] : {std::pair{0, 0}, {5, 6}, {11, 3}})
    EXPECT_NEAR(detail[0][0][y][x].item<double>(), mean(y, x, distance) / most, 1e-5);
}

TEST(MixedNoise, IsOfUnitVarianceAndOneOrTheOtherAtTheEnds) {
  at::manual_seed(5);
  const at::Tensor inverted = at::randn({1, 4, 64, 64}), fresh = at::randn({1, 4, 64, 64});
  const at::Tensor whole = at::ones({1, 1, 64, 64});
  EXPECT_TRUE(at::equal(mixed_noise(inverted, fresh, whole, 0), inverted));
  EXPECT_TRUE(at::equal(mixed_noise(inverted, fresh, whole, 1), fresh));
  EXPECT_TRUE(at::equal(mixed_noise(inverted, fresh, whole * 0, 1), inverted));
  EXPECT_NEAR(mixed_noise(inverted, fresh, whole, 0.3).std().item<double>(), 1, 0.02) << "16,384 numbers";
}

}  // namespace
}  // namespace upbench::test
