#include "datasets/codec/orientation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "datasets/codec/decode.h"
#include "datasets/codec/encode.h"
#include "tests/datasets/codec/format_files.h"

namespace upbench::test {
namespace {

using ::testing::Contains;
using ::testing::ElementsAreArray;
using ::testing::HasSubstr;

struct Upright {
  int orientation;
  int width, height;
  std::vector<std::uint8_t> samples;
};

// Stored:  1 2 3
//          4 5 6
const std::vector<Upright> kUpright{
    {1, 3, 2, {1, 2, 3, 4, 5, 6}},  // as it is
    {2, 3, 2, {3, 2, 1, 6, 5, 4}},  // mirrored left to right
    {3, 3, 2, {6, 5, 4, 3, 2, 1}},  // turned by 180 degrees
    {4, 3, 2, {4, 5, 6, 1, 2, 3}},  // mirrored top to bottom
    {5, 2, 3, {1, 4, 2, 5, 3, 6}},  // transposed
    {6, 2, 3, {4, 1, 5, 2, 6, 3}},  // turned clockwise
    {7, 2, 3, {6, 3, 5, 2, 4, 1}},  // transposed across the other diagonal
    {8, 2, 3, {3, 6, 2, 5, 1, 4}},  // turned counter-clockwise
};

TEST(Orientation, AllEightAreAppliedInPng) {
  for (const Upright& upright : kUpright) {
    const FileBytes file =
        png_file({.width = 3,
                  .height = 2,
                  .colour_type = 0,
                  .scanlines = {0, 1, 2, 3, 0, 4, 5, 6},
                  .before_data = {{"eXIf", exif_block(upright.orientation, upright.orientation % 2 == 0)}}});
    const Raster raster = decode(file, "a.png");
    EXPECT_THAT(raster.samples, ElementsAreArray(upright.samples)) << upright.orientation;
    EXPECT_EQ(raster.width, upright.width);
    EXPECT_EQ(raster.height, upright.height);
    const RasterHeader header = read_header(file, "a.png");
    EXPECT_EQ(header.width, upright.width);
    EXPECT_EQ(header.height, upright.height);
    EXPECT_EQ(header.notes, raster.notes);
  }
}

// Lossless formats, in RGB or grey: the first channel holds the numbers.
void expect_upright(const FileBytes& file, const Upright& upright) {
  const Raster raster = decode(file, "a");
  ASSERT_EQ(raster.width, upright.width) << upright.orientation;
  ASSERT_EQ(raster.height, upright.height) << upright.orientation;
  for (std::size_t i = 0; i < upright.samples.size(); ++i) {
    EXPECT_EQ(raster.samples[i * static_cast<std::size_t>(raster.channels)], upright.samples[i])
        << upright.orientation << " at " << i;
  }
  const RasterHeader header = read_header(file, "a");
  EXPECT_EQ(header.width, upright.width);
  EXPECT_EQ(header.height, upright.height);
  EXPECT_EQ(header.notes, raster.notes);
}

TEST(Orientation, AllEightAreAppliedInWebp) {
  Raster stored{.width = 3, .height = 2};
  for (std::uint8_t i = 1; i <= 6; ++i) stored.samples.insert(stored.samples.end(), 3, i);
  for (const Upright& upright : kUpright)
    expect_upright(webp_file(stored, {.exif = exif_block(upright.orientation)}), upright);
}

TEST(Orientation, AllEightAreAppliedInTiff) {
  const Raster stored{.width = 3, .height = 2, .channels = 1, .samples = {1, 2, 3, 4, 5, 6}};
  for (const Upright& upright : kUpright)
    expect_upright(tiff_file(stored, {.orientation = upright.orientation}), upright);
}

TEST(Orientation, AllEightAreAppliedInJpeg) {
  // Four flat blocks of 8x8: what JPEG does to them is far below their differences.
  Raster stored{.width = 24, .height = 16, .channels = 1};
  for (int y = 0; y < 16; ++y) {
    for (int x = 0; x < 24; ++x)
      stored.samples.push_back(static_cast<std::uint8_t>(30 * (1 + x / 8 + 3 * (y / 8))));
  }
  for (const Upright& upright : kUpright) {
    const Raster raster = decode(jpeg_file(stored, {.exif = exif_block(upright.orientation)}), "a.jpg");
    ASSERT_EQ(raster.width, upright.width * 8);
    ASSERT_EQ(raster.height, upright.height * 8);
    for (int y = 0; y < upright.height; ++y) {
      for (int x = 0; x < upright.width; ++x) {
        const int middle = raster.samples[static_cast<std::size_t>((y * 8 + 4) * raster.width + x * 8 + 4)];
        EXPECT_NEAR(middle, 30 * upright.samples[static_cast<std::size_t>(y * upright.width + x)], 5)
            << upright.orientation;
      }
    }
  }
}

TEST(Orientation, EveryLayoutIsTurnedByWholePixels) {
  for (const int channels : {1, 2, 3, 4}) {
    for (const int depth : {8, 16}) {
      const Raster raster = random_raster(7, 5, channels, depth);
      Raster turned = raster;
      for (int i = 0; i < 4; ++i) apply_orientation(turned, 6);  // four quarter turns
      EXPECT_EQ(turned.samples, raster.samples);
      EXPECT_EQ(turned.width, 7);
    }
  }
}

TEST(Orientation, BrokenBlocksLeaveThePictureUprightAndAreNoted) {
  const FileBytes sound = exif_block(6);
  for (std::size_t size = 0; size < 22; ++size) {  // up to the value, everything but the padding is needed
    std::vector<std::string> notes;
    EXPECT_EQ(read_orientation(Bytes(sound).first(size), notes), 1) << size;
    EXPECT_THAT(notes, Contains(HasSubstr("EXIF block is broken"))) << size;
  }
  FileBytes far = sound, many = sound;
  far[4] = far[5] = far[6] = far[7] = 0xff;
  many[8] = many[9] = 0xff;
  std::vector<std::string> notes;
  EXPECT_EQ(read_orientation(far, notes), 1);
  EXPECT_EQ(read_orientation(many, notes), 1);
  EXPECT_EQ(read_orientation(exif_block(9), notes), 1);
  EXPECT_EQ(read_orientation(exif_block(0), notes), 1);
  EXPECT_EQ(notes.size(), 4U);
}

}  // namespace
}  // namespace upbench::test
