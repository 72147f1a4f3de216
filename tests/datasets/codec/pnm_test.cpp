#include <cstring>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "datasets/codec/decode.h"
#include "tests/datasets/codec/format_files.h"

namespace upbench::test {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

Raster read(const std::string& header, const FileBytes& data = {}) {
  return decode(pnm_file(header, data), "a.pnm");
}

std::vector<int> deep_samples(const Raster& raster) {
  std::vector<int> samples;
  for (std::size_t at = 0; at < raster.samples.size(); at += 2) {
    std::uint16_t sample = 0;
    std::memcpy(&sample, raster.samples.data() + at, 2);
    samples.push_back(sample);
  }
  return samples;
}

TEST(Pnm, BinaryRgbAndGreyAreTheirBytes) {
  const Raster colour = read("P6\n2 1\n255\n", {1, 2, 3, 4, 5, 6});
  EXPECT_THAT(colour.samples, ElementsAre(1, 2, 3, 4, 5, 6));
  EXPECT_THAT(colour.notes, IsEmpty());
  const Raster grey = read("P5 3 1 255 ", {'#', '\n', ' '});
  EXPECT_THAT(grey.samples, ElementsAre('#', '\n', ' ')) << "after one white space everything is a sample";
  EXPECT_THAT(grey.notes, ElementsAre("grey"));
  EXPECT_EQ(grey.channels, 1);
}

TEST(Pnm, TextIsTheSameAsBinary) {
  EXPECT_THAT(read("P3\n# made by hand\n2 1 # wide\n255\n1 2 3\n\t4 5 6\n").samples,
              ElementsAre(1, 2, 3, 4, 5, 6));
  EXPECT_THAT(read("P2 2 2 255 7 8 # two rows\n9 10 ").samples, ElementsAre(7, 8, 9, 10));
}

TEST(Pnm, OneIsBlackInBitmapsAndRowsArePadded) {
  EXPECT_THAT(read("P1\n3 2\n1 0 1\n010\n").samples, ElementsAre(0, 255, 0, 255, 0, 255));
  EXPECT_THAT(read("P4\n10 2\n", {0b10000000, 0b01111111, 0xff, 0b10111111}).samples,
              ElementsAre(0, 255, 255, 255, 255, 255, 255, 255, 255, 0,  //
                          0, 0, 0, 0, 0, 0, 0, 0, 0, 255));
  EXPECT_THAT(read("P4\n1 1\n", {0}).notes, ElementsAre("1-bit grey scaled to 8 bit", "grey"));
}

TEST(Pnm, SamplesAreScaledFromTheirMaximum) {
  const Raster small = read("P2 4 1 3 0 1 2 3\n");
  EXPECT_THAT(small.samples, ElementsAre(0, 85, 170, 255));
  EXPECT_THAT(small.notes, ElementsAre("maximum 3 scaled to 8 bit", "grey"));
  const Raster deep = read("P5\n3 1\n65535\n", {0x12, 0x34, 0, 1, 0xff, 0xff});
  EXPECT_EQ(deep.bit_depth, 16);
  EXPECT_THAT(deep_samples(deep), ElementsAre(0x1234, 1, 65535));
  EXPECT_THAT(deep.notes, ElementsAre("grey"));
  // 1000 of 1023 is 64061.58 of 65535.
  EXPECT_THAT(deep_samples(read("P2 3 1 1023 0 1000 1023\n")), ElementsAre(0, 64062, 65535));
}

TEST(Pnm, FaultsAreRefusedWithTheirReason) {
  const std::vector<std::pair<std::string, const char*>> faults{
      {"P6\n2 1\n255\n12345", "PNM truncated at byte 16: 6 bytes of samples expected from byte 11"},
      {"P3\n1 1\n255\n1 2", "truncated at byte 14"},
      {"P3\n1 1\n255\n1 2 3", "truncated at byte 16"},
      {"P2\n1 1\n255\n256\n", "a sample of 256 above its maximum 255"},
      {"P5\n1 1\n7\n\x08", "a sample of 8 above its maximum 7"},
      {"P5\n0 1\n255\n", "a side of 0 pixels: expected at least 1"},
      {"P5\n1 1\n0\n\x01", "maximum of 0"},
      {"P5\n1 1\n65536\n\x01\x01", "maximum of 65536"},
      {"P5\n-1 1\n255\n", "byte 2d at 3 where the width is expected"},
      {"P5\n1000000000000 1\n255\n", "too many digits"},
      {"P5\n100000 100000\n255\n", "10000.0 megapixels, more than the limit"},
      {"P5x 1 1 255 1", "expected white space after the format's two letters"},
      {"P1\n2 1\n0 2\n", "byte 32 at 9 is no bit"},
      {"P2\n1 1\n255\n1e1\n", "byte 65"},
      {"P5\n1 1\n255#\n1", "expected white space before the samples"},
      {"P7\nWIDTH 1\n", "PAM is not supported"},
  };
  for (const auto& [file, reason] : faults)
    EXPECT_THAT(refusal([&, text = file] { decode(pnm_file(text), "a.pnm"); }), HasSubstr(reason)) << file;
}

TEST(Pnm, WhatFollowsThePictureIsNoted) {
  EXPECT_THAT(read("P6\n1 1\n255\n", {1, 2, 3, 4}).notes,
              ElementsAre("1 bytes after the end of the PNM ignored"));
  EXPECT_THAT(read("P3 1 1 255 1 2 3 \n\n").notes, IsEmpty());
  for (const char* text :
       {"P1 2 1 01 x", "P2 1 1 255 7 x", "P3 1 1 255 1 2 3 # and\nx", "P4 1 1 ax", "P5 1 1 255 ax"}) {
    const FileBytes file = pnm_file(text);
    const auto notes = decode(file, "a.pnm").notes;
    EXPECT_THAT(notes, Contains(HasSubstr("after the end of the PNM ignored"))) << text;
    EXPECT_EQ(read_header(file, "a.pnm").notes, notes) << text;
  }
}

}  // namespace
}  // namespace upbench::test
