#include <random>

#include <gtest/gtest.h>

#include "datasets/codec/byte_order.h"
#include "datasets/codec/decode.h"
#include "datasets/codec/encode.h"
#include "tests/datasets/codec/format_files.h"

namespace upbench::test {
namespace {

std::vector<FileBytes> sound_files() {
  std::vector<FileBytes> files;
  for (const int channels : {1, 3}) {
    for (const bool progressive : {false, true}) {
      files.push_back(jpeg_file(random_raster(40, 30, channels),
                                {.quality = 60, .progressive = progressive, .exif = exif_block(6)}));
    }
  }
  for (const int channels : {1, 2, 3, 4}) files.push_back(encode_png(random_raster(9, 7, channels, 16)));
  for (const int channels : {1, 3, 4}) files.push_back(bmp_file(random_raster(9, 7, channels)));
  const FileBytes profile = rgb_profile(kAdobePrimaries, 2.2);
  for (const int channels : {3, 4}) {
    for (const bool lossless : {false, true}) {
      files.push_back(webp_file(random_raster(9, 7, channels),
                                {.lossless = lossless, .profile = profile, .exif = exif_block(6)}));
    }
  }
  for (const int compression : {1, 5, 7, 8, 32773}) {  // none, LZW, JPEG, deflate, PackBits
    for (const int tile : {0, 16}) {
      files.push_back(
          tiff_file(random_raster(24, 16),
                    {.compression = compression, .tile = tile, .rows_per_strip = 8, .orientation = 6}));
    }
  }
  files.push_back(tiff_file(random_raster(9, 7), {.profile = profile}));
  files.push_back(tiff_file(random_raster(9, 7, 4, 16), {.mode = "wb8", .planar = true, .alpha = 1}));
  // A fax (CCITT group 4), YCbCr inside JPEG, a palette; colours of OS/2.
  const FileBytes packed = random_raster(3, 6, 1).samples;
  files.push_back(tiff_file(Raster{.width = 24, .height = 6, .channels = 1},
                            {.compression = 4, .photometric = 0, .bits = 1, .packed = packed}));
  files.push_back(
      tiff_file(random_raster(16, 16), {.compression = 7, .photometric = 6, .rows_per_strip = 16}));
  files.push_back(tiff_file(
      Raster{.width = 6, .height = 6, .channels = 1},
      {.photometric = 3, .bits = 4, .packed = packed, .palette = std::vector<std::uint16_t>(3 * 16, 257)}));
  files.push_back(os2_bmp_of({.width = 2, .bits = 8, .palette = {1, 2, 3, 4, 5, 6}, .rows = {1, 0, 0, 0}}));
  files.push_back(jpeg_file(random_raster(9, 7, 4)));
  files.push_back(custom_jpeg(random_raster(9, 7, 4), [](jpeg_compress_struct&) {}, cmyk_profile()));
  for (const char* header : {"P1 6 3 ", "P2 6 3 255 ", "P3 3 2 300 "})
    files.push_back(pnm_file(header + std::string("1 0 1 0 1 0 1 0 1 0 1 0 1 0 1 0 1 0\n")));
  for (const char* header : {"P4 9 3 ", "P5 3 2 255 ", "P6 1 1 1023 "})
    files.push_back(pnm_file(header, {1, 2, 3, 2, 1, 0}));
  return files;
}

// Whole and small, one of each kind.
std::vector<FileBytes> small_files() {
  std::vector<FileBytes> files = sound_files();
  files.push_back(webp_file(random_raster(5, 5)));
  files.push_back(tiff_file(random_raster(5, 5)));
  return files;
}

void damage(FileBytes& file, std::mt19937& random) {
  const std::size_t at = random() % file.size();
  const auto byte = static_cast<std::uint8_t>(random());
  switch (random() % 4) {
    case 0:
      file[at] = byte;
      break;
    case 1:
      file[at] = static_cast<std::uint8_t>(file[at] ^ 1 << byte % 8);
      break;
    case 2:
      file.resize(at + 1);
      break;
    default:
      file.insert(file.begin() + static_cast<std::ptrdiff_t>(at), 1 + byte % 5, byte);
  }
}

// Decodes, or refuses by std::runtime_error; what it must not do, crash or run beyond the file, the
// sanitizers' build finds.
void decode_or_refuse(const FileBytes& file, const DecodeLimits& limits) {
  try {
    const Raster raster = decode(file, "damaged", limits);
    EXPECT_EQ(raster.samples.size(), raster.row_bytes() * static_cast<std::size_t>(raster.height));
  } catch (const std::runtime_error& error) {
    EXPECT_TRUE(std::string(error.what()).starts_with("damaged: "));
  }
}
void decode_or_refuse(const FileBytes& file) {
  decode_or_refuse(file, {});
  if (file.size() > 1 && file[0] == 0xff && file[1] == 0xd8) decode_or_refuse(file, {.lenient = true});
}

TEST(DamagedFile, CutAtAnyByteIsRefused) {
  for (const FileBytes& file : small_files()) {
    ASSERT_EQ(refusal([&] { decode(file, "whole"); }), "");
    for (std::size_t size = 0; size < file.size(); ++size) {
      const Bytes cut = Bytes(file).first(size);
      ASSERT_NE(refusal([&] { decode(cut, "cut"); }), "")
          << size << " of " << file.size() << " bytes, which begin " << file[0] << file[1];
    }
  }
}

TEST(DamagedFile, WithAnyByteChangedIsRefusedOrDecodedWhole) {
  for (const FileBytes& file : small_files()) {
    // A profile makes a file long and every decoding slow.
    const std::size_t step =
        file.size() > 600 && std::string(file.begin(), file.end()).find("acsp") != std::string::npos ? 7 : 1;
    for (std::size_t at = 0; at < file.size(); at += step) {
      FileBytes changed = file;
      changed[at] = static_cast<std::uint8_t>(changed[at] ^ (1 << at % 8));
      decode_or_refuse(changed);
      changed[at] = file[at] == 0xff ? 0 : 0xff;
      decode_or_refuse(changed);
    }
  }
}

TEST(DamagedFile, IsRefusedOrDecodedWhole) {
  const auto files = sound_files();
  std::mt19937 random(3);
  for (int i = 0; i < 5000; ++i) {
    FileBytes file = files[static_cast<std::size_t>(i) % files.size()];
    for (auto times = 1 + random() % 4; times > 0; --times) damage(file, random);
    decode_or_refuse(file);
  }
}

// Checksums that fit hide nothing: chunks of random content in a PNG of random kind.
TEST(DamagedFile, PngWithSoundChecksumsIsRefusedOrDecodedWhole) {
  const std::vector<std::string> types{"PLTE", "tRNS", "eXIf", "gAMA", "tEXt", "zTXt", "iTXt",
                                       "iCCP", "sBIT", "bKGD", "hIST", "acTL", "abcd", "ABCD"};
  std::mt19937 random(4);
  const auto sparse = [&random](std::size_t size) {  // mostly small numbers, which headers are made of
    FileBytes bytes(size);
    for (auto& byte : bytes) byte = static_cast<std::uint8_t>(random() % 4 ? random() % 3 : random());
    return bytes;
  };
  for (int i = 0; i < 5000; ++i) {
    PngParts parts{.width = 5,
                   .height = 3,
                   .bit_depth = static_cast<std::uint8_t>(1 << random() % 5),
                   .colour_type = static_cast<std::uint8_t>(random() % 7),
                   .interlace = static_cast<std::uint8_t>(random() % 2),
                   .scanlines = sparse(random() % 120)};
    for (auto chunks = random() % 4; chunks > 0; --chunks) {
      auto& place = random() % 2 ? parts.before_data : parts.after_data;
      place.push_back({types[random() % types.size()], sparse(random() % 40)});
    }
    decode_or_refuse(png_file(parts));
  }
}

}  // namespace
}  // namespace upbench::test
