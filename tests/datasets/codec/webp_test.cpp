#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <webp/decode.h>

#include "datasets/codec/decode.h"
#include "datasets/codec/encode.h"
#include "tests/datasets/codec/format_files.h"

namespace upbench::test {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::string refused(const FileBytes& file) {
  return refusal([&] { decode(file, "a.webp"); });
}

TEST(Webp, LosslessKeepsEverySample) {
  for (const auto& [width, height] : {std::pair{1, 1}, {1, 17}, {19, 1}, {33, 20}}) {
    const Raster raster = random_raster(width, height);
    const Raster read = decode(webp_file(raster), "a.webp");
    EXPECT_EQ(read.samples, raster.samples) << width << "x" << height;
    EXPECT_EQ(read.channels, 3);
    EXPECT_TRUE(read.notes.empty());
  }
}

TEST(Webp, EncoderKeepsEverySampleEvenWhereNothingShows) {
  for (const int channels : {3, 4}) {
    for (const int effort : {0, 6, 9}) {
      Raster raster = random_raster(23, 11, channels);
      if (channels == 4) raster.samples[3] = raster.samples[7] = 0;
      const FileBytes file = encode_webp(raster, {.effort = effort});
      const Raster read = decode(file, "a.webp");
      EXPECT_EQ(read.samples, raster.samples) << channels << " channels, effort " << effort;
      EXPECT_EQ(read.channels, channels);
      EXPECT_EQ(read_header(file, "a.webp").notes, read.notes);
    }
  }
}

TEST(Webp, WhatCannotBeEncodedIsRefused) {
  EXPECT_THROW(encode_webp(random_raster(2, 2, 1)), std::invalid_argument);
  EXPECT_THROW(encode_webp(random_raster(2, 2, 3, 16)), std::invalid_argument);
  EXPECT_THROW(encode_webp(random_raster(16384, 1)), std::invalid_argument);
  EXPECT_THROW(encode_webp(random_raster(2, 2), {.effort = 10}), std::invalid_argument);
  EXPECT_THROW(encode_webp(Raster{.width = 2, .height = 2}), std::invalid_argument);
}

TEST(Webp, LossyDecodesToWhatTheLibraryDecodes) {
  for (const int channels : {3, 4}) {
    const FileBytes file = webp_file(random_raster(37, 21, channels), {.lossless = false});
    int width = 0, height = 0;
    std::uint8_t* const plain =
        (channels == 4 ? WebPDecodeRGBA : WebPDecodeRGB)(file.data(), file.size(), &width, &height);
    const Raster read = decode(file, "a.webp");
    EXPECT_EQ(read.samples, FileBytes(plain, plain + width * height * channels));
    WebPFree(plain);
    EXPECT_EQ(read.notes,
              channels == 4 ? std::vector<std::string>{"alpha ignored"} : std::vector<std::string>{});
  }
}

TEST(Webp, AnimationIsRefusedByName) {
  const Raster raster = random_raster(4, 4);
  const auto [name, data] = webp_picture_chunks(webp_file(raster)).at(0);
  FileBytes frame{0, 0, 0, 0, 0, 0, 3, 0, 0, 3, 0, 0, 100, 0, 0, 0};  // place, size - 1, duration, flags
  const FileBytes still = webp_container({{name, data}});
  frame.insert(frame.end(), still.begin() + 12, still.end());
  const FileBytes file = webp_container({{"VP8X", webp_extended_header(0x02, 4, 4)},
                                         {"ANIM", {0, 0, 0, 0, 0, 0}},
                                         {"ANMF", frame},
                                         {"ANMF", frame}});
  EXPECT_EQ(refused(file), "a.webp: animated WebP is not supported; expected a still picture");
}

TEST(Webp, ContainerThatIsWholeAroundACutPictureIsRefused) {
  for (const bool lossless : {true, false}) {
    auto [name, data] = webp_picture_chunks(webp_file(random_raster(16, 16), {.lossless = lossless})).at(0);
    for (const std::size_t size :
         {std::size_t{0}, std::size_t{5}, std::size_t{20}, data.size() / 2, data.size() - 8}) {
      const FileBytes cut(data.begin(), data.begin() + static_cast<std::ptrdiff_t>(size));
      EXPECT_THAT(refused(webp_container({{name, cut}})), HasSubstr("corrupt"))
          << size << " of " << data.size();
    }
  }
}

TEST(Webp, BrokenContainersAreRefusedWithTheirReason) {
  const FileBytes sound = webp_file(random_raster(5, 5));
  FileBytes no_riff = sound, long_file = sound, long_chunk = sound;
  no_riff[0] = 'X';
  long_file[4] = static_cast<std::uint8_t>(long_file[4] + 2);
  long_chunk[16] = static_cast<std::uint8_t>(long_chunk[16] + 2);
  EXPECT_THAT(refused(no_riff), HasSubstr("does not begin with RIFF"));
  EXPECT_THAT(refused(long_file), HasSubstr("WebP truncated at byte"));
  EXPECT_THAT(refused(long_chunk), HasSubstr("the chunk at byte 12 says"));
  EXPECT_THAT(refused(webp_container({})), HasSubstr("corrupt"));
  EXPECT_THAT(refused(webp_container({{"VP8X", webp_extended_header(0, 5, 5)}})), HasSubstr("corrupt"));
  const auto [name, data] = webp_picture_chunks(sound).at(0);
  EXPECT_THAT(refused(webp_container({{"VP8X", webp_extended_header(0, 6, 5)}, {name, data}})),
              HasSubstr("corrupt"));
}

TEST(Webp, BytesAfterTheEndAreNoted) {
  FileBytes file = webp_file(random_raster(4, 4));
  file.insert(file.end(), {1, 2, 3});
  EXPECT_THAT(decode(file, "a.webp").notes, ElementsAre("3 bytes after the end of the WebP ignored"));
}

TEST(Webp, SizeBeyondTheLimitIsRefusedBeforeDecoding) {
  const FileBytes file = webp_file(random_raster(16, 16));
  EXPECT_THAT(refusal([&] { decode(file, "a.webp", {.max_pixels = 255}); }),
              AllOf(HasSubstr("16x16"), HasSubstr("more than the limit")));
}

TEST(Webp, ExifIsReadWithAndWithoutThePrefixOfJpeg) {
  const Raster raster = random_raster(3, 2);
  FileBytes prefixed{'E', 'x', 'i', 'f', 0, 0};
  const FileBytes plain = exif_block(6);
  prefixed.insert(prefixed.end(), plain.begin(), plain.end());
  for (const FileBytes& exif : {plain, prefixed}) {
    const Raster read = decode(webp_file(raster, {.exif = exif}), "a.webp");
    EXPECT_EQ(read.width, 2);
    EXPECT_THAT(read.notes, Contains("EXIF orientation 6 applied"));
  }
}

}  // namespace
}  // namespace upbench::test
