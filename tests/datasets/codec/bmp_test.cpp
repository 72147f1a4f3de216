#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "datasets/codec/decode.h"
#include "tests/datasets/codec/format_files.h"
#include "tests/datasets/picture_files.h"
#include "tests/support/assets.h"

namespace upbench::test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::string refused(const FileBytes& file) {
  return refusal([&] { decode(file, "a.bmp"); });
}

TEST(Bmp, RowsAreReadInEitherOrderAndAnyWidth) {
  for (const int width : {1, 2, 3, 4, 5}) {
    const Raster raster = random_raster(width, 3);
    EXPECT_EQ(decode(bmp_file(raster), "a.bmp").samples, raster.samples) << width;
    EXPECT_EQ(decode(bmp_file(raster, true), "a.bmp").samples, raster.samples) << width;
  }
}

TEST(Bmp, PaddingOfThirtyTwoBitIsDropped) {
  const Raster raster = random_raster(1, 1, 4);
  EXPECT_THAT(decode(bmp_file(raster), "a.bmp").samples,
              ElementsAre(raster.samples[0], raster.samples[1], raster.samples[2]));
}

TEST(Bmp, PaletteIsExpanded) {
  const Raster raster = random_raster(2, 1, 1);
  const auto [a, b] = std::pair{raster.samples[0], raster.samples[1]};
  const Raster read = decode(bmp_file(raster), "a.bmp");
  EXPECT_THAT(read.samples, ElementsAre(a, a, a, b, b, b));
  EXPECT_THAT(read.notes, ElementsAre("palette expanded"));
}

TEST(Bmp, PixelsOfFewBitsAreReadFromTheHighestOn) {
  const FileBytes black_red_white{0, 0, 0, 0, 0, 0, 255, 0, 255, 255, 255, 0};
  // 9 pixels: 0 1 0 1 0 1 0 1, 1; then 0 1 2.
  const Raster bits = decode(bmp_of({.width = 9,
                                     .bits = 1,
                                     .colours = 2,
                                     .palette = {black_red_white.begin(), black_red_white.begin() + 8},
                                     .rows = {0x55, 0x80, 0, 0}}),
                             "a.bmp");
  EXPECT_EQ(bits.samples[0], 0);
  EXPECT_EQ(bits.samples[3], 255);
  EXPECT_EQ(bits.samples[8 * 3], 255);
  const Raster nibbles = decode(
      bmp_of({.width = 3, .bits = 4, .colours = 3, .palette = black_red_white, .rows = {0x01, 0x20, 0, 0}}),
      "a.bmp");
  EXPECT_THAT(nibbles.samples, ElementsAre(0, 0, 0, 255, 0, 0, 255, 255, 255));
}

TEST(Bmp, MasksSayWhereColoursLie) {
  // Blue first in memory, as Windows writes it, then red first; the fourth byte is alpha in a longer header.
  const FileBytes usual{0, 0, 255, 0, 0, 255, 0, 0, 255, 0, 0, 0},
      reversed{255, 0, 0, 0, 0, 255, 0, 0, 0, 0, 255, 0};
  const FileBytes pixel{1, 2, 3, 128};
  EXPECT_THAT(decode(bmp_of({.bits = 32, .compression = 3, .masks = usual, .rows = pixel}), "a.bmp").samples,
              ElementsAre(3, 2, 1));
  EXPECT_THAT(
      decode(bmp_of({.bits = 32, .compression = 3, .masks = reversed, .rows = pixel}), "a.bmp").samples,
      ElementsAre(1, 2, 3));
  FileBytes with_alpha = usual;
  with_alpha.insert(with_alpha.end(), {0, 0, 0, 255});
  for (const int header : {56, 108, 124}) {
    const Raster read =
        decode(bmp_of({.header = header, .bits = 32, .compression = 3, .masks = with_alpha, .rows = pixel}),
               "a.bmp");
    EXPECT_THAT(read.samples, ElementsAre(3, 2, 1)) << header;
    EXPECT_THAT(read.notes, ElementsAre("alpha ignored"));
  }
}

TEST(Bmp, SixteenBitsAreScaledToFullIntensity) {
  // 5 bits each unless masks say 5, 6, 5.
  const FileBytes white{0xff, 0x7f, 0, 0}, green{0xe0, 0x07, 0, 0};
  EXPECT_THAT(decode(bmp_of({.bits = 16, .rows = white}), "a.bmp").samples, ElementsAre(255, 255, 255));
  const FileBytes five_six_five{0, 0xf8, 0, 0, 0xe0, 0x07, 0, 0, 0x1f, 0, 0, 0};
  EXPECT_THAT(
      decode(bmp_of({.bits = 16, .compression = 3, .masks = five_six_five, .rows = green}), "a.bmp").samples,
      ElementsAre(0, 255, 0));
  EXPECT_THAT(
      decode(bmp_of({.bits = 16, .compression = 3, .masks = five_six_five, .rows = {1, 0, 0, 0}}), "a.bmp")
          .samples,
      ElementsAre(0, 0, 8));  // 255 / 31 = 8.2
}

TEST(Bmp, FilesOfOs2AreRead) {
  const Raster plain =
      decode(os2_bmp_of({.width = 1, .height = 2, .rows = {1, 2, 3, 0, 4, 5, 6, 0}}), "a.bmp");
  EXPECT_EQ(plain.width, 1);
  EXPECT_EQ(plain.height, 2);
  EXPECT_THAT(plain.samples, ElementsAre(6, 5, 4, 3, 2, 1));
  // Two colours, fewer than there may be.
  const FileBytes palette{1, 2, 3, 4, 5, 6};
  const auto file = [&](int bits, std::uint8_t first) {
    return os2_bmp_of({.width = 2, .bits = bits, .palette = palette, .rows = {first, 0, 0, 0}});
  };
  for (const FileBytes& indexed : {file(8, 1), file(4, 0x10), file(1, 0x80)}) {
    const Raster read = decode(indexed, "a.bmp");
    EXPECT_THAT(read.samples, ElementsAre(6, 5, 4, 3, 2, 1));
    EXPECT_THAT(read.notes, ElementsAre("palette expanded"));
    EXPECT_EQ(read_header(indexed, "a.bmp").notes, read.notes);
    for (std::size_t size = 0; size < indexed.size(); ++size)
      EXPECT_NE(refused({indexed.begin(), indexed.begin() + static_cast<std::ptrdiff_t>(size)}), "") << size;
  }
  EXPECT_THAT(refused(file(8, 2)), HasSubstr("BMP pixel names colour 2, its palette has 2"));
  EXPECT_THAT(refused(file(16, 0)), HasSubstr("16 bits a pixel and a header of 12 bytes is not supported; "
                                              "expected 1, 4, 8 or 24 bits"));
  FileBytes inside = file(8, 1);
  inside[10] = 25;
  EXPECT_THAT(refused(inside), HasSubstr("its pixels would begin at byte 25, its headers end at byte 26"));
}

TEST(Bmp, MasksThatAreNoColoursAreRefused) {
  const FileBytes row{0, 0, 0, 0};
  const auto masked = [&](const FileBytes& masks, int bits = 32) {
    return refused(bmp_of({.bits = bits, .compression = 3, .masks = masks, .rows = row}));
  };
  EXPECT_THAT(masked(FileBytes(12)), HasSubstr("the mask 00000000"));
  EXPECT_THAT(masked({5, 0, 0, 0, 0, 255, 0, 0, 0, 0, 255, 0}), HasSubstr("the mask 00000005"));
  EXPECT_THAT(masked({255, 3, 0, 0, 0, 255, 0, 0, 0, 0, 255, 0}), HasSubstr("expected 1 to 8 adjacent bits"));
  EXPECT_THAT(masked({0, 0, 255, 0, 0, 255, 0, 0, 255, 0, 0, 0}, 16), HasSubstr("16-bit pixels"));
}

TEST(Bmp, WhatFollowsThePixelsIsNoted) {
  FileBytes file = bmp_file(random_raster(3, 2));
  file.push_back(0);
  EXPECT_THAT(decode(file, "a.bmp").notes, ElementsAre("1 bytes after the end of the BMP ignored"));
}

TEST(Bmp, TruncationAtEveryByteIsRefused) {
  const FileBytes masked = bmp_of({.bits = 32,
                                   .compression = 3,
                                   .masks = {0, 0, 255, 0, 0, 255, 0, 0, 255, 0, 0, 0},
                                   .rows = {1, 2, 3, 4}});
  for (std::size_t size = 0; size < masked.size(); ++size)
    EXPECT_NE(refused({masked.begin(), masked.begin() + static_cast<std::ptrdiff_t>(size)}), "") << size;
  for (const int channels : {1, 3}) {
    const FileBytes file = bmp_file(random_raster(3, 2, channels));
    for (std::size_t size = 0; size < file.size(); ++size) {
      EXPECT_NE(refused({file.begin(), file.begin() + static_cast<std::ptrdiff_t>(size)}), "") << size;
    }
  }
}

TEST(Bmp, WhatIsNotReadIsNamed) {
  const FileBytes sound = bmp_file(random_raster(4, 4));
  FileBytes compressed = sound, deep = sound, empty = sound, old = sound, huge = sound, inside = sound,
            palette = bmp_file(random_raster(4, 4, 1));
  compressed[30] = 1;
  deep[28] = 48;
  inside[10] = 53;
  empty[22] = 0;
  old[14] = 16;
  huge[21] = huge[25] = 0x7f;
  palette[46] = 1;  // one colour only
  EXPECT_THAT(refused(compressed), HasSubstr("compression 1 (run lengths) is not supported"));
  EXPECT_THAT(refused(deep), HasSubstr("48 bits a pixel"));
  EXPECT_THAT(refused(inside), HasSubstr("its pixels would begin at byte 53, its headers end at byte 54"));
  EXPECT_THAT(refused(empty), HasSubstr("4x0 pixels: expected 1 to 2^31-1 a side"));
  EXPECT_THAT(refused(old), HasSubstr("header of 16 bytes is not supported; expected 12, 40, 52"));
  EXPECT_THAT(refused(huge), HasSubstr("more than the limit"));
  EXPECT_THAT(refused(palette), HasSubstr("its palette has 1"));
}

TEST(Bmp, RealFileHasThePixelsItShould) {
  UPBENCH_NEEDS_ASSETS();
  const Raster raster = decode_file(assets() / "reference/iqa-pytorch/ref_dir/I03.bmp");
  EXPECT_EQ(raster.width, 512);
  EXPECT_EQ(raster.height, 384);
}

}  // namespace
}  // namespace upbench::test
