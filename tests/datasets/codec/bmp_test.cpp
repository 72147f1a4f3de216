#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "datasets/codec/decode.h"
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

TEST(Bmp, TruncationAtEveryByteIsRefused) {
  for (const int channels : {1, 3}) {
    const FileBytes file = bmp_file(random_raster(3, 2, channels));
    for (std::size_t size = 0; size < file.size(); ++size) {
      EXPECT_NE(refused({file.begin(), file.begin() + static_cast<std::ptrdiff_t>(size)}), "") << size;
    }
  }
}

TEST(Bmp, WhatIsNotReadIsNamed) {
  const FileBytes sound = bmp_file(random_raster(4, 4));
  FileBytes compressed = sound, deep = sound, empty = sound, old = sound, huge = sound,
            palette = bmp_file(random_raster(4, 4, 1));
  compressed[30] = 1;
  deep[28] = 16;
  empty[22] = 0;
  old[14] = 12;
  huge[21] = huge[25] = 0x7f;
  palette[46] = 1;  // one colour only
  EXPECT_THAT(refused(compressed), HasSubstr("compression 1 is not supported"));
  EXPECT_THAT(refused(deep), HasSubstr("16 bits a pixel"));
  EXPECT_THAT(refused(empty), HasSubstr("4x0 pixels"));
  EXPECT_THAT(refused(old), HasSubstr("header of 12 bytes"));
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
