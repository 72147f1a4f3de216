#include <cmath>
#include <cstdlib>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "datasets/codec/decode.h"
#include "tests/datasets/picture_files.h"

namespace upbench::test {
namespace {

using ::testing::AllOf;
using ::testing::AnyOf;
using ::testing::Contains;
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

int largest_difference(const Raster& a, const Raster& b) {
  int largest = 0;
  for (std::size_t i = 0; i < a.samples.size(); ++i)
    largest = std::max(largest, std::abs(a.samples[i] - b.samples[i]));
  return largest;
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

TEST(Jpeg, CmykAndArithmeticCodingAreRefusedByName) {
  EXPECT_THAT(refused(jpeg_file(random_raster(16, 16, 4))), HasSubstr("CMYK"));
  EXPECT_THAT(refused(jpeg_file(smooth(16, 16), {.arithmetic = true, .exif = {}})),
              HasSubstr("unsupported JPEG process: arithmetic coding"));
}

TEST(Jpeg, TwelveBitIsRefusedByName) {
  FileBytes file = jpeg_file(smooth(16, 16));
  for (std::size_t i = 0; i + 4 < file.size(); ++i) {
    if (file[i] == 0xff && file[i + 1] == 0xc0) {
      file[i + 4] = 12;  // sample precision, in the frame header
      break;
    }
  }
  EXPECT_THAT(refused(file), HasSubstr("unsupported JPEG process"));
}

TEST(Jpeg, EndlessProgressiveScansAreCutShort) {
  // The last scan of a progressive file, again and again: each costs a pass over the whole picture.
  FileBytes file = jpeg_file(smooth(32, 32), {.progressive = true, .exif = {}});
  std::size_t last_scan = 0;
  for (std::size_t i = 0; i + 1 < file.size(); ++i) {
    if (file[i] == 0xff && file[i + 1] == 0xda) last_scan = i;
  }
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

TEST(Jpeg, NamedPngIsStillAJpeg) {
  EXPECT_EQ(read_header(jpeg_file(smooth(8, 8)), "a.png").format, "jpeg");
}

TEST(Jpeg, HeaderBeyondTheLimitIsRefusedBeforeDecoding) {
  FileBytes file = jpeg_file(smooth(16, 16));
  for (std::size_t i = 0; i + 8 < file.size(); ++i) {
    if (file[i] != 0xff || file[i + 1] != 0xc0) continue;
    for (std::size_t byte = 5; byte < 9; ++byte) file[i + byte] = 0xf0;  // 61680 x 61680
    break;
  }
  EXPECT_THAT(refused(file), HasSubstr("61680x61680 is 3804.4 megapixels, more than the limit of 100.0"));
}

}  // namespace
}  // namespace upbench::test
