#include <cstring>
#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <tiff.h>

#include "datasets/codec/decode.h"
#include "tests/datasets/codec/format_files.h"

namespace upbench::test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::string refused(const FileBytes& file) {
  return refusal([&] { decode(file, "a.tif"); });
}

FileBytes floats(const std::vector<float>& values) {
  FileBytes bytes(values.size() * sizeof(float));
  std::memcpy(bytes.data(), values.data(), bytes.size());
  return bytes;
}

FileBytes float_tiff(int width, int height, int channels, const std::vector<float>& values) {
  return tiff_file(Raster{.width = width, .height = height, .channels = channels},
                   {.bits = 32, .sample_format = SAMPLEFORMAT_IEEEFP, .packed = floats(values)});
}

TEST(Tiff, EveryLayoutAndLosslessCompressionKeepsEverySample) {
  for (const int channels : {1, 2, 3, 4}) {
    for (const int depth : {8, 16}) {
      for (const int compression :
           {COMPRESSION_NONE, COMPRESSION_LZW, COMPRESSION_ADOBE_DEFLATE, COMPRESSION_PACKBITS}) {
        for (const bool planar : {false, true}) {
          for (const int tile : {0, 16}) {
            const Raster raster = random_raster(37, 21, channels, depth);
            const FileBytes file = tiff_file(
                raster, {.compression = compression, .tile = tile, .rows_per_strip = 5, .planar = planar});
            const Raster read = decode(file, "a.tif");
            ASSERT_EQ(read.samples, raster.samples)
                << channels << " channels, " << depth << " bit, compression " << compression
                << (planar ? ", planar, tile " : ", tile ") << tile;
            EXPECT_EQ(read.channels, channels);
            EXPECT_EQ(read.bit_depth, depth);
            EXPECT_EQ(read_header(file, "a.tif").notes, read.notes);
          }
        }
      }
    }
  }
}

TEST(Tiff, ByteOrdersOffsetSizesAndPredictorsDoNotMatter) {
  const Raster raster = random_raster(19, 13, 3, 16);
  for (const char* mode : {"wl", "wb", "wl8", "wb8"}) {
    for (const int predictor : {1, 2}) {
      const FileBytes file =
          tiff_file(raster, {.mode = mode, .compression = COMPRESSION_LZW, .predictor = predictor});
      EXPECT_EQ(decode(file, "a.tif").samples, raster.samples) << mode << " " << predictor;
    }
  }
}

TEST(Tiff, GreyOfFewBitsIsScaledToTheWholeRange) {
  const auto grey = [](int bits, int width, FileBytes row, int photometric = PHOTOMETRIC_MINISBLACK) {
    return decode(tiff_file(Raster{.width = width, .height = 1, .channels = 1},
                            {.photometric = photometric, .bits = bits, .packed = std::move(row)}),
                  "a.tif");
  };
  EXPECT_THAT(grey(1, 3, {0b10100000}).samples, ElementsAre(255, 0, 255));
  EXPECT_THAT(grey(2, 4, {0b00011011}).samples, ElementsAre(0, 85, 170, 255));
  EXPECT_THAT(grey(4, 3, {0x1f, 0x80}).samples, ElementsAre(17, 255, 136));
  const Raster inverted = grey(1, 3, {0b10100000}, PHOTOMETRIC_MINISWHITE);
  EXPECT_THAT(inverted.samples, ElementsAre(0, 255, 0));
  EXPECT_THAT(inverted.notes,
              ElementsAre("grey", "1-bit grey scaled to 8 bit", "white as zero turned to black as zero"));
}

TEST(Tiff, PaletteIsExpandedFromSixteenBitsOrFromEight) {
  // 256: as Pillow writes them.
  for (const std::size_t factor : {257u, 256u, 1u}) {
    std::vector<std::uint16_t> palette(3 * 4);
    for (std::size_t plane = 0; plane < 3; ++plane) {
      for (std::size_t i = 0; i < 4; ++i)
        palette[plane * 4 + i] = static_cast<std::uint16_t>(factor * (100 * plane + i));
    }
    const Raster read = decode(
        tiff_file(
            Raster{.width = 3, .height = 1, .channels = 1},
            {.photometric = PHOTOMETRIC_PALETTE, .bits = 2, .packed = {0b00111000}, .palette = palette}),
        "a.tif");
    EXPECT_THAT(read.samples, ElementsAre(0, 100, 200, 3, 103, 203, 2, 102, 202)) << factor;
    EXPECT_THAT(read.notes, ElementsAre("palette expanded"));
    EXPECT_EQ(read.channels, 3);
  }
}

TEST(Tiff, PremultipliedAlphaIsDividedOut) {
  const Raster raster{
      .width = 3, .height = 1, .channels = 4, .samples = {50, 100, 0, 100, 9, 9, 9, 0, 1, 2, 3, 255}};
  const Raster read = decode(tiff_file(raster, {.alpha = EXTRASAMPLE_ASSOCALPHA}), "a.tif");
  EXPECT_THAT(read.samples, ElementsAre(128, 255, 0, 100, 0, 0, 0, 0, 1, 2, 3, 255));
  EXPECT_THAT(read.notes, ElementsAre("premultiplied alpha divided out", "alpha ignored"));
  EXPECT_EQ(decode(tiff_file(raster, {.alpha = EXTRASAMPLE_UNSPECIFIED}), "a.tif").samples, raster.samples);
}

TEST(Tiff, JpegInsideIsDecodedToRgb) {
  const Raster flat{.width = 32, .height = 32, .channels = 3, .samples = [] {
                      FileBytes samples;
                      for (int i = 0; i < 32 * 32; ++i) samples.insert(samples.end(), {200, 100, 50});
                      return samples;
                    }()};
  for (const int tile : {0, 16}) {
    const FileBytes file =
        tiff_file(flat, {.compression = COMPRESSION_JPEG, .tile = tile, .rows_per_strip = 16});
    const Raster read = decode(file, "a.tif");
    ASSERT_EQ(read.samples.size(), flat.samples.size());
    for (std::size_t i = 0; i < 3; ++i) EXPECT_NEAR(read.samples[i], flat.samples[i], 2);  // quality 75, flat
  }
}

TEST(Tiff, FloatingPointWithinTheRangeBecomesSixteenBit) {
  const Raster read = decode(float_tiff(3, 1, 1, {0.0F, 0.25F, 1.0F}), "a.tif");
  EXPECT_EQ(read.bit_depth, 16);
  std::uint16_t samples[3];
  std::memcpy(samples, read.samples.data(), sizeof samples);
  EXPECT_THAT(samples, ElementsAre(0, 16384, 65535));
  EXPECT_THAT(read.notes, ElementsAre("grey", "32-bit float rounded to 16 bit"));
}

TEST(Tiff, FloatingPointOutsideTheRangeIsRefusedAndCounted) {
  constexpr float kNan = std::numeric_limits<float>::quiet_NaN(),
                  kInf = std::numeric_limits<float>::infinity();
  EXPECT_THAT(refused(float_tiff(2, 2, 3, {0, 1, kNan, kInf, -kInf, 1.5F, -0.1F, 2, 0, 0, 0, kNan})),
              HasSubstr("2 NaN, 2 infinite samples and 3 outside 0..1, of 12"));
}

TEST(Tiff, OnePictureIsReadAndSeveralPicturesAreRefused) {
  const Raster raster = random_raster(4, 3);
  EXPECT_THAT(refused(tiff_file(raster, {.pages = 3})), HasSubstr("TIFF with 3 pictures is not supported"));
  const Raster read = decode(tiff_file(raster, {.subfile_type = FILETYPE_REDUCEDIMAGE, .pages = 3}), "a.tif");
  EXPECT_EQ(read.samples, raster.samples);
  EXPECT_THAT(read.notes, ElementsAre("2 reduced copies ignored"));
}

TEST(Tiff, WhatIsNotReadIsNamed) {
  const Raster raster = random_raster(8, 8), grey = random_raster(8, 8, 1);
  const FileBytes data(8 * 8 * 4);
  EXPECT_THAT(refused(tiff_file(grey, {.bits = 32, .packed = data})),
              HasSubstr("1 unsigned samples of 32 bit"));
  EXPECT_THAT(refused(tiff_file(grey, {.sample_format = SAMPLEFORMAT_INT})),
              HasSubstr("signed samples of 8 bit"));
  EXPECT_THAT(refused(tiff_file(
                  grey, {.bits = 64, .sample_format = SAMPLEFORMAT_IEEEFP, .packed = FileBytes(8 * 8 * 8)})),
              HasSubstr("floating point samples of 64 bit"));
  EXPECT_THAT(
      refused(tiff_file(raster, {.photometric = PHOTOMETRIC_CIELAB})),
      HasSubstr("photometric interpretation 8 is not supported; expected grey (0, 1), RGB (2), palette (3), "
                "CMYK (5) or YCbCr (6)"));
  EXPECT_THAT(refused(tiff_file(random_raster(8, 8, 4), {.photometric = PHOTOMETRIC_MINISBLACK})),
              HasSubstr("4 samples a pixel where 1 are colour is not supported; expected these, and at most "
                        "one of alpha"));
}

// Entries of the first directory begin at `directory` + 2, twelve bytes each: tag, type, count, value.
std::size_t entry_of(const FileBytes& file, int tag) {
  const std::size_t directory = file[4] | std::size_t{file[5]} << 8 | std::size_t{file[6]} << 16;
  const std::size_t entries = file[directory];
  for (std::size_t i = 0; i < entries; ++i) {
    const std::size_t at = directory + 2 + 12 * i;
    if ((file[at] | file[at + 1] << 8) == tag) return at;
  }
  throw std::logic_error("no such tag in the file");
}

FileBytes with_value(FileBytes file, int tag, std::uint32_t value) {
  const std::size_t at = entry_of(file, tag) + 8;
  for (std::size_t i = 0; i < 4; ++i) file[at + i] = static_cast<std::uint8_t>(value >> 8 * i);
  return file;
}

TEST(Tiff, FaultsAreRefusedWithTheirReason) {
  const FileBytes strip = tiff_file(random_raster(8, 8), {.rows_per_strip = 8});
  const FileBytes tiles = tiff_file(random_raster(32, 32), {.tile = 16});
  EXPECT_THAT(refused(with_value(strip, TIFFTAG_IMAGEWIDTH, 0)), HasSubstr("TIFF"));
  EXPECT_THAT(refused(with_value(strip, TIFFTAG_IMAGELENGTH, 0)), HasSubstr("TIFF"));
  EXPECT_THAT(refused(with_value(strip, TIFFTAG_IMAGELENGTH, 9)), HasSubstr("corrupt or truncated"));
  EXPECT_THAT(refused(with_value(strip, TIFFTAG_STRIPOFFSETS, 1000000)), HasSubstr("corrupt or truncated"));
  EXPECT_THAT(refused(with_value(strip, TIFFTAG_STRIPBYTECOUNTS, 0)), HasSubstr("corrupt or truncated"));
  EXPECT_THAT(refused(with_value(strip, TIFFTAG_STRIPBYTECOUNTS, 100)), HasSubstr("corrupt or truncated"));
  EXPECT_THAT(refused(with_value(strip, TIFFTAG_COMPRESSION, 50000)), HasSubstr("compression 50000"));
  EXPECT_THAT(refused(with_value(strip, TIFFTAG_IMAGEWIDTH, 60000)), HasSubstr("corrupt or truncated"));
  EXPECT_THAT(refused(with_value(tiles, TIFFTAG_TILEWIDTH, 1 << 20)), HasSubstr("TIFF"));
}

TEST(Tiff, BombsAreRefusedBeforeAnythingIsAllocated) {
  const FileBytes flat = tiff_file(Raster{.width = 8, .height = 8, .channels = 3, .samples = FileBytes(192)},
                                   {.compression = COMPRESSION_ADOBE_DEFLATE, .rows_per_strip = 8});
  const auto sized = [&](std::uint32_t side) {
    return with_value(with_value(with_value(flat, TIFFTAG_IMAGEWIDTH, side), TIFFTAG_IMAGELENGTH, side),
                      TIFFTAG_ROWSPERSTRIP, side);
  };
  EXPECT_THAT(refused(sized(9000)), HasSubstr("decompression bomb"));
  EXPECT_THAT(refused(sized(60000)), HasSubstr("60000x60000 is 3600.0 megapixels, more than the limit"));
}

TEST(Tiff, OrientationOutsideItsRangeIsTakenAsUpright) {
  const Raster raster = random_raster(3, 2);
  const FileBytes file = with_value(tiff_file(raster, {.orientation = 6}), TIFFTAG_ORIENTATION, 9);
  const Raster read = decode(file, "a.tif");
  EXPECT_EQ(read.samples, raster.samples);
  EXPECT_THAT(read.notes, ElementsAre("orientation 9 is not one of 1 to 8: taken as upright"));
  EXPECT_EQ(read_header(file, "a.tif").notes, read.notes);
}

TEST(Tiff, TagsThatNobodyKnowsDoNoHarm) {
  FileBytes file = tiff_file(random_raster(3, 2), {.orientation = 1});
  const std::size_t at = entry_of(file, TIFFTAG_ORIENTATION);
  file[at] = 0x13;  // 0x0113 is no tag; the order of tags is kept
  EXPECT_EQ(refused(file), "");
}

}  // namespace
}  // namespace upbench::test
