#include "datasets/image.h"

#include <cmath>
#include <cstring>
#include <limits>

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/datasets/picture_files.h"

namespace upbench::test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(Image, SamplesAreDividedByTheLargest) {
  const Image image =
      to_image({.width = 1, .height = 1, .channels = 3, .bit_depth = 8, .samples = {0, 51, 255}});
  EXPECT_EQ(image.sizes(), at::IntArrayRef({3, 1, 1}));
  EXPECT_EQ(image[0].item<float>(), 0.0F);
  EXPECT_EQ(image[1].item<float>(), 51.0F / 255.0F);
  EXPECT_EQ(image[2].item<float>(), 1.0F);

  Raster deep{
      .width = 1, .height = 1, .channels = 3, .bit_depth = 16, .samples = std::vector<std::uint8_t>(6)};
  const std::uint16_t samples[] = {1, 40000, 65535};  // above 32767: not taken for negative
  std::memcpy(deep.samples.data(), samples, sizeof samples);
  const Image deep_image = to_image(deep);
  EXPECT_EQ(deep_image[0].item<float>(), 1.0F / 65535.0F);
  EXPECT_EQ(deep_image[1].item<float>(), 40000.0F / 65535.0F);
  EXPECT_EQ(deep_image[2].item<float>(), 1.0F);
}

TEST(Image, GreyBecomesThreeEqualChannelsAndAlphaIsDropped) {
  const Image grey = to_image({.width = 1, .height = 1, .channels = 1, .samples = {51}});
  EXPECT_TRUE(at::equal(grey, at::full({3, 1, 1}, 51.0F / 255.0F)));
  const Image grey_alpha = to_image({.width = 1, .height = 1, .channels = 2, .samples = {51, 3}});
  EXPECT_TRUE(at::equal(grey_alpha, grey));
  const Image colour = to_image({.width = 1, .height = 1, .channels = 4, .samples = {1, 2, 3, 4}});
  EXPECT_TRUE(at::equal(colour, to_image({.width = 1, .height = 1, .channels = 3, .samples = {1, 2, 3}})));
}

TEST(Image, RasterThereAndBackIsTheSameRaster) {
  for (const int depth : {8, 16}) {
    const Raster raster = random_raster(37, 23, 3, depth);
    EXPECT_EQ(to_raster(to_image(raster), depth).samples, raster.samples) << depth;
  }
}

TEST(Image, RoundingIsHalfToEvenAfterClamping) {
  const float step = 1.0F / 255.0F;
  // 0.5 and 2.5 in units of 1/255 are exact ties in float32; outside [0, 1] is clamped; NaN is 0.
  const Image image = at::tensor({0.5F * step, 2.5F * step, 1.5F * step, -3.0F, 7.0F,
                                  std::numeric_limits<float>::quiet_NaN()},
                                 at::kFloat)
                          .reshape({3, 1, 2});
  const Raster raster = to_raster(image);
  // Interleaved: pixel 0 takes elements 0, 2, 4; pixel 1 takes 1, 3, 5.
  EXPECT_THAT(raster.samples, ElementsAre(0, 2, 255, 2, 0, 0));
}

TEST(Image, QuantizedIsTheRasterReadBack) {
  at::manual_seed(1);
  const Image image = at::randn({3, 19, 31}) * 0.4 + 0.5;
  EXPECT_TRUE(at::equal(quantized(image), to_image(to_raster(image))));
  EXPECT_TRUE(at::equal(quantized(quantized(image)), quantized(image)));
}

TEST(Image, WrongLayoutsAreRefusedByName) {
  const auto reason = [](const at::Tensor& tensor) {
    return refusal([&] { require_image(tensor, "psnr"); });
  };
  EXPECT_EQ(reason(at::zeros({3, 4, 5})), "");
  EXPECT_EQ(reason(at::zeros({1, 4, 5})),
            "psnr: expected an RGB image [3, H, W] of float32, got [1, 4, 5] of Float");
  EXPECT_THAT(reason(at::zeros({3, 4, 5}, at::kDouble)), HasSubstr("of Double"));
  EXPECT_THAT(reason(at::zeros({1, 3, 4, 5})), HasSubstr("got [1, 3, 4, 5]"));
  EXPECT_THAT(reason(at::zeros({3, 0, 5})), HasSubstr("got [3, 0, 5]"));
  EXPECT_THAT(reason({}), HasSubstr("got no tensor"));
  EXPECT_THROW(to_image(Raster{.width = 2, .height = 2}), std::invalid_argument);
  EXPECT_THROW(to_raster(at::zeros({3, 4, 5}), 12), std::invalid_argument);
}

}  // namespace
}  // namespace upbench::test
