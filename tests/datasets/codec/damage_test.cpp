#include <random>

#include <gtest/gtest.h>

#include "datasets/codec/decode.h"
#include "datasets/codec/encode.h"
#include "tests/datasets/picture_files.h"

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
void decode_or_refuse(const FileBytes& file) {
  try {
    const Raster raster = decode(file, "damaged");
    EXPECT_EQ(raster.samples.size(), raster.row_bytes() * static_cast<std::size_t>(raster.height));
  } catch (const std::runtime_error& error) {
    EXPECT_TRUE(std::string(error.what()).starts_with("damaged: "));
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
