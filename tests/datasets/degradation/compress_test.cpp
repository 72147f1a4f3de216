#include "datasets/degradation/compress.h"

#include <memory>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <webp/decode.h>

#include "datasets/codec/decode.h"
#include "datasets/procedural.h"
#include "tests/datasets/picture_files.h"

namespace upbench::test {
namespace {

Raster picture() {
  return render_procedural({.cls = "dead-leaves", .size = 67});
}

TEST(ThroughJpeg, EqualsLibjpegsOwnEncodingOfTheSameQuality) {
  for (const int quality : {1, 30, 75, 95, 100}) {
    const auto file = jpeg_file(picture(), {.quality = quality, .subsampled = true});
    EXPECT_EQ(encode_lossy_jpeg(picture(), quality), file) << quality;
    EXPECT_EQ(through_jpeg(picture(), quality).samples, decode(file, "test").samples) << quality;
  }
}

TEST(ThroughJpeg, ChromaIsSubsampled) {
  const auto full = jpeg_file(picture(), {.quality = 90, .subsampled = false});
  EXPECT_NE(through_jpeg(picture(), 90).samples, decode(full, "test").samples);
}

TEST(ThroughWebp, EqualsLibwebpsOwnDecodingOfWhatWasEncoded) {
  for (const int quality : {0, 40, 100}) {
    const auto file = encode_lossy_webp(picture(), quality);
    int width = 0, height = 0;
    const std::unique_ptr<std::uint8_t, decltype(&WebPFree)> pixels(
        WebPDecodeRGB(file.data(), file.size(), &width, &height), WebPFree);
    ASSERT_TRUE(pixels);
    const Raster made = through_webp(picture(), quality);
    ASSERT_EQ(made.width, width);
    ASSERT_EQ(made.height, height);
    EXPECT_EQ(made.samples, std::vector<std::uint8_t>(pixels.get(), pixels.get() + made.samples.size()));
    EXPECT_NE(made.samples, picture().samples);  // lossy
  }
}

TEST(Compress, LowerQualityMakesSmallerFiles) {
  EXPECT_LT(encode_lossy_jpeg(picture(), 20).size(), encode_lossy_jpeg(picture(), 80).size());
  EXPECT_LT(encode_lossy_webp(picture(), 20).size(), encode_lossy_webp(picture(), 80).size());
}

TEST(Compress, PicturesTooLargeForTheFormatAreRefused) {
  const Raster wide{.width = 65501, .height = 1, .samples = std::vector<std::uint8_t>(3 * 65501)};
  EXPECT_THAT(refusal([&] { through_jpeg(wide, 50); }), testing::HasSubstr("sides of up to 65500"));
  const Raster tall{.width = 1, .height = 16384, .samples = std::vector<std::uint8_t>(3 * 16384)};
  EXPECT_THAT(refusal([&] { through_webp(tall, 50); }), testing::HasSubstr("sides of up to 16383"));
  const Raster grey{.width = 2, .height = 2, .channels = 1, .samples = {0, 1, 2, 3}};
  EXPECT_THROW(through_jpeg(grey, 50), std::invalid_argument);
}

}  // namespace
}  // namespace upbench::test
