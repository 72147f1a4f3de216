// Transparent colours and interlacing at every depth.
#include <algorithm>
#include <cstring>
#include <tuple>
#include <utility>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "datasets/codec/decode.h"
#include "tests/datasets/picture_files.h"

namespace upbench::test {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;

// Rows of whole bytes, the first pixel in the highest bits.
struct Packed {
  int width, height, bits;  // a pixel
  FileBytes rows;

  std::size_t row_bytes() const { return static_cast<std::size_t>(width * bits + 7) / 8; }
  bool bit(int x, int y, int which) const {
    const std::size_t at =
        static_cast<std::size_t>(y) * row_bytes() * 8 + static_cast<std::size_t>(x * bits + which);
    return rows[at / 8] >> (7 - at % 8) & 1;
  }
  int value(int x, int y) const {
    int number = 0;
    for (int which = 0; which < bits; ++which) number = number << 1 | (bit(x, y, which) ? 1 : 0);
    return number;
  }
};

Packed random_packed(int width, int height, int bits) {
  Packed picture{.width = width, .height = height, .bits = bits, .rows = {}};
  picture.rows = random_raster(static_cast<int>(picture.row_bytes()), height, 1).samples;
  return picture;
}

// Filter 1 (each byte less the one of the pixel before) in every other row, else none.
void add_scanline(FileBytes& lines, const FileBytes& row, bool filtered, std::size_t pixel_bytes) {
  lines.push_back(filtered ? 1 : 0);
  for (std::size_t i = 0; i < row.size(); ++i) {
    const int before = filtered && i >= pixel_bytes ? row[i - pixel_bytes] : 0;
    lines.push_back(static_cast<std::uint8_t>(row[i] - before));
  }
}

// Adam7: seven pictures, each of which has its own rows; one without a column has none.
FileBytes adam7_lines(const Packed& picture) {
  constexpr int kFirstAndStep[7][4] = {{0, 0, 8, 8}, {4, 0, 8, 8}, {0, 4, 4, 8}, {2, 0, 4, 4},
                                       {0, 2, 2, 4}, {1, 0, 2, 2}, {0, 1, 1, 2}};
  FileBytes lines;
  for (const auto& [x0, y0, dx, dy] : kFirstAndStep) {
    for (int y = y0; x0 < picture.width && y < picture.height; y += dy) {
      FileBytes row;
      std::size_t count = 0;
      for (int x = x0; x < picture.width; x += dx) {
        for (int which = 0; which < picture.bits; ++which, ++count) {
          if (count % 8 == 0) row.push_back(0);
          if (picture.bit(x, y, which))
            row.back() = static_cast<std::uint8_t>(row.back() | (0x80 >> count % 8));
        }
      }
      add_scanline(lines, row, y / dy % 2 == 1, static_cast<std::size_t>(std::max(picture.bits / 8, 1)));
    }
  }
  return lines;
}

FileBytes interlaced_png(const Packed& picture, int bit_depth, int colour_type,
                         std::vector<PngChunk> chunks = {}) {
  return png_file({.width = static_cast<std::uint32_t>(picture.width),
                   .height = static_cast<std::uint32_t>(picture.height),
                   .bit_depth = static_cast<std::uint8_t>(bit_depth),
                   .colour_type = static_cast<std::uint8_t>(colour_type),
                   .interlace = 1,
                   .scanlines = adam7_lines(picture),
                   .before_data = std::move(chunks),
                   .after_data = {}});
}

std::vector<int> words(const Raster& raster) {
  std::vector<int> all;
  for (std::size_t at = 0; at < raster.samples.size(); at += 2) {
    std::uint16_t word = 0;
    std::memcpy(&word, raster.samples.data() + at, sizeof word);
    all.push_back(word);
  }
  return all;
}

constexpr std::pair<int, int> kSizes[] = {{1, 1}, {3, 3}, {5, 1}, {1, 6}, {9, 9}, {37, 26}};

TEST(PngLayouts, InterlacedPalettesOfEveryDepthAreExpanded) {
  for (const int depth : {1, 2, 4, 8}) {
    FileBytes palette;
    for (int colour = 0; colour < 1 << depth; ++colour) {
      for (const int factor : {1, 7, 31}) palette.push_back(static_cast<std::uint8_t>(200 - colour * factor));
    }
    for (const auto& [width, height] : kSizes) {
      const Packed picture = random_packed(width, height, depth);
      FileBytes meant;
      for (int y = 0; y < height; ++y) {
        for (int x = 0; x < width; ++x) {
          const auto colour = palette.begin() + 3 * picture.value(x, y);
          meant.insert(meant.end(), colour, colour + 3);
        }
      }
      EXPECT_EQ(decode(interlaced_png(picture, depth, 3, {{"PLTE", palette}}), "a.png").samples, meant)
          << depth << " bit, " << width << "x" << height;
    }
  }
}

TEST(PngLayouts, InterlacedGreyOfFewBitsIsScaled) {
  for (const int depth : {1, 2, 4}) {
    for (const auto& [width, height] : kSizes) {
      const Packed picture = random_packed(width, height, depth);
      FileBytes meant;
      for (int y = 0; y < height; ++y) {
        for (int x = 0; x < width; ++x)
          meant.push_back(static_cast<std::uint8_t>(picture.value(x, y) * 255 / ((1 << depth) - 1)));
      }
      EXPECT_EQ(decode(interlaced_png(picture, depth, 0), "a.png").samples, meant)
          << depth << " bit, " << width << "x" << height;
    }
  }
}

TEST(PngLayouts, InterlacedSamplesOfEightAndSixteenBitsAreKept) {
  constexpr std::pair<int, int> kTypes[] = {{0, 1}, {4, 2}, {2, 3}, {6, 4}};  // colour type, channels
  for (const auto& [type, channels] : kTypes) {
    for (const int depth : {8, 16}) {
      const Packed picture = random_packed(67, 45, channels * depth);
      const Raster read = decode(interlaced_png(picture, depth, type), "a.png");
      ASSERT_EQ(read.channels, channels);
      ASSERT_EQ(read.bit_depth, depth);
      if (depth == 8) {
        EXPECT_EQ(read.samples, picture.rows) << channels << " channels";
        continue;
      }
      std::vector<int> meant;
      for (std::size_t at = 0; at < picture.rows.size(); at += 2)
        meant.push_back(picture.rows[at] << 8 | picture.rows[at + 1]);
      EXPECT_EQ(words(read), meant) << channels << " channels";
    }
  }
}

TEST(PngLayouts, TransparentGreyOfFewBitsIsNamedBeforeItIsScaled) {
  const auto grey = [](int depth, std::uint32_t width, std::uint8_t row, std::uint8_t transparent) {
    return decode(png_file({.width = width,
                            .height = 1,
                            .bit_depth = static_cast<std::uint8_t>(depth),
                            .colour_type = 0,
                            .scanlines = {0, row},
                            .before_data = {{"tRNS", {0, transparent}}}}),
                  "a.png");
  };
  EXPECT_THAT(grey(1, 3, 0b10100000, 1).samples, ElementsAre(255, 0, 0, 255, 255, 0));
  EXPECT_THAT(grey(2, 4, 0b00011011, 2).samples, ElementsAre(0, 255, 85, 255, 170, 0, 255, 255));
  const Raster four = grey(4, 2, 0x1f, 1);
  EXPECT_THAT(four.samples, ElementsAre(17, 0, 255, 255));
  EXPECT_EQ(four.channels, 2);
  EXPECT_THAT(four.notes, Contains("tRNS transparency expanded to alpha"));
}

TEST(PngLayouts, TransparentColourOfSixteenBitsIsComparedWhole) {
  const Raster grey = decode(png_file({.width = 3,
                                       .height = 1,
                                       .bit_depth = 16,
                                       .colour_type = 0,
                                       .scanlines = {0, 0x12, 0x34, 0x12, 0x35, 0x13, 0x34},
                                       .before_data = {{"tRNS", {0x12, 0x34}}}}),
                             "a.png");
  EXPECT_EQ(std::tuple(grey.channels, grey.bit_depth), std::tuple(2, 16));
  EXPECT_THAT(words(grey), ElementsAre(0x1234, 0, 0x1235, 65535, 0x1334, 65535));
  const Raster rgb = decode(png_file({.width = 2,
                                      .height = 1,
                                      .bit_depth = 16,
                                      .scanlines = {0, 1, 2, 3, 4, 5, 6, 1, 2, 3, 4, 5, 7},
                                      .before_data = {{"tRNS", {1, 2, 3, 4, 5, 6}}}}),
                            "a.png");
  EXPECT_EQ(std::tuple(rgb.channels, rgb.bit_depth), std::tuple(4, 16));
  EXPECT_THAT(words(rgb), ElementsAre(0x0102, 0x0304, 0x0506, 0, 0x0102, 0x0304, 0x0507, 65535));
}

TEST(PngLayouts, InterlacedTransparentGreyOfSixteenBitsIsFound) {
  Packed picture{.width = 9, .height = 9, .bits = 16, .rows = {}};
  std::vector<int> meant;
  for (int i = 0; i < 81; ++i) {
    const int level = i % 3 == 0 ? 0x1234 : i % 3 == 1 ? 0x1235 : 0x3412;
    picture.rows.push_back(static_cast<std::uint8_t>(level >> 8));
    picture.rows.push_back(static_cast<std::uint8_t>(level & 0xff));
    meant.push_back(level);
    meant.push_back(level == 0x1234 ? 0 : 65535);
  }
  EXPECT_EQ(words(decode(interlaced_png(picture, 16, 0, {{"tRNS", {0x12, 0x34}}}), "a.png")), meant);
}

}  // namespace
}  // namespace upbench::test
