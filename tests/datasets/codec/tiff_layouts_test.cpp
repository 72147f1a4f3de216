// Kinds of TIFF beside plain grey and RGB: faxes, YCbCr, floating point in every layout.
#include <algorithm>
#include <cmath>
#include <cstring>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <tiff.h>

#include "datasets/codec/decode.h"
#include "tests/datasets/codec/format_files.h"

namespace upbench::test {
namespace {

using ::testing::ElementsAre;
using ::testing::ElementsAreArray;
using ::testing::HasSubstr;

std::string refused(const FileBytes& file) {
  return refusal([&] { decode(file, "a.tif"); });
}

// 0 and 1 as bits, the first the highest; other characters are for the reader.
FileBytes bits(std::string_view text) {
  FileBytes bytes;
  std::size_t count = 0;
  for (const char c : text) {
    if (c != '0' && c != '1') continue;
    if (count % 8 == 0) bytes.push_back(0);
    if (c == '1') bytes.back() = static_cast<std::uint8_t>(bytes.back() | (0x80 >> count % 8));
    ++count;
  }
  return bytes;
}

FileBytes from_the_lowest(FileBytes bytes) {
  for (std::uint8_t& byte : bytes) {
    int turned = 0;
    for (int bit = 0; bit < 8; ++bit) turned |= (byte >> bit & 1) << (7 - bit);
    byte = static_cast<std::uint8_t>(turned);
  }
  return bytes;
}

// Rows of eight pixels in one strip, 0 is white.
FileBytes fax(std::uint32_t compression, std::uint32_t rows, const FileBytes& codes,
              std::uint32_t fill_order = FILLORDER_MSB2LSB) {
  return tiff_of(codes, {{TIFFTAG_IMAGEWIDTH, TIFF_SHORT, 1, 8},
                         {TIFFTAG_IMAGELENGTH, TIFF_SHORT, 1, rows},
                         {TIFFTAG_BITSPERSAMPLE, TIFF_SHORT, 1, 1},
                         {TIFFTAG_COMPRESSION, TIFF_SHORT, 1, compression},
                         {TIFFTAG_PHOTOMETRIC, TIFF_SHORT, 1, PHOTOMETRIC_MINISWHITE},
                         {TIFFTAG_FILLORDER, TIFF_SHORT, 1, fill_order},
                         {TIFFTAG_STRIPOFFSETS, TIFF_LONG, 1, 8},
                         {TIFFTAG_SAMPLESPERPIXEL, TIFF_SHORT, 1, 1},
                         {TIFFTAG_ROWSPERSTRIP, TIFF_SHORT, 1, rows},
                         {TIFFTAG_STRIPBYTECOUNTS, TIFF_LONG, 1, static_cast<std::uint32_t>(codes.size())}});
}

// Codes of ITU-T T.4 and T.6: white runs of three 1000, of eight 10011, black of two 11, end of line 11 zeros
// and a one. Group 4: horizontal 001, vertical 1 (as above), pass 0001; two ends of line end it.
const FileBytes kLineCodes = bits("1000 11 1000 000000, 10011 000");
const FileBytes kGroup3Codes = bits("000000000001 1000 11 1000, 000000000001 10011");
const FileBytes kGroup4Codes = bits("001 1000 11 1, 1 1 1, 0001 1, 000000000001 000000000001");

TEST(TiffLayouts, FaxesAreWhatTheirCodesSay) {
  const FileBytes dotted{255, 255, 255, 0, 0, 255, 255, 255}, white(8, 255);
  FileBytes two = dotted, three = dotted;
  two.insert(two.end(), white.begin(), white.end());
  for (const FileBytes& row : {dotted, white}) three.insert(three.end(), row.begin(), row.end());

  const Raster lines = decode(fax(COMPRESSION_CCITTRLE, 2, kLineCodes), "a.tif");
  EXPECT_EQ(lines.samples, two);
  EXPECT_THAT(lines.notes,
              ElementsAre("grey", "1-bit grey scaled to 8 bit", "white as zero turned to black as zero"));
  EXPECT_EQ(decode(fax(COMPRESSION_CCITTFAX3, 2, kGroup3Codes), "a.tif").samples, two);
  EXPECT_EQ(decode(fax(COMPRESSION_CCITTFAX4, 3, kGroup4Codes), "a.tif").samples, three);
  const FileBytes turned = from_the_lowest(kGroup4Codes);
  EXPECT_EQ(decode(fax(COMPRESSION_CCITTFAX4, 3, turned, FILLORDER_LSB2MSB), "a.tif").samples, three);
}

// The library would leave out the last rows, or show them white.
TEST(TiffLayouts, FaxesWithFewerRowsThanTheySayAreRefused) {
  EXPECT_THAT(refused(fax(COMPRESSION_CCITTRLE, 3, kLineCodes)), HasSubstr("TIFF is corrupt or truncated"));
  EXPECT_THAT(refused(fax(COMPRESSION_CCITTFAX3, 3, kGroup3Codes)),
              HasSubstr("TIFF is corrupt or truncated"));
  EXPECT_THAT(refused(fax(COMPRESSION_CCITTFAX4, 4, kGroup4Codes)),
              HasSubstr("TIFF is corrupt or truncated"));
}

TEST(TiffLayouts, FaxesOfEveryKindKeepEveryPixel) {
  constexpr int kWidth = 37, kHeight = 21, kRowBytes = 5;
  const FileBytes packed = random_raster(kRowBytes, kHeight, 1).samples;
  FileBytes one_is_white, one_is_black;
  for (int y = 0; y < kHeight; ++y) {
    for (int x = 0; x < kWidth; ++x) {
      const bool one =
          packed[static_cast<std::size_t>(y) * kRowBytes + static_cast<std::size_t>(x) / 8] >> (7 - x % 8) &
          1;
      one_is_white.push_back(one ? 255 : 0);
      one_is_black.push_back(one ? 0 : 255);
    }
  }
  for (const int compression : {COMPRESSION_CCITTRLE, COMPRESSION_CCITTFAX3, COMPRESSION_CCITTFAX4}) {
    for (const int photometric : {PHOTOMETRIC_MINISBLACK, PHOTOMETRIC_MINISWHITE}) {
      const FileBytes file =
          tiff_file(Raster{.width = kWidth, .height = kHeight, .channels = 1}, {.compression = compression,
                                                                                .photometric = photometric,
                                                                                .rows_per_strip = 5,
                                                                                .bits = 1,
                                                                                .packed = packed});
      EXPECT_EQ(decode(file, "a.tif").samples,
                photometric == PHOTOMETRIC_MINISBLACK ? one_is_white : one_is_black)
          << compression << " " << photometric;
    }
  }
}

TiffFileOptions ycbcr(int chroma_x, int chroma_y, int tile = 0) {
  return {.compression = COMPRESSION_JPEG,
          .photometric = PHOTOMETRIC_YCBCR,
          .tile = tile,
          .rows_per_strip = 16,
          .quality = 95,
          .chroma_x = chroma_x,
          .chroma_y = chroma_y};
}

TEST(TiffLayouts, YcbcrInsideJpegIsDecodedToRgb) {
  const Raster raster = colour_slopes(48, 32);
  for (const int tile : {0, 16}) {
    for (const auto& [x, y] : {std::pair{1, 1}, {2, 1}, {2, 2}}) {
      const Raster read = decode(tiff_file(raster, ycbcr(x, y, tile)), "a.tif");
      ASSERT_EQ(read.samples.size(), raster.samples.size());
      EXPECT_EQ(read.channels, 3);
      EXPECT_THAT(read.notes, ElementsAre());
      // Quantisation at quality 95, two conversions, chroma at half size on a slope of 2 a pixel.
      EXPECT_LE(largest_difference(read, raster), 8) << x << "x" << y << " tile " << tile;
    }
  }
}

// In abbreviated streams, as here, libtiff does not put the tag right.
TEST(TiffLayouts, JpegInsideWhoseChromaIsNotAsTheTagSaysIsRefused) {
  FileBytes file = tiff_file(colour_slopes(48, 32), ycbcr(1, 1));
  // YCbCrSubsampling: two shorts, both 1.
  const FileBytes entry{0x12, 0x02, 3, 0, 2, 0, 0, 0, 1, 0, 1, 0};
  const auto found = std::search(file.begin(), file.end(), entry.begin(), entry.end());
  ASSERT_NE(found, file.end());
  found[8] = found[10] = 2;
  EXPECT_THAT(refused(file), HasSubstr("Improper JPEG sampling factors 1,1"));
}

TEST(TiffLayouts, YcbcrOutsideJpegIsRefused) {
  const FileBytes file =
      tiff_file(random_raster(8, 8), {.photometric = PHOTOMETRIC_YCBCR, .chroma_x = 1, .chroma_y = 1});
  EXPECT_THAT(refused(file),
              HasSubstr("YCbCr samples outside JPEG is not supported; expected JPEG compression, or RGB"));
}

TEST(TiffLayouts, FloatingPointIsReadFromTilesPlanesAndPredictors) {
  constexpr int kWidth = 21, kHeight = 19;
  for (const int channels : {1, 3}) {
    FileBytes packed;
    std::vector<std::uint16_t> meant;
    for (int i = 0; i < kWidth * kHeight * channels; ++i) {
      const int step = i * 37 % 257;  // of 256: exact in float, and so is its product with 65535
      const float value = static_cast<float>(step) / 256;
      std::uint8_t bytes[sizeof value];
      std::memcpy(bytes, &value, sizeof value);
      packed.insert(packed.end(), std::begin(bytes), std::end(bytes));
      meant.push_back(static_cast<std::uint16_t>(std::lround(step * 65535 / 256.0)));
    }
    for (const int tile : {0, 16}) {
      for (const bool planar : {false, true}) {
        for (const int predictor : {1, 3}) {
          const Raster raster{.width = kWidth, .height = kHeight, .channels = channels};
          const FileBytes file = tiff_file(raster, {.compression = COMPRESSION_ADOBE_DEFLATE,
                                                    .tile = tile,
                                                    .planar = planar,
                                                    .predictor = predictor,
                                                    .bits = 32,
                                                    .sample_format = SAMPLEFORMAT_IEEEFP,
                                                    .packed = packed});
          const Raster read = decode(file, "a.tif");
          std::vector<std::uint16_t> samples(read.samples.size() / 2);
          std::memcpy(samples.data(), read.samples.data(), read.samples.size());
          EXPECT_THAT(samples, ElementsAreArray(meant))
              << channels << " channels, tile " << tile << (planar ? ", planar" : "") << ", predictor "
              << predictor;
        }
      }
    }
  }
}

TEST(TiffLayouts, PaletteOfSixteenBitsIsRefused) {
  constexpr std::uint32_t kColours = 3 << 16;
  const FileBytes data(2 * kColours + 2);
  const auto at = static_cast<std::uint32_t>(8 + 2 * kColours);
  EXPECT_THAT(
      refused(tiff_of(data, {{TIFFTAG_IMAGEWIDTH, TIFF_SHORT, 1, 1},
                             {TIFFTAG_IMAGELENGTH, TIFF_SHORT, 1, 1},
                             {TIFFTAG_BITSPERSAMPLE, TIFF_SHORT, 1, 16},
                             {TIFFTAG_COMPRESSION, TIFF_SHORT, 1, COMPRESSION_NONE},
                             {TIFFTAG_PHOTOMETRIC, TIFF_SHORT, 1, PHOTOMETRIC_PALETTE},
                             {TIFFTAG_STRIPOFFSETS, TIFF_LONG, 1, at},
                             {TIFFTAG_SAMPLESPERPIXEL, TIFF_SHORT, 1, 1},
                             {TIFFTAG_ROWSPERSTRIP, TIFF_SHORT, 1, 1},
                             {TIFFTAG_STRIPBYTECOUNTS, TIFF_LONG, 1, 2},
                             {TIFFTAG_COLORMAP, TIFF_SHORT, kColours, 8}})),
      HasSubstr("TIFF with 1 unsigned samples of 16 bit that name colours of a palette is not supported"));
}

}  // namespace
}  // namespace upbench::test
