#include <algorithm>
#include <cmath>
#include <cstdio>
#include <stdexcept>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
// jpeglib.h needs size_t and FILE before it
#include <jpeglib.h>

#include "datasets/codec/decode.h"
#include "tests/datasets/codec/format_files.h"

namespace upbench::test {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

std::string refused(const FileBytes& file) {
  return refusal([&] { decode(file, "a.jpg"); });
}

// A picture that JPEG keeps well: slow waves, different in each channel.
Raster smooth(int width, int height, int channels = 3) {
  Raster raster{.width = width, .height = height, .channels = channels};
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      for (int c = 0; c < channels; ++c) {
        raster.samples.push_back(static_cast<std::uint8_t>(
            std::lround(128 + 60 * std::sin(0.05 * x + c) + 50 * std::cos(0.04 * y))));
      }
    }
  }
  return raster;
}

// Where its start-of-frame marker is.
std::size_t frame_of(const FileBytes& file) {
  for (std::size_t i = 0; i + 1 < file.size(); ++i) {
    if (file[i] == 0xff && file[i + 1] == 0xc0) return i;
  }
  throw std::logic_error("no baseline frame in the file");
}

TEST(Jpeg, ColourGreyProgressiveAndFullChromaDecodeToThePicture) {
  for (const bool progressive : {false, true}) {
    for (const bool subsampled : {false, true}) {
      for (const int channels : {1, 3}) {
        const Raster raster = smooth(50, 35, channels);
        const FileBytes file = jpeg_file(
            raster, {.quality = 98, .progressive = progressive, .subsampled = subsampled, .exif = {}});
        const Raster read = decode(file, "a.jpg");
        ASSERT_EQ(read.samples.size(), raster.samples.size());
        EXPECT_LE(largest_difference(read, raster),
                  8);  // quantisation at quality 98, colour conversion, chroma at half size
        EXPECT_EQ(read_header(file, "a.jpg").channels, channels);
      }
    }
  }
}

TEST(Jpeg, ChromaOfAnySizeIsSpreadOverItsPixels) {
  const Raster raster = colour_slopes(64, 32);
  for (const auto& factors : {std::pair{1, 1}, {2, 1}, {1, 2}, {2, 2}, {4, 1}}) {
    const FileBytes file = custom_jpeg(raster, [&](jpeg_compress_struct& info) {
      jpeg_set_quality(&info, 98, TRUE);
      info.comp_info[0].h_samp_factor = factors.first;
      info.comp_info[0].v_samp_factor = factors.second;
    });
    // The factors of the first component, as the frame has them.
    ASSERT_EQ(file[frame_of(file) + 11], factors.first << 4 | factors.second);
    const Raster read = decode(file, "a.jpg");
    ASSERT_EQ(read.samples.size(), raster.samples.size());
    // Two conversions, and chroma that stays the same over 4 pixels, on a slope of 2 a pixel in blue.
    EXPECT_LE(largest_difference(read, raster), 8) << factors.first << "x" << factors.second;
  }
}

// Told by Adobe's marker (transform 0), or by components that are named R, G and B.
TEST(Jpeg, RgbThatWasNeverConvertedIsReadAsItIs) {
  const Raster raster = colour_slopes(40, 24);
  for (const bool marked : {true, false}) {
    const FileBytes file = custom_jpeg(raster, [marked](jpeg_compress_struct& info) {
      jpeg_set_colorspace(&info, JCS_RGB);
      jpeg_set_quality(&info, 100, TRUE);
      info.write_Adobe_marker = marked ? TRUE : FALSE;
      for (int i = 0; marked && i < 3; ++i) info.comp_info[i].component_id = i + 1;
    });
    const std::string text(file.begin(), file.end());
    EXPECT_EQ(text.find("Adobe") != std::string::npos, marked);
    const Raster read = decode(file, "a.jpg");
    ASSERT_EQ(read.samples.size(), raster.samples.size());
    EXPECT_LE(largest_difference(read, raster), 2) << marked;  // the transform's rounding at quality 100
    EXPECT_THAT(read.notes, ElementsAre());
  }
}

TEST(Jpeg, TruncationAtEveryByteIsRefused) {
  for (const bool progressive : {false, true}) {
    const FileBytes file = jpeg_file(smooth(17, 9), {.quality = 50, .progressive = progressive, .exif = {}});
    for (std::size_t size = 0; size < file.size(); ++size) {
      EXPECT_NE(refused({file.begin(), file.begin() + static_cast<std::ptrdiff_t>(size)}), "")
          << size << " of " << file.size();
    }
  }
}

TEST(Jpeg, MissingEndMarkerIsRefused) {
  FileBytes file = jpeg_file(smooth(64, 64));
  file.resize(file.size() - 2);
  EXPECT_THAT(refused(file), AllOf(StartsWith("a.jpg: JPEG is corrupt or truncated"), HasSubstr("end")));
}

TEST(Jpeg, HalfAFileIsRefused) {
  FileBytes file = jpeg_file(random_raster(256, 192));
  file.resize(file.size() / 2);
  EXPECT_THAT(refused(file), HasSubstr("JPEG is corrupt or truncated"));
}

TEST(Jpeg, GarbageInAScanIsRefused) {
  FileBytes file = jpeg_file(random_raster(256, 192));
  const std::size_t middle = file.size() / 2;
  for (std::size_t i = 0; i < 8; ++i) file[middle + i] = i % 2 == 0 ? 0xff : 0xd9;
  EXPECT_NE(refused(file), "");
}

// Row 9: the picture before the damage is as it was, and the notes say that there is some.
TEST(Jpeg, GarbageInAScanIsDecodedAndNotedWhereThatIsAskedFor) {
  const DecodeLimits lenient{.lenient = true};
  const FileBytes sound = jpeg_file(random_raster(64, 64));
  FileBytes file = sound;
  std::fill_n(file.end() - 402, 400, std::uint8_t{0xfe});
  EXPECT_THAT(refused(file), StartsWith("a.jpg: JPEG is corrupt or truncated: Corrupt JPEG data"));
  const Raster whole = decode(sound, "a.jpg", lenient), damaged = decode(file, "a.jpg", lenient);
  EXPECT_THAT(whole.notes, ElementsAre());
  EXPECT_THAT(damaged.notes, ElementsAre(StartsWith("corrupt: Corrupt JPEG data: ")));
  EXPECT_EQ(whole.samples, decode(sound, "a.jpg").samples);
  ASSERT_EQ(damaged.samples.size(), whole.samples.size());
  EXPECT_TRUE(std::equal(whole.samples.begin(), whole.samples.begin() + 8 * 64 * 3, damaged.samples.begin()));
  EXPECT_NE(damaged.samples, whole.samples);

  FileBytes cut = sound;
  for (const std::size_t size : {sound.size() - 2, sound.size() / 2}) {
    cut.resize(size);
    EXPECT_THAT(refusal([&] { decode(cut, "a.jpg", lenient); }), HasSubstr("Premature end of JPEG file"))
        << size;
  }
}

TEST(Jpeg, ArithmeticCodingIsRefusedByName) {
  EXPECT_THAT(refused(jpeg_file(smooth(16, 16), {.arithmetic = true, .exif = {}})),
              HasSubstr("unsupported JPEG process: arithmetic coding"));
}

TEST(Jpeg, ProcessesThatAreNotDecodedAreRefusedByName) {
  const FileBytes sound = jpeg_file(smooth(16, 16));
  const std::size_t frame = frame_of(sound);
  const auto with = [&](int process, int precision) {
    FileBytes file = sound;
    file[frame + 1] = static_cast<std::uint8_t>(0xc0 + process);
    file[frame + 4] = static_cast<std::uint8_t>(precision);
    return refused(file);
  };
  EXPECT_EQ(with(1, 12), "a.jpg: unsupported JPEG process: 12 bits a sample, expected 8");
  EXPECT_EQ(with(3, 8), "a.jpg: unsupported JPEG process: lossless (SOF3)");
  EXPECT_EQ(with(5, 8), "a.jpg: unsupported JPEG process: hierarchical (SOF5)");
  EXPECT_EQ(with(10, 8), "a.jpg: unsupported JPEG process: arithmetic coding (SOF10)");
  EXPECT_EQ(with(1, 8), "") << "extended sequential";
}

// Scans are cut off at the end, and the file closed again: to the library it is whole.
TEST(Jpeg, MissingLastScansAreRefused) {
  for (const int channels : {1, 3}) {
    const FileBytes file = jpeg_file(smooth(40, 24, channels), {.progressive = true, .exif = {}});
    const std::vector<std::size_t> scans = scans_of(file);
    ASSERT_GE(scans.size(), 6U);
    for (std::size_t kept = 1; kept < scans.size(); ++kept) {
      FileBytes cut(file.begin(), file.begin() + static_cast<std::ptrdiff_t>(scans[kept]));
      // Tables for the scan that went may stand before its marker: they do no harm.
      cut.insert(cut.end(), {0xff, 0xd9});
      EXPECT_THAT(refused(cut), HasSubstr("JPEG is truncated: its progressive scans leave coefficient"))
          << kept << " of " << scans.size();
    }
    EXPECT_EQ(refused(file), "");
  }
}

// The end marker is there, rows are not: the library would go on with grey.
TEST(Jpeg, BaselineScanThatIsCutAndClosedAgainIsRefused) {
  for (const unsigned restart_interval : {0U, 1U}) {
    const FileBytes file = custom_jpeg(
        smooth(33, 17), [=](jpeg_compress_struct& info) { info.restart_interval = restart_interval; });
    const std::size_t data = scans_of(file).at(0) + 14;  // marker, length, three components
    const auto cut_at = [&](std::size_t size) {
      FileBytes cut(file.begin(), file.begin() + static_cast<std::ptrdiff_t>(size));
      cut.insert(cut.end(), {0xff, 0xd9});
      return cut;
    };
    ASSERT_EQ(refused(cut_at(file.size() - 2)), "");
    for (std::size_t size = data; size < file.size() - 2; ++size)
      ASSERT_THAT(refused(cut_at(size)), HasSubstr("JPEG is corrupt or truncated: Corrupt JPEG data"))
          << size << " of " << file.size() << ", restarts every " << restart_interval;
    const FileBytes half = cut_at((data + file.size()) / 2);
    EXPECT_THAT(decode(half, "a.jpg", {.lenient = true}).notes,
                ElementsAre(StartsWith("corrupt: Corrupt JPEG data")));
  }
}

TEST(Jpeg, MissingScanOfAComponentIsRefused) {
  static const jpeg_scan_info kOneEach[] = {
      {1, {0, 0, 0, 0}, 0, 63, 0, 0}, {1, {1, 0, 0, 0}, 0, 63, 0, 0}, {1, {2, 0, 0, 0}, 0, 63, 0, 0}};
  const FileBytes file = custom_jpeg(smooth(40, 24), [](jpeg_compress_struct& info) {
    info.scan_info = kOneEach;
    info.num_scans = 3;
  });
  EXPECT_EQ(refused(file), "");
  FileBytes cut(file.begin(), file.begin() + static_cast<std::ptrdiff_t>(scans_of(file)[2]));
  cut.insert(cut.end(), {0xff, 0xd9});
  EXPECT_THAT(refused(cut), HasSubstr("JPEG is truncated: no scan holds component 3"));
}

TEST(Jpeg, EndlessProgressiveScansAreCutShort) {
  // The last scan of a progressive file, again and again: each costs a pass over the whole picture.
  FileBytes file = jpeg_file(smooth(32, 32), {.progressive = true, .exif = {}});
  const std::size_t last_scan = scans_of(file).back();
  const FileBytes scan(file.begin() + static_cast<std::ptrdiff_t>(last_scan), file.end() - 2);
  file.resize(file.size() - 2);
  for (int i = 0; i < 600; ++i) file.insert(file.end(), scan.begin(), scan.end());
  file.insert(file.end(), {0xff, 0xd9});
  EXPECT_NE(refused(file), "");
}

TEST(Jpeg, BytesAfterTheEndAreNoted) {
  FileBytes file = jpeg_file(smooth(16, 16));
  file.insert(file.end(), {1, 2, 3});
  EXPECT_THAT(decode(file, "a.jpg").notes, Contains("3 bytes after the end of the JPEG ignored"));
}

TEST(Jpeg, TheHeaderAloneTellsWhatFollowsTheEnd) {
  const Raster raster = random_raster(40, 24);  // noise: FF among the compressed data
  const FileBytes baseline = jpeg_file(raster),
                  progressive = jpeg_file(raster, {.progressive = true, .exif = {}}),
                  restarts =
                      custom_jpeg(raster, [](jpeg_compress_struct& info) { info.restart_interval = 1; });
  for (FileBytes file : {baseline, progressive, restarts}) {
    EXPECT_THAT(read_header(file, "a.jpg").notes, ElementsAre());
    file.insert(file.end(), baseline.begin(), baseline.end());  // a second picture, as phones add
    const auto notes = decode(file, "a.jpg").notes;
    EXPECT_THAT(notes,
                ElementsAre(std::to_string(baseline.size()) + " bytes after the end of the JPEG ignored"));
    EXPECT_EQ(read_header(file, "a.jpg").notes, notes);
  }
}

TEST(Jpeg, NamedPngIsStillAJpeg) {
  const RasterHeader header = read_header(jpeg_file(smooth(8, 8)), "a.PNG");
  EXPECT_EQ(header.format, "jpeg");
  EXPECT_THAT(header.notes, Contains("named .png but holds jpeg"));
  EXPECT_TRUE(read_header(jpeg_file(smooth(8, 8)), "a.JPEG").notes.empty());
}

TEST(Jpeg, HeaderBeyondTheLimitIsRefusedBeforeDecoding) {
  FileBytes file = jpeg_file(smooth(16, 16));
  for (std::size_t byte = 5; byte < 9; ++byte) file[frame_of(file) + byte] = 0xf0;  // 61680 x 61680
  EXPECT_THAT(refused(file), HasSubstr("61680x61680 is 3804.4 megapixels, more than the limit of 100.0"));
}

}  // namespace
}  // namespace upbench::test
