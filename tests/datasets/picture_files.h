#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "datasets/codec/raster.h"

struct jpeg_compress_struct;

// Makes the files that the tests decode: sound ones of every kind, and the parts to break them from.
namespace upbench::test {

using FileBytes = std::vector<std::uint8_t>;

// Every sample from a generator of its own: the same picture on every machine.
Raster random_raster(int width, int height, int channels = 3, int bit_depth = 8, std::uint64_t seed = 1);

struct PngChunk {
  std::string type;  // four letters
  FileBytes data;
};

// A PNG built chunk by chunk, with checksums, its picture data stored uncompressed.
struct PngParts {
  std::uint32_t width = 1, height = 1;
  std::uint8_t bit_depth = 8, colour_type = 2, interlace = 0;
  FileBytes scanlines;  // each with its filter byte before it
  std::vector<PngChunk> before_data, after_data;
};
FileBytes png_file(const PngParts& parts);
FileBytes png_chunk(const PngChunk& chunk);

// A TIFF block of one entry: the orientation. big_endian: "MM".
FileBytes exif_block(int orientation, bool big_endian = false);

// A JPEG with what `set` changes before compression starts and `add_markers` writes after its header. 8 bit,
// one or three channels; four are written as CMYK.
FileBytes custom_jpeg(const Raster& raster, const std::function<void(jpeg_compress_struct&)>& set,
                      const std::function<void(jpeg_compress_struct&)>& add_markers);

struct JpegOptions {
  int quality = 90;
  bool progressive = false, arithmetic = false, subsampled = true;
  FileBytes exif;  // without "Exif\0\0"; empty: none
};
FileBytes jpeg_file(const Raster& raster, const JpegOptions& options = {});

// 24 bit for three channels, 8 bit with a palette of grey levels for one, 32 bit for four (the fourth is
// padding).
FileBytes bmp_file(const Raster& raster, bool top_down = false);

void write_bytes(const std::filesystem::path& file, std::span<const std::uint8_t> bytes);
void write_png(const std::filesystem::path& file, const Raster& raster);

// The message of the exception that `work` ends with; empty where it ends without one.
template <typename Work>
std::string refusal(Work work) {
  try {
    work();
  } catch (const std::exception& error) {
    return error.what();
  }
  return "";
}

}  // namespace upbench::test
