#include "datasets/degradation/noise.h"

#include <cmath>
#include <vector>

#include <gtest/gtest.h>

namespace upbench::test {
namespace {

constexpr std::size_t kPixels = 100'000;

std::vector<float> plain(float value) {
  return std::vector<float>(3 * kPixels, value);
}

struct Statistics {
  double mean = 0, variance = 0, kurtosis = 0;
};

Statistics statistics(const std::vector<double>& values) {
  Statistics result;
  double fourth = 0;
  for (const double value : values) result.mean += value / static_cast<double>(values.size());
  for (const double value : values) {
    const double square = (value - result.mean) * (value - result.mean);
    result.variance += square / static_cast<double>(values.size());
    fourth += square * square / static_cast<double>(values.size());
  }
  result.kurtosis = fourth / (result.variance * result.variance);
  return result;
}

std::vector<double> noise_of(const std::vector<float>& noisy, const std::vector<float>& clean) {
  std::vector<double> noise;
  for (std::size_t i = 0; i < noisy.size(); ++i) noise.push_back(double{noisy[i]} - clean[i]);
  return noise;
}

// Tolerances: five standard errors of 300,000 samples.
TEST(GaussianNoise, HasTheAskedMeanVarianceAndShape) {
  const auto clean = plain(0.5F);
  auto noisy = clean;
  add_gaussian_noise(noisy.data(), kPixels, 10, false, procedural::Random(7));
  const Statistics found = statistics(noise_of(noisy, clean));
  const double sigma = 10.0 / 255, count = 3.0 * kPixels;
  EXPECT_NEAR(found.mean, 0, 5 * sigma / std::sqrt(count));
  EXPECT_NEAR(found.variance, sigma * sigma, 5 * sigma * sigma * std::sqrt(2 / count));
  EXPECT_NEAR(found.kurtosis, 3, 5 * std::sqrt(24 / count));
}

TEST(GaussianNoise, NeighboursAndChannelsAreIndependent) {
  const auto clean = plain(0.5F);
  auto noisy = clean;
  add_gaussian_noise(noisy.data(), kPixels, 10, false, procedural::Random(8));
  const auto noise = noise_of(noisy, clean);
  const double variance = statistics(noise).variance;
  for (const std::size_t apart : {std::size_t{1}, std::size_t{2}, kPixels}) {
    double covariance = 0;
    for (std::size_t i = 0; i + apart < noise.size(); ++i) covariance += noise[i] * noise[i + apart];
    covariance /= static_cast<double>(noise.size() - apart);
    EXPECT_NEAR(covariance / variance, 0, 5 / std::sqrt(static_cast<double>(noise.size() - apart))) << apart;
  }
}

TEST(GaussianNoise, GreyIsTheSameInAllChannels) {
  auto noisy = plain(0.5F);
  add_gaussian_noise(noisy.data(), kPixels, 20, true, procedural::Random(9));
  for (std::size_t i = 0; i < kPixels; ++i) {
    ASSERT_EQ(noisy[i], noisy[kPixels + i]);
    ASSERT_EQ(noisy[i], noisy[2 * kPixels + i]);
  }
}

TEST(GaussianNoise, StaysInTheRangeOfPictures) {
  auto noisy = plain(0.99F);
  add_gaussian_noise(noisy.data(), kPixels, 60, false, procedural::Random(1));
  for (const float sample : noisy) ASSERT_TRUE(sample >= 0 && sample <= 1);
}

// All 256 levels occur, so white is 256 photons: at level v the noise has the variance v / 255 / 256.
TEST(PoissonNoise, HasTheVarianceOfCountedPhotons) {
  std::vector<float> clean(3 * kPixels);
  for (std::size_t i = 0; i < clean.size(); ++i) clean[i] = static_cast<float>(i % 256) / 255.0F;
  auto noisy = clean;
  constexpr double kScale = 0.5;  // little enough that nothing is clamped
  add_poisson_noise(noisy.data(), kPixels, kScale, false, procedural::Random(3));
  const auto noise = noise_of(noisy, clean);
  for (const std::size_t level : {std::size_t{40}, std::size_t{128}, std::size_t{200}}) {
    std::vector<double> there;
    for (std::size_t i = level; i < noise.size(); i += 256) there.push_back(noise[i]);
    const double variance = kScale * kScale * static_cast<double>(level) / 255 / 256;
    const auto count = static_cast<double>(there.size());
    const Statistics found = statistics(there);
    EXPECT_NEAR(found.mean, 0, 5 * std::sqrt(variance / count)) << level;
    EXPECT_NEAR(found.variance, variance, 5 * variance * std::sqrt(2.1 / count)) << level;
  }
  for (std::size_t i = 0; i < noise.size(); i += 256) ASSERT_EQ(noise[i], 0);  // black has no photons
}

// Two levels: white is two photons. At level 127.5 -> 128 the mean count is 256 / 255, none of them e^-1.004.
TEST(PoissonNoise, TwoLevelsCountTwoPhotons) {
  auto clean = plain(128.0F / 255);
  clean[0] = 0;
  auto noisy = clean;
  add_poisson_noise(noisy.data(), kPixels, 1, false, procedural::Random(4));
  std::size_t none = 0;
  for (const float sample : noisy) {
    ASSERT_TRUE(std::abs(sample) < 1e-6 || std::abs(sample - 0.5) < 1e-6 || std::abs(sample - 1) < 1e-6);
    none += sample < 0.25F;
  }
  const double expected = std::exp(-256.0 / 255), count = 3.0 * kPixels;
  EXPECT_NEAR(static_cast<double>(none) / count, expected, 5 * std::sqrt(expected * (1 - expected) / count));
}

TEST(PoissonNoise, GreyFollowsTheLuma) {
  std::vector<float> clean(3 * kPixels, 0.0F);
  for (std::size_t i = 0; i < kPixels; ++i) clean[kPixels + i] = 0.5F;  // green: luma 0.2935 -> level 75
  auto noisy = clean;
  add_poisson_noise(noisy.data(), kPixels, 0.2, true, procedural::Random(5));
  // One level: white is one photon, noise of 0.2 (count - 75 / 255). Red and blue lose what is below 0.
  for (std::size_t i = 0; i < kPixels; ++i) {
    if (noisy[kPixels + i] >= 1) continue;  // clamped
    const double noise = double{noisy[kPixels + i]} - 0.5, photons = noise / 0.2 + 75.0 / 255;
    ASSERT_NEAR(photons, std::round(photons), 1e-5);    // float32
    ASSERT_NEAR(noisy[i], std::max(0.0, noise), 1e-6);  // float32
  }
}

TEST(Noise, TheSameStreamGivesTheSameNoise) {
  auto first = plain(0.4F), second = first, other = first;
  add_poisson_noise(first.data(), kPixels, 1, false, procedural::Random(6));
  add_poisson_noise(second.data(), kPixels, 1, false, procedural::Random(6));
  add_poisson_noise(other.data(), kPixels, 1, false, procedural::Random(60));
  EXPECT_EQ(first, second);
  EXPECT_NE(first, other);
}

// The numbers must never change: data sets are made from them. Values of this implementation's first version.
TEST(Noise, TheFirstNumbersStay) {
  std::vector<float> samples(12, 0.5F);
  add_gaussian_noise(samples.data(), 4, 25.5, false, procedural::Random(1));
  std::vector<int> thousandths;
  for (const float sample : samples)
    thousandths.push_back(static_cast<int>(std::lround((sample - 0.5F) * 1000)));
  EXPECT_EQ(thousandths, (std::vector<int>{-11, -107, 67, 121, 63, -105, -49, 126, -207, -8, 35, -6}));
}

}  // namespace
}  // namespace upbench::test
