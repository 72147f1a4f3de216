// What a TIFF says beside its samples, and about them, where that is wrong.
#include <algorithm>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <tiff.h>

#include "datasets/codec/decode.h"
#include "tests/datasets/codec/format_files.h"

namespace upbench::test {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;
using ::testing::StartsWith;

std::string refused(const FileBytes& file) {
  return refusal([&] { decode(file, "a.tif"); });
}

// Three samples of grey by two, uncompressed, one strip.
const FileBytes kGrey{10, 20, 30, 40, 50, 60};
std::vector<TiffEntry> grey_entries() {
  return {{TIFFTAG_IMAGEWIDTH, TIFF_SHORT, 1, 3},      {TIFFTAG_IMAGELENGTH, TIFF_SHORT, 1, 2},
          {TIFFTAG_BITSPERSAMPLE, TIFF_SHORT, 1, 8},   {TIFFTAG_COMPRESSION, TIFF_SHORT, 1, COMPRESSION_NONE},
          {TIFFTAG_PHOTOMETRIC, TIFF_SHORT, 1, 1},     {TIFFTAG_STRIPOFFSETS, TIFF_LONG, 1, 8},
          {TIFFTAG_SAMPLESPERPIXEL, TIFF_SHORT, 1, 1}, {TIFFTAG_ROWSPERSTRIP, TIFF_SHORT, 1, 2},
          {TIFFTAG_STRIPBYTECOUNTS, TIFF_LONG, 1, 6}};
}

std::vector<TiffEntry> without(std::vector<TiffEntry> entries, int tag) {
  std::erase_if(entries, [tag](const TiffEntry& entry) { return entry.tag == tag; });
  return entries;
}

// In the place of the entry of that tag, or where it belongs.
std::vector<TiffEntry> with(std::vector<TiffEntry> entries, const TiffEntry& entry) {
  entries = without(std::move(entries), entry.tag);
  entries.insert(std::ranges::lower_bound(entries, entry.tag, {}, &TiffEntry::tag), entry);
  return entries;
}

struct Remark {
  TiffEntry entry;
  const char* text;
};

TEST(TiffMetadata, WhatIsWrongBesideTheSamplesIsNoted) {
  // "abcd", and "a", 0, "b", 0.
  constexpr std::uint32_t kNoEnd = 0x64636261, kTwoEnds = 0x00620061;
  const std::vector<Remark> remarks{
      {{TIFFTAG_SOFTWARE, TIFF_ASCII, 4, kNoEnd},
       "metadata: ASCII value for tag \"Software\" does not end in null byte"},
      {{TIFFTAG_SOFTWARE, TIFF_ASCII, 4, kTwoEnds},
       "metadata: ASCII value for tag \"Software\" contains null byte in value"},
      {{65000, TIFF_ASCII, 4, kNoEnd},
       "metadata: ASCII value for tag \"Tag 65000\" does not end in null byte"},
      {{65000, TIFF_BYTE, 0, 0}, "metadata: Null count for \"Tag 65000\""},
      {{TIFFTAG_XRESOLUTION, TIFF_RATIONAL, 2, 8},
       "metadata: Incorrect count for \"XResolution\"; tag ignored"},
      {{TIFFTAG_RESOLUTIONUNIT, TIFF_ASCII, 1, 2},
       "metadata: Incompatible type for \"ResolutionUnit\"; tag ignored"},
      {{TIFFTAG_RESOLUTIONUNIT, TIFF_SHORT, 1, 9}, "metadata: Bad value 9 for \"ResolutionUnit\" tag"},
      {{TIFFTAG_PAGENUMBER, TIFF_SHORT, 1, 1}, "metadata: incorrect count for field \"PageNumber\""},
      {{TIFFTAG_ORIENTATION, TIFF_SHORT, 1, 9}, "orientation 9 is not one of 1 to 8: taken as upright"},
      {{TIFFTAG_ORIENTATION, TIFF_SHORT, 1, 0}, "orientation 0 is not one of 1 to 8: taken as upright"},
      {{TIFFTAG_ORIENTATION, TIFF_LONG, 1, 70000},
       "metadata: Incorrect value for \"Orientation\"; tag ignored"},
      {{TIFFTAG_ICCPROFILE, TIFF_RATIONAL, 1, 8},
       "icc_ignored: Incompatible type for \"ICC Profile\"; tag ignored"},
  };
  for (const Remark& remark : remarks) {
    const FileBytes file = tiff_of(kGrey, with(grey_entries(), remark.entry));
    ASSERT_EQ(refused(file), "") << remark.text;
    const Raster read = decode(file, "a.tif");
    EXPECT_EQ(read.samples, kGrey) << remark.text;
    EXPECT_THAT(read.notes, ElementsAre("grey", StartsWith(remark.text)));
    EXPECT_EQ(read_header(file, "a.tif").notes, read.notes);
  }
  EXPECT_THAT(decode(tiff_of(kGrey, grey_entries()), "a.tif").notes, ElementsAre("grey"));
}

TEST(TiffMetadata, NotesAreLimited) {
  std::vector<TiffEntry> entries = grey_entries();
  for (int tag = 65000; tag < 65100; ++tag) entries.push_back({tag, TIFF_ASCII, 4, 0x64636261});
  const auto notes = decode(tiff_of(kGrey, entries), "a.tif").notes;
  ASSERT_THAT(notes, SizeIs(1 + 20 + 1));  // "grey", those kept, and the one that says there are more
  EXPECT_EQ(notes.back(), "metadata: further faults left out");
}

TEST(TiffMetadata, WhatIsWrongAboutTheSamplesIsRefused) {
  const std::vector<Remark> faults{
      {{TIFFTAG_PHOTOMETRIC, TIFF_SHORT, 2, 0x00010001}, "PhotometricInterpretation"},
      {{TIFFTAG_FILLORDER, TIFF_SHORT, 1, 3}, "FillOrder"},
      {{TIFFTAG_FILLORDER, TIFF_ASCII, 1, 1}, "FillOrder"},
      {{TIFFTAG_SUBFILETYPE, TIFF_ASCII, 1, 1}, "SubfileType"},
      {{TIFFTAG_SAMPLEFORMAT, TIFF_SHORT, 1, 9}, "SampleFormat"},
      {{TIFFTAG_PLANARCONFIG, TIFF_SHORT, 1, 3}, "PlanarConfiguration"},
      {{TIFFTAG_STRIPOFFSETS, TIFF_LONG, 0, 0}, "StripOffsets"},
  };
  for (const Remark& fault : faults)
    EXPECT_THAT(refused(tiff_of(kGrey, with(grey_entries(), fault.entry))),
                AllOf(HasSubstr("TIFF is corrupt or truncated"), HasSubstr(fault.text)));
  EXPECT_THAT(refused(tiff_of(kGrey, with(grey_entries(), {TIFFTAG_IMAGEDEPTH, TIFF_LONG, 1, 2}))),
              HasSubstr("TIFF with 2 layers of pixels (ImageDepth) is not supported; expected one"));
}

TEST(TiffMetadata, TagsThatLieBeyondTheEndAreRefused) {
  // 100 bytes from byte 100 of 140 on.
  const FileBytes file = tiff_of(kGrey, with(grey_entries(), {TIFFTAG_SOFTWARE, TIFF_ASCII, 100, 100}));
  ASSERT_EQ(file.size(), 140U);
  EXPECT_THAT(refused(file), AllOf(HasSubstr("TIFF is corrupt or truncated"), HasSubstr("Software")));
}

TEST(TiffMetadata, DirectoryThatIsCutAnywhereIsRefused) {
  const FileBytes file = tiff_of(kGrey, grey_entries());
  for (std::size_t size = 0; size < file.size(); ++size)
    EXPECT_NE(refused({file.begin(), file.begin() + static_cast<std::ptrdiff_t>(size)}), "") << size;
  FileBytes cut = file;
  cut.resize(file.size() - 1);  // within the offset of the next directory
  EXPECT_THAT(refused(cut), HasSubstr("a directory ends at byte 128, the file at byte 127"));
}

TEST(TiffMetadata, TagsOutOfOrderAreNotedAndTagsThatComeTwiceRefused) {
  std::vector<TiffEntry> entries = grey_entries();
  std::ranges::reverse(entries);
  const Raster read = decode(tiff_of(kGrey, entries), "a.tif");
  EXPECT_EQ(read.samples, kGrey);
  EXPECT_THAT(read.notes, ElementsAre("grey", "metadata: tags are not in ascending order"));

  std::vector<TiffEntry> twice = grey_entries();
  twice.insert(twice.begin(), {TIFFTAG_IMAGEWIDTH, TIFF_SHORT, 1, 2});
  EXPECT_THAT(refused(tiff_of(kGrey, twice)), HasSubstr("tag 256 comes more than once in a directory"));
}

TEST(TiffMetadata, SamplesBeyondTheColoursAreAlphaWithoutExtraSamples) {
  const FileBytes samples{1, 2, 3, 4, 5, 6, 7, 8};
  const auto file = [&](std::uint32_t photometric, std::uint32_t channels) {
    std::vector<TiffEntry> entries = with(grey_entries(), {TIFFTAG_PHOTOMETRIC, TIFF_SHORT, 1, photometric});
    entries = with(entries, {TIFFTAG_SAMPLESPERPIXEL, TIFF_SHORT, 1, channels});
    entries = with(entries, {TIFFTAG_IMAGEWIDTH, TIFF_SHORT, 1, 8 / channels});
    entries = with(entries, {TIFFTAG_IMAGELENGTH, TIFF_SHORT, 1, 1});
    return tiff_of(samples, with(entries, {TIFFTAG_STRIPBYTECOUNTS, TIFF_LONG, 1, 8}));
  };
  constexpr const char* kNote = "metadata: ExtraSamples leaves out samples beyond the colours";
  const Raster rgba = decode(file(PHOTOMETRIC_RGB, 4), "a.tif");
  EXPECT_EQ(rgba.channels, 4);
  EXPECT_EQ(rgba.samples, samples);
  EXPECT_THAT(rgba.notes, ElementsAre("alpha ignored", kNote));
  const Raster grey = decode(file(PHOTOMETRIC_MINISBLACK, 2), "a.tif");
  EXPECT_EQ(grey.channels, 2);
  EXPECT_EQ(grey.samples, samples);
  EXPECT_THAT(grey.notes, ElementsAre("grey", "alpha ignored", kNote));
  EXPECT_THAT(refused(file(PHOTOMETRIC_RGB, 8)), HasSubstr("8 samples a pixel where 3 are colour"));
}

TEST(TiffMetadata, ByteCountsMayBeMissingWhereTheyFollowFromTheSize) {
  const std::vector<TiffEntry> plain = without(grey_entries(), TIFFTAG_STRIPBYTECOUNTS);
  const FileBytes file = tiff_of(kGrey, plain);
  const Raster read = decode(file, "a.tif");
  EXPECT_EQ(read.samples, kGrey);
  EXPECT_THAT(read.notes,
              ElementsAre("grey", "metadata: StripByteCounts is missing: computed from the size"));

  // One byte less than the rows need.
  const auto near_end = static_cast<std::uint32_t>(file.size() - 5);
  EXPECT_THAT(refused(tiff_of(kGrey, with(plain, {TIFFTAG_STRIPOFFSETS, TIFF_LONG, 1, near_end}))),
              HasSubstr("TIFF is corrupt or truncated"));
  // Two strips: at bytes 8 and 11.
  const auto two = with(with(plain, {TIFFTAG_ROWSPERSTRIP, TIFF_SHORT, 1, 1}),
                        {TIFFTAG_STRIPOFFSETS, TIFF_SHORT, 2, 11 << 16 | 8});
  EXPECT_THAT(refused(tiff_of(kGrey, two)), HasSubstr("StripByteCounts"));
}

TEST(TiffMetadata, ByteCountsOfCompressedStripsMustBeThere) {
  // PackBits: six bytes as they are.
  const FileBytes packed{5, 10, 20, 30, 40, 50, 60};
  const auto entries = with(with(grey_entries(), {TIFFTAG_STRIPBYTECOUNTS, TIFF_LONG, 1, 7}),
                            {TIFFTAG_COMPRESSION, TIFF_SHORT, 1, COMPRESSION_PACKBITS});
  EXPECT_EQ(decode(tiff_of(packed, entries), "a.tif").samples, kGrey);
  EXPECT_THAT(refused(tiff_of(packed, without(entries, TIFFTAG_STRIPBYTECOUNTS))),
              AllOf(HasSubstr("TIFF is corrupt or truncated"), HasSubstr("StripByteCounts")));
}

TEST(TiffMetadata, PaletteThatIsNotThereIsNotTakenForGrey) {
  const auto named = with(grey_entries(), {TIFFTAG_PHOTOMETRIC, TIFF_SHORT, 1, PHOTOMETRIC_PALETTE});
  EXPECT_THAT(refused(tiff_of(kGrey, named)), HasSubstr("a palette that is missing: expected a ColorMap"));
  EXPECT_THAT(refused(tiff_of(kGrey, with(named, {TIFFTAG_COLORMAP, TIFF_SHORT, 6, 8}))),
              AllOf(HasSubstr("TIFF is corrupt or truncated"), HasSubstr("ColorMap")));
}

TEST(TiffMetadata, PredictorIsRefusedWhereReadersDifferOnIt) {
  const auto predicted = [](std::uint32_t predictor) {
    return tiff_of(kGrey, with(grey_entries(), {TIFFTAG_PREDICTOR, TIFF_SHORT, 1, predictor}));
  };
  EXPECT_EQ(decode(predicted(PREDICTOR_NONE), "a.tif").samples, kGrey);
  EXPECT_THAT(refused(predicted(PREDICTOR_HORIZONTAL)),
              HasSubstr("TIFF with predictor 2 before compression 1 is not supported; expected one before "
                        "LZW or deflate only"));
}

TEST(TiffMetadata, PaletteBeforeItsDepthIsRefused) {
  // Two colours, black and white, at byte 8; then three pixels of one bit.
  const FileBytes data{0, 0, 255, 255, 0, 0, 255, 255, 0, 0, 255, 255, 0b10100000};
  std::vector<TiffEntry> entries = with(grey_entries(), {TIFFTAG_IMAGELENGTH, TIFF_SHORT, 1, 1});
  entries = with(entries, {TIFFTAG_BITSPERSAMPLE, TIFF_SHORT, 1, 1});
  entries = with(entries, {TIFFTAG_PHOTOMETRIC, TIFF_SHORT, 1, PHOTOMETRIC_PALETTE});
  entries = with(entries, {TIFFTAG_STRIPOFFSETS, TIFF_LONG, 1, 20});
  entries = with(entries, {TIFFTAG_STRIPBYTECOUNTS, TIFF_LONG, 1, 1});
  entries = with(entries, {TIFFTAG_COLORMAP, TIFF_SHORT, 6, 8});
  EXPECT_THAT(decode(tiff_of(data, entries), "a.tif").samples,
              ElementsAre(255, 255, 255, 0, 0, 0, 255, 255, 255));
  std::ranges::reverse(entries);
  EXPECT_THAT(refused(tiff_of(data, entries)),
              AllOf(HasSubstr("TIFF is corrupt or truncated"), HasSubstr("ColorMap")));
}

TEST(TiffMetadata, TilesOfAnySidesAreReadAndNoted) {
  std::vector<TiffEntry> entries = grey_entries();
  for (const int tag : {TIFFTAG_STRIPOFFSETS, TIFFTAG_ROWSPERSTRIP, TIFFTAG_STRIPBYTECOUNTS})
    entries = without(entries, tag);
  entries = with(entries, {TIFFTAG_TILEWIDTH, TIFF_SHORT, 1, 3});
  entries = with(entries, {TIFFTAG_TILELENGTH, TIFF_SHORT, 1, 2});
  entries = with(entries, {TIFFTAG_TILEOFFSETS, TIFF_LONG, 1, 8});
  entries = with(entries, {TIFFTAG_TILEBYTECOUNTS, TIFF_LONG, 1, 6});
  const Raster read = decode(tiff_of(kGrey, entries), "a.tif");
  EXPECT_EQ(read.samples, kGrey);
  EXPECT_THAT(read.notes, ElementsAre("grey", "metadata: tiles with sides that are no multiples of 16"));
}

}  // namespace
}  // namespace upbench::test
