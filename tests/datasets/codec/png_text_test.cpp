#include "datasets/codec/png_text.h"

#include <algorithm>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <zlib.h>

#include "tests/datasets/picture_files.h"

namespace upbench::test {
namespace {

using ::testing::HasSubstr;

FileBytes bytes_of(const std::string& text) {
  return {text.begin(), text.end()};
}

// The text's parts joined by NUL.
FileBytes fields(const std::vector<std::string>& parts) {
  FileBytes bytes;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (i > 0) bytes.push_back(0);
    bytes.insert(bytes.end(), parts[i].begin(), parts[i].end());
  }
  return bytes;
}

std::string deflated(const std::string& text) {
  uLongf size = compressBound(text.size());
  std::string packed(size, '\0');
  compress(reinterpret_cast<Bytef*>(packed.data()), &size, reinterpret_cast<const Bytef*>(text.data()),
           text.size());
  packed.resize(size);
  return packed;
}

// One red pixel with these chunks before and after it.
FileBytes png_with(const std::vector<PngChunk>& before, const std::vector<PngChunk>& after = {}) {
  return png_file({.scanlines = {0, 255, 0, 0}, .before_data = before, .after_data = after});
}

PngChunk text_chunk(const std::string& keyword, const std::string& text) {
  return {"tEXt", fields({keyword, text})};
}
PngChunk packed_chunk(const std::string& text) {
  FileBytes data = fields({"key", ""});
  data.push_back(0);  // method
  const std::string packed = deflated(text);
  data.insert(data.end(), packed.begin(), packed.end());
  return {"zTXt", data};
}
PngChunk international_chunk(const std::string& text, bool compressed, std::uint8_t method = 0) {
  FileBytes data = fields({"key", ""});
  data.push_back(compressed ? 1 : 0);
  data.push_back(method);
  const FileBytes rest = fields({"fr", "cl\xC3\xA9", compressed ? deflated(text) : text});
  data.insert(data.end(), rest.begin(), rest.end());
  return {"iTXt", data};
}

std::string refused(const FileBytes& file) {
  return refusal([&] { png_text(file, "key"); });
}

TEST(PngText, EveryKindOfChunkIsRead) {
  const std::string accents = "caf\xC3\xA9";
  EXPECT_EQ(png_text(png_with({text_chunk("key", "caf\xE9")}), "key"), accents) << "tEXt is Latin-1";
  EXPECT_EQ(png_text(png_with({packed_chunk("caf\xE9")}), "key"), accents) << "so is zTXt";
  EXPECT_EQ(png_text(png_with({international_chunk(accents, false)}), "key"), accents);
  EXPECT_EQ(png_text(png_with({international_chunk(accents, true)}), "key"), accents);
  EXPECT_EQ(png_text(png_with({}, {text_chunk("key", "after the picture")}), "key"), "after the picture");
}

TEST(PngText, TheKeywordChoosesAndTheFirstOfItCounts) {
  const FileBytes file =
      png_with({text_chunk("other", "no"), text_chunk("key", "first"), text_chunk("key", "second")});
  EXPECT_EQ(png_text(file, "key"), "first");
  EXPECT_EQ(png_text(file, "missing"), std::nullopt);
  EXPECT_EQ(png_text(png_with({text_chunk("key", "")}), "key"), "");
}

TEST(PngText, WhatIsBrokenIsRefused) {
  EXPECT_THAT(refused(png_with({{"tEXt", bytes_of("no end")}})), HasSubstr("broken tEXt chunk"));
  EXPECT_THAT(refused(png_with({{"zTXt", fields({"key", ""})}})), HasSubstr("it ends early"));
  EXPECT_THAT(refused(png_with({international_chunk("x", true, 1)})), HasSubstr("expected method 0"));
  EXPECT_THAT(refused(png_with({international_chunk("\xFF", false)})), HasSubstr("not UTF-8"));
  PngChunk cut = packed_chunk("some text that is packed");
  cut.data.resize(cut.data.size() - 6);
  EXPECT_THAT(refused(png_with({cut})), HasSubstr("does not inflate"));
  EXPECT_THAT(refused(bytes_of("no PNG")), HasSubstr("PNG"));
}

TEST(PngText, AWrongChecksumIsRefused) {
  const PngChunk chunk = text_chunk("key", "value");
  FileBytes file = png_with({chunk});
  const FileBytes value = bytes_of("value");
  *std::search(file.begin(), file.end(), value.begin(), value.end()) = 'V';
  EXPECT_THAT(refused(file), HasSubstr("tEXt chunk with a wrong checksum"));
}

TEST(PngText, LongTextsAreRefusedHoweverSmallTheyArePacked) {
  const std::string most(kMostTextBytes, 'a'), more = most + "a";
  EXPECT_EQ(png_text(png_with({packed_chunk(most)}), "key"), most);
  EXPECT_THAT(refused(png_with({packed_chunk(more)})), HasSubstr("at most 1000000 bytes"));
  EXPECT_THAT(refused(png_with({text_chunk("key", more)})), HasSubstr("1000001 bytes"));
  EXPECT_THAT(refused(png_with({international_chunk(more, false)})), HasSubstr("1000001 bytes"));
}

}  // namespace
}  // namespace upbench::test
