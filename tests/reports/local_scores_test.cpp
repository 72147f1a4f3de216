// Known answers, and the same scores by the formula in double precision, a window at a time.
#include "reports/pictures/local_scores.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <stdexcept>

#include <gtest/gtest.h>

#include "tests/reports/sample_run.h"

namespace upbench {
namespace {

Raster drawn(int width, int height, const std::function<int(int x, int y, int channel)>& value) {
  Raster raster{.width = width, .height = height, .samples = {}};
  for (int y = 0; y < height; ++y)
    for (int x = 0; x < width; ++x)
      for (int c = 0; c < 3; ++c) raster.samples.push_back(static_cast<std::uint8_t>(value(x, y, c)));
  return raster;
}

// 0 to below `most`, different at each place.
int noise_at(int x, int y, int channel, int most) {
  return static_cast<int>((test::noise(std::size_t(y) * 64 + std::size_t(x), std::size_t(channel)) + 0.5) *
                          most);
}

Raster flat(int width, int height, int value) {
  return drawn(width, height, [=](int, int, int) { return value; });
}

double luma(const Raster& raster, int x, int y) {
  const auto mirrored = [](int i, int size) { return i < 0 ? -i : i >= size ? 2 * size - 2 - i : i; };
  x = mirrored(x, raster.width);
  y = mirrored(y, raster.height);
  const std::uint8_t* rgb =
      &raster.samples[3 * (std::size_t(y) * std::size_t(raster.width) + std::size_t(x))];
  return 16 + (65.481 * rgb[0] + 128.553 * rgb[1] + 24.966 * rgb[2]) / 255;
}

double ssim_at(const Raster& a, const Raster& b, int x, int y) {
  double total = 0, ma = 0, mb = 0, aa = 0, bb = 0, ab = 0;
  for (int dy = -5; dy <= 5; ++dy)
    for (int dx = -5; dx <= 5; ++dx) {
      const double w = std::exp(-(dx * dx + dy * dy) / (2 * 1.5 * 1.5));
      const double va = luma(a, x + dx, y + dy), vb = luma(b, x + dx, y + dy);
      total += w;
      ma += w * va;
      mb += w * vb;
      aa += w * va * va;
      bb += w * vb * vb;
      ab += w * va * vb;
    }
  ma /= total;
  mb /= total;
  const double c1 = 6.5025, c2 = 58.5225;  // (0.01 * 255)^2, (0.03 * 255)^2
  return (2 * ma * mb + c1) * (2 * (ab / total - ma * mb) + c2) /
         ((ma * ma + mb * mb + c1) * (aa / total - ma * ma + bb / total - mb * mb + c2));
}

TEST(LocalScores, FlatPicturesDifferInMeanAlone) {
  const LocalScores scores = local_scores(flat(24, 16, 100), flat(24, 16, 120));
  ASSERT_EQ(scores.columns, 3);
  ASSERT_EQ(scores.rows, 2);
  const double a = 16 + 219 * 100 / 255.0, b = 16 + 219 * 120 / 255.0;
  for (const float loss : scores.ssim_loss)
    EXPECT_NEAR(loss, 1 - (2 * a * b + 6.5025) / (a * a + b * b + 6.5025), 1e-5);
  for (const float error : scores.error) EXPECT_NEAR(error, b - a, 1e-4) << "float32 of values near 100";
}

TEST(LocalScores, EqualPicturesLoseNothing) {
  const Raster noise = drawn(40, 33, [](int x, int y, int c) { return noise_at(x, y, c, 256); });
  const LocalScores scores = local_scores(noise, noise);
  for (const float loss : scores.ssim_loss) EXPECT_EQ(loss, 0);
  for (const float error : scores.error) EXPECT_EQ(error, 0);
}

// 22 x 19 pixels are 3 x 3 blocks of 7 1/3 x 6 1/3: a pixel on a border counts in both blocks by its share.
TEST(LocalScores, BlocksAreMeansOfTheFormulaOverTheirPixels) {
  const Raster reference = drawn(22, 19, [](int x, int y, int c) { return (9 * x + 5 * y + 20 * c) % 256; });
  const Raster output = drawn(22, 19, [](int x, int y, int c) {
    return std::clamp((9 * x + 5 * y + 20 * c) % 256 + noise_at(x, y, c, 41) - 20, 0, 255);
  });
  const LocalScores scores = local_scores(output, reference);
  ASSERT_EQ(scores.columns * scores.rows, 9);
  for (int row = 0; row < 3; ++row)
    for (int column = 0; column < 3; ++column) {
      double loss = 0, square = 0, area = 0;
      for (int y = 0; y < 19; ++y)
        for (int x = 0; x < 22; ++x) {
          const auto share = [](int at, int block, double side) {
            return std::max(0.0, std::min(at + 1.0, (block + 1) * side) - std::max<double>(at, block * side));
          };
          const double weight = share(x, column, 22 / 3.0) * share(y, row, 19 / 3.0);
          if (weight == 0) continue;
          area += weight;
          loss += weight * (1 - ssim_at(output, reference, x, y));
          square += weight * std::pow(luma(output, x, y) - luma(reference, x, y), 2);
        }
      const auto block = std::size_t{3} * static_cast<std::size_t>(row) + static_cast<std::size_t>(column);
      EXPECT_NEAR(scores.ssim_loss[block], loss / area, 2e-5) << "float32 sums of squares";
      EXPECT_NEAR(scores.error[block], std::sqrt(square / area), 1e-3);
    }
}

TEST(LocalScores, OtherPicturesAreRefused) {
  EXPECT_THROW(local_scores(flat(16, 16, 0), flat(16, 17, 0)), std::invalid_argument);
  const Raster grey{.width = 2, .height = 1, .channels = 1, .samples = {1, 2}};
  EXPECT_THROW(local_scores(grey, grey), std::invalid_argument);
}

}  // namespace
}  // namespace upbench
