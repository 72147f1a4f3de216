#include <cstdlib>
#include <cstring>
#include <memory>
#include <tuple>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <spng.h>

#include "datasets/codec/decode.h"
#include "datasets/codec/encode.h"
#include "tests/datasets/picture_files.h"

namespace upbench::test {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

FileBytes joined(FileBytes bytes, const FileBytes& more) {
  bytes.insert(bytes.end(), more.begin(), more.end());
  return bytes;
}

std::string refused(const FileBytes& file, const DecodeLimits& limits = {}) {
  return refusal([&] { decode(file, "a.png", limits); });
}

class PngRoundTrip : public ::testing::TestWithParam<std::tuple<int, int>> {};

TEST_P(PngRoundTrip, KeepsEverySample) {
  const auto [channels, depth] = GetParam();
  for (const auto& [width, height] : {std::pair{1, 1}, {1, 17}, {19, 1}, {13, 7}, {64, 33}}) {
    for (const int level : {0, 6, 9}) {
      const Raster raster = random_raster(width, height, channels, depth);
      const FileBytes file = encode_png(raster, {.level = level, .text = {}});
      const Raster read = decode(file, "a.png");
      EXPECT_EQ(read.samples, raster.samples) << width << "x" << height << " level " << level;
      EXPECT_EQ(read.channels, channels);
      EXPECT_EQ(read.bit_depth, depth);
      const RasterHeader header = read_header(file, "a.png");
      EXPECT_EQ(std::tie(header.width, header.height, header.channels, header.bit_depth),
                std::tie(width, height, channels, depth));
    }
  }
}

INSTANTIATE_TEST_SUITE_P(AllLayouts, PngRoundTrip,
                         ::testing::Combine(::testing::Values(1, 2, 3, 4), ::testing::Values(8, 16)));

TEST(Png, SixteenBitSamplesAreNumbersOfTheMachineAndNotBytesOfTheFile) {
  const FileBytes file =
      png_file({.width = 1, .height = 1, .bit_depth = 16, .colour_type = 0, .scanlines = {0, 0x12, 0x34}});
  const Raster raster = decode(file, "a.png");
  std::uint16_t sample = 0;
  std::memcpy(&sample, raster.samples.data(), sizeof sample);
  EXPECT_EQ(sample, 0x1234);
}

TEST(Png, LowBitGreyIsScaledToTheWholeRange) {
  // 1 bit: 1 0 1 -> 255 0 255; 2 bit: 0 1 2 3 -> multiples of 85; 4 bit: multiples of 17.
  const auto grey = [](std::uint8_t depth, std::uint32_t width, FileBytes row) {
    row.insert(row.begin(), 0);
    return decode(
        png_file({.width = width, .height = 1, .bit_depth = depth, .colour_type = 0, .scanlines = row}),
        "a.png");
  };
  EXPECT_THAT(grey(1, 3, {0b10100000}).samples, ElementsAre(255, 0, 255));
  EXPECT_THAT(grey(2, 4, {0b00011011}).samples, ElementsAre(0, 85, 170, 255));
  EXPECT_THAT(grey(4, 2, {0x1f}).samples, ElementsAre(17, 255));
  EXPECT_THAT(grey(1, 3, {0}).notes, Contains("1-bit grey scaled to 8 bit"));
}

TEST(Png, PaletteIsExpandedAndItsTransparencyBecomesAlpha) {
  const PngChunk palette{"PLTE", {10, 20, 30, 40, 50, 60}};
  PngParts parts{.width = 2,
                 .height = 1,
                 .bit_depth = 8,
                 .colour_type = 3,
                 .scanlines = {0, 1, 0},
                 .before_data = {palette}};
  const Raster opaque = decode(png_file(parts), "a.png");
  EXPECT_THAT(opaque.samples, ElementsAre(40, 50, 60, 10, 20, 30));
  EXPECT_THAT(opaque.notes, Contains("palette expanded"));

  parts.bit_depth = 2;
  parts.width = 5;
  parts.scanlines = {0, 0b01000100, 0b01000000};
  EXPECT_THAT(decode(png_file(parts), "a.png").samples,
              ElementsAre(40, 50, 60, 10, 20, 30, 40, 50, 60, 10, 20, 30, 40, 50, 60));

  parts = {.width = 2, .height = 1, .colour_type = 3, .scanlines = {0, 1, 0}, .before_data = {palette}};
  parts.before_data.push_back({"tRNS", {7}});
  const Raster transparent = decode(png_file(parts), "a.png");
  EXPECT_THAT(transparent.samples, ElementsAre(40, 50, 60, 255, 10, 20, 30, 7));
  EXPECT_THAT(transparent.notes, Contains("tRNS transparency expanded to alpha"));
}

TEST(Png, TransparentColourOfGreyAndRgbBecomesAlpha) {
  const Raster grey = decode(png_file({.width = 2,
                                       .height = 1,
                                       .colour_type = 0,
                                       .scanlines = {0, 5, 6},
                                       .before_data = {{"tRNS", {0, 6}}}}),
                             "a.png");
  EXPECT_THAT(grey.samples, ElementsAre(5, 255, 6, 0));
  const Raster rgb = decode(png_file({.width = 1,
                                      .height = 2,
                                      .scanlines = {0, 1, 2, 3, 0, 4, 5, 6},
                                      .before_data = {{"tRNS", {0, 4, 0, 5, 0, 6}}}}),
                            "a.png");
  EXPECT_THAT(rgb.samples, ElementsAre(1, 2, 3, 255, 4, 5, 6, 0));
}

TEST(Png, InterlacedPictureIsTheSamePicture) {
  // Adam7 of 1..9 in a 3x3 square. Passes 2 and 3 are empty; the others, in turn: 1 | 3 | 7 9 | 2, 8 | 4 5 6.
  PngParts parts{.width = 3,
                 .height = 3,
                 .colour_type = 0,
                 .interlace = 1,
                 .scanlines = {0, 1, 0, 3, 0, 7, 9, 0, 2, 0, 8, 0, 4, 5, 6}};
  EXPECT_THAT(decode(png_file(parts), "a.png").samples, ElementsAre(1, 2, 3, 4, 5, 6, 7, 8, 9));
  parts.scanlines.resize(11);
  EXPECT_THAT(refused(png_file(parts)), HasSubstr("corrupt")) << "the last pass is missing";
}

TEST(Png, TextChunksAreWrittenWholeAndKeepThePicture) {
  const Raster raster = random_raster(4, 4);
  const FileBytes file =
      encode_png(raster, {.level = 6, .text = {{"upbench", "a=1"}, {"Author", "Zo\xc3\xab"}, {"empty", ""}}});
  const std::string text(file.begin(), file.end());
  EXPECT_THAT(text, HasSubstr(std::string("tEXtupbench\0a=1", 15)));
  EXPECT_THAT(text, HasSubstr(std::string("iTXtAuthor\0\0\0\0\0Zo\xc3\xab", 19)));
  EXPECT_EQ(decode(file, "a.png").samples, raster.samples);
}

TEST(Png, TextWithoutAProperKeywordIsRefused) {
  const Raster raster = random_raster(2, 2);
  for (const std::string& keyword : {std::string(), std::string(80, 'k'), std::string(" k"),
                                     std::string("k "), std::string("a  b"), std::string("a\nb")}) {
    EXPECT_THROW(encode_png(raster, {.level = 6, .text = {{keyword, "x"}}}), std::invalid_argument)
        << keyword;
  }
  EXPECT_THROW(encode_png(raster, {.level = 6, .text = {{"k", std::string("a\0b", 3)}}}),
               std::invalid_argument);
  EXPECT_THROW(encode_png(raster, {.level = 10, .text = {}}), std::invalid_argument);
  EXPECT_THROW(encode_png(Raster{.width = 2, .height = 2}), std::invalid_argument);
}

TEST(Png, TruncationAtEveryByteIsRefused) {
  const FileBytes file = encode_png(random_raster(5, 4), {.level = 6, .text = {{"k", "v"}}});
  for (std::size_t size = 0; size < file.size(); ++size) {
    EXPECT_NE(refused({file.begin(), file.begin() + static_cast<std::ptrdiff_t>(size)}), "")
        << size << " of " << file.size();
  }
}

TEST(Png, AnyChangedByteIsRefused) {
  const FileBytes file = encode_png(random_raster(5, 4), {.level = 6, .text = {{"k", "v"}}});
  for (std::size_t at = 0; at < file.size(); ++at) {
    for (const int flip : {0x01, 0x80}) {
      FileBytes changed = file;
      changed[at] = static_cast<std::uint8_t>(changed[at] ^ flip);
      EXPECT_NE(refused(changed), "") << "byte " << at << " of " << file.size();
    }
  }
}

struct Fault {
  const char* name;
  FileBytes file;
  const char* reason;
};

PngParts sized(std::uint32_t width, std::uint32_t height) {
  return {.width = width, .height = height, .scanlines = {0, 1, 2, 3}};
}

std::vector<Fault> faults() {
  const FileBytes sound = encode_png(random_raster(40, 40));
  const FileBytes half(sound.begin(), sound.begin() + static_cast<std::ptrdiff_t>(sound.size() / 2));
  const FileBytes no_end(sound.begin(), sound.end() - 12);
  FileBytes data_crc = sound, header_crc = sound;
  data_crc[data_crc.size() - 13] ^= 1;
  header_crc[29] ^= 1;
  FileBytes huge_chunk = sound;
  huge_chunk[33] = 0x7f;
  return {
      {"empty", {}, "empty file"},
      {"text", {'h', 'e', 'l', 'l', 'o'}, "not a supported image (it begins 68 65 6c 6c 6f)"},
      {"half", half, "PNG truncated at byte"},
      {"no IEND", no_end, "no IEND chunk"},
      {"IDAT checksum", data_crc, "corrupt"},
      {"IHDR checksum", header_crc, "corrupt"},
      {"chunk beyond the file", huge_chunk, "PNG truncated at byte"},
      {"million by million", png_file(sized(1000000, 1000000)),
       "1000000x1000000 is 1000000.0 megapixels, more than the limit of 100.0"},
      {"longest row", png_file(sized(0x7fffffff, 1)), "more than the limit"},
      {"no rows", png_file(sized(10, 0)), "10x0 pixels"},
      {"no columns", png_file(sized(0, 10)), "0x10 pixels"},
      {"negative", png_file(sized(0x80000000, 1)), "pixels: expected 1 to 2^31-1"},
      {"bomb below the limit", png_file(sized(9000, 9000)), "decompression bomb"},
      {"too little data", png_file(sized(2, 2)), "corrupt"},
      {"no such depth", png_file({.bit_depth = 4, .scanlines = {0, 0}}),
       "colour type 2 with 4 bits: expected"},
      {"palette missing", png_file({.colour_type = 3, .scanlines = {0, 0}}), "corrupt"},
      {"palette index outside",
       png_file({.colour_type = 3, .scanlines = {0, 9}, .before_data = {{"PLTE", {1, 2, 3}}}}), "corrupt"},
      {"filter 9", png_file({.scanlines = {9, 1, 2, 3}}), "corrupt"},
      {"no IHDR", joined({0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'}, png_chunk({"IEND", {}})),
       "does not begin with its IHDR chunk: expected that"},
  };
}

TEST(Png, FaultsAreRefusedWithTheirReasonAndTheName) {
  for (const Fault& fault : faults()) {
    const std::string reason = refused(fault.file);
    EXPECT_THAT(reason, HasSubstr(fault.reason)) << fault.name;
    EXPECT_THAT(reason, ::testing::StartsWith("a.png: ")) << fault.name;
  }
}

// 80 MB of text in 80 kB: refused by the limit of a chunk, long after the header was found to be small.
TEST(Png, TextThatInflatesBeyondTheLimitIsRefused) {
  const std::string text(80 << 20, 'a');
  const std::unique_ptr<spng_ctx, void (*)(spng_ctx*)> encoder(spng_ctx_new(SPNG_CTX_ENCODER), spng_ctx_free);
  spng_set_option(encoder.get(), SPNG_ENCODE_TO_BUFFER, 1);
  spng_ihdr header{.width = 1, .height = 1, .bit_depth = 8, .color_type = 2};
  spng_set_ihdr(encoder.get(), &header);
  spng_text chunk{};
  chunk.keyword[0] = 'k';
  chunk.type = SPNG_ZTXT;
  chunk.text = const_cast<char*>(text.data());
  chunk.length = text.size();
  spng_set_text(encoder.get(), &chunk, 1);
  const std::uint8_t pixel[3] = {};
  ASSERT_EQ(spng_encode_image(encoder.get(), pixel, 3, SPNG_FMT_PNG, SPNG_ENCODE_FINALIZE), 0);
  std::size_t size = 0;
  int error = 0;
  const std::unique_ptr<void, void (*)(void*)> bytes(spng_get_png_buffer(encoder.get(), &size, &error),
                                                     std::free);
  const auto* first = static_cast<const std::uint8_t*>(bytes.get());
  ASSERT_LT(size, 200000U);
  EXPECT_THAT(refused({first, first + size}), HasSubstr("limit"));
}

TEST(Png, LimitsAreTheCallersChoice) {
  const FileBytes file = encode_png(random_raster(10, 10));
  EXPECT_THAT(refused(file, {.max_pixels = 99}), HasSubstr("more than the limit"));
  EXPECT_EQ(refused(file, {.max_pixels = 100}), "");
}

TEST(Png, WhatIsLeftOutIsNoted) {
  const Raster raster = decode(
      joined(png_file({.scanlines = {0, 1, 2, 3},
                       .before_data = {{"gAMA", {0, 1, 0x86, 0xa0}}, {"acTL", {0, 0, 0, 1, 0, 0, 0, 0}}}}),
             {1, 2, 3}),
      "a.png");
  EXPECT_THAT(raster.notes, ElementsAre("gAMA 1 ignored", "animation: default picture only",
                                        "3 bytes after the end of the PNG ignored"));
  EXPECT_THAT(decode(encode_png(random_raster(2, 2, 4)), "a.png").notes, ElementsAre("alpha ignored"));
}

TEST(Png, ColoursAskedForWithoutAProfileAreNoted) {
  FileBytes srgb, wide;
  for (const std::uint32_t value : {31270U, 32900U, 64000U, 33000U, 30000U, 60000U, 15000U, 6000U}) {
    for (int shift = 24; shift >= 0; shift -= 8) srgb.push_back(static_cast<std::uint8_t>(value >> shift));
  }
  wide = srgb;
  wide[10] = static_cast<std::uint8_t>(wide[10] + 16);  // red's x, by 0.04
  const auto notes = [](const PngChunk& chunk) {
    return decode(png_file({.scanlines = {0, 1, 2, 3}, .before_data = {chunk}}), "a.png").notes;
  };
  EXPECT_THAT(notes({"cHRM", srgb}), ElementsAre());
  EXPECT_THAT(notes({"cHRM", wide}), ElementsAre("cHRM ignored"));
  EXPECT_THAT(notes({"cICP", {1, 13, 0, 1}}), ElementsAre());
  EXPECT_THAT(notes({"cICP", {9, 16, 0, 1}}), ElementsAre("cICP ignored"));
}

TEST(Png, FlatPictureOf144MegapixelsIsRefusedWithItsNumbers) {
  EXPECT_THAT(
      refused(png_file(sized(12000, 12000))),
      HasSubstr(
          "12000x12000 is 144.0 megapixels, more than the limit of 100.0: cut it into smaller pictures"));
  EXPECT_THAT(
      refused(png_file(sized(9000, 9000))),
      HasSubstr(
          "would decode to 243 MB, more than 1000 times the file: refused as a decompression bomb; save "
          "it with less compression if it is meant"));
}

TEST(Png, EncodingIsTheSameEveryTime) {
  const Raster raster = random_raster(31, 17);
  EXPECT_EQ(encode_png(raster), encode_png(raster));
}

TEST(Decode, FormatsThatAreNotReadAreNamed) {
  const auto reason = [](std::string_view text) {
    return refusal(
        [&] { decode({reinterpret_cast<const std::uint8_t*>(text.data()), text.size()}, "a.webp"); });
  };
  EXPECT_EQ(reason("GIF89a"), "a.webp: GIF is not supported; expected PNG, JPEG, WebP, TIFF, BMP or PNM");
  EXPECT_THAT(reason("v/1\x01"), HasSubstr("OpenEXR is not supported"));
  EXPECT_THAT(reason(std::string("\0\0\0\x20"
                                 "ftypavif",
                                 12)),
              HasSubstr("AVIF is not supported"));
}

}  // namespace
}  // namespace upbench::test
