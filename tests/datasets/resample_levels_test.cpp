// Samples and 8-bit levels, and what works on levels directly.
#include <cstdint>
#include <limits>
#include <vector>

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "datasets/image.h"
#include "datasets/resample.h"
#include "datasets/resampling/fixed_point.h"
#include "datasets/resampling/kernels.h"
#include "datasets/resampling/levels.h"
#include "datasets/resampling/pick.h"
#include "tests/datasets/picture_files.h"

namespace upbench::test {
namespace {

using ::testing::ElementsAre;

std::vector<int> levels_of(const std::vector<float>& samples) {
  std::vector<std::uint8_t> levels(samples.size());
  to_levels(samples.data(), samples.size(), levels.data());
  return {levels.begin(), levels.end()};
}

TEST(Levels, AreClampedAndRoundedHalfToEven) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  EXPECT_THAT(
      levels_of({0, 1, -0.5F, 1.5F, -kInfinity, kInfinity, std::numeric_limits<float>::quiet_NaN(), -0.0F}),
      ElementsAre(0, 255, 0, 255, 0, 255, 0, 0));
  // Products with 255 that are exact: 0.5 x 255 = 127.5, and so on.
  EXPECT_THAT(levels_of({0.5F, 0.25F, 0.75F, 0x1p-1F + 0x1p-9F, 0.125F}),
              ElementsAre(128, 64, 191, 128, 32));  // of 127.5, 63.75, 191.25, 127.998, 31.875
}

// Of every length that leaves vectors partly filled.
TEST(Levels, GoToSamplesAndBackAtEveryLength) {
  for (std::size_t count = 0; count <= 256; ++count) {
    std::vector<std::uint8_t> levels(count), back(count);
    for (std::size_t i = 0; i < count; ++i) levels[i] = static_cast<std::uint8_t>(255 - i);
    std::vector<float> samples(count);
    to_samples(levels.data(), count, samples.data());
    for (std::size_t i = 0; i < count; ++i)
      ASSERT_EQ(samples[i], static_cast<float>(255 - i) / 255.0F) << count << " " << i;
    to_levels(samples.data(), count, back.data());
    EXPECT_EQ(back, levels);
  }
}

TEST(Levels, RoundingInPlaceIsWhatSavingDoes) {
  Image image = at::rand({3, 31, 77}, at::make_generator<at::CPUGeneratorImpl>(5)) * 1.2 - 0.1;
  const Image expected = quantized(image);
  round_to_levels(image.mutable_data_ptr<float>(), static_cast<std::size_t>(image.numel()));
  EXPECT_TRUE(at::equal(image, expected));
}

// Every width of blocks: outputs that need one, several and too many registers, and rows narrower than one.
TEST(PickedPixels, AreThoseOfTheTableAtEverySize) {
  for (const int width : {1, 3, 7, 15, 16, 17, 31, 64, 67, 130}) {
    std::vector<std::uint8_t> bytes(static_cast<std::size_t>(2 * width));
    std::vector<float> samples(bytes.size());
    for (std::size_t i = 0; i < bytes.size(); ++i)
      samples[i] = static_cast<float>(bytes[i] = static_cast<std::uint8_t>(i)) - 40;  // not in [0, 1]
    const AxisWeights rows = kernel_weights("nearest", 2, 5);
    for (int out_width = 1; out_width <= 150; ++out_width) {
      const AxisWeights columns = kernel_weights("pil-nearest", width, out_width);
      ASSERT_TRUE(picks(rows, columns));
      const std::size_t size = 5 * columns.first.size();
      std::vector<std::uint8_t> picked_bytes(size);
      std::vector<float> picked(size);
      pick_pixels(bytes.data(), 1, 2, width, rows, columns, picked_bytes.data());
      pick_pixels(samples.data(), 1, 2, width, rows, columns, picked.data());
      for (std::size_t i = 0; i < size; ++i) {
        const auto from = static_cast<std::size_t>(rows.first[i / columns.first.size()] * width +
                                                   columns.first[i % columns.first.size()]);
        ASSERT_EQ(picked_bytes[i], bytes[from]) << width << " to " << out_width;
        ASSERT_EQ(picked[i], samples[from]) << width << " to " << out_width;
      }
    }
  }
}

TEST(FixedPoint, LevelsAreResizedAsThePictureTheyMake) {
  for (const auto& [from, to] : std::vector<std::pair<std::pair<int, int>, std::pair<int, int>>>{
           {{30, 41}, {60, 82}}, {{30, 41}, {7, 5}}, {{48, 64}, {12, 16}}, {{5, 3}, {11, 35}}}) {
    const Image image = to_image(random_raster(from.second, from.first));
    const at::Tensor levels = image.mul(255).round().to(at::kByte);
    for (const ResampleKernel& kernel : resample_kernels()) {
      if (kernel_arithmetic(kernel.name) != Arithmetic::fixed_point) continue;
      at::Tensor made = at::empty({3, to.first, to.second}, at::kByte);
      resize_fixed_point(levels.const_data_ptr<std::uint8_t>(), 3, from.first, from.second,
                         kernel_weights(kernel.name, from.first, to.first),
                         kernel_weights(kernel.name, from.second, to.second),
                         made.mutable_data_ptr<std::uint8_t>());
      EXPECT_TRUE(at::equal(made.to(at::kFloat).div(255), resample(image, to.first, to.second, kernel.name)))
          << kernel.name << " " << to.second << "x" << to.first;
    }
  }
}

}  // namespace
}  // namespace upbench::test
