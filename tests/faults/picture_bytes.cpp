#include "tests/faults/picture_bytes.h"

#include <algorithm>
#include <cstring>
#include <stdexcept>

#include <zlib.h>

#include "datasets/codec/encode.h"

namespace upbench::test {
namespace {

constexpr int kWidth = 24, kHeight = 20;

FileBytes deflated(const FileBytes& data) {
  uLongf size = compressBound(data.size());
  FileBytes out(size);
  if (compress2(out.data(), &size, data.data(), data.size(), 1) != Z_OK)
    throw std::runtime_error("zlib failed");
  out.resize(size);
  return out;
}

// The rows of a PNG, each after its filter byte.
FileBytes scanlines(const Raster& raster) {
  FileBytes lines;
  for (std::size_t y = 0; y < static_cast<std::size_t>(raster.height); ++y) {
    const auto row = raster.samples.begin() + static_cast<std::ptrdiff_t>(y * raster.row_bytes());
    lines.push_back(0);
    lines.insert(lines.end(), row, row + static_cast<std::ptrdiff_t>(raster.row_bytes()));
  }
  return lines;
}

PngParts small_png(std::uint8_t bit_depth, std::uint8_t colour_type, FileBytes lines) {
  PngParts parts;
  parts.width = kWidth;
  parts.height = kHeight;
  parts.bit_depth = bit_depth;
  parts.colour_type = colour_type;
  parts.scanlines = std::move(lines);
  return parts;
}

// 3 bytes of 8 pixels a row.
FileBytes one_bit_lines() {
  Raster bits = random_raster(3, kHeight, 1);
  return scanlines(bits);
}

}  // namespace

Raster small_picture(int channels, int bit_depth) {
  return random_raster(kWidth, kHeight, channels, bit_depth);
}

FileBytes sound_png() {
  return encode_png(small_picture());
}
FileBytes sound_jpeg() {
  return jpeg_file(small_picture());
}
FileBytes sound_webp() {
  return webp_file(small_picture());
}
FileBytes sound_tiff() {
  return tiff_file(small_picture());
}
FileBytes sound_bmp() {
  return bmp_file(small_picture());
}
FileBytes sound_ppm() {
  return pnm_file("P6\n24 20\n255\n", small_picture().samples);
}

FileBytes text_bytes(const std::string& text) {
  return {text.begin(), text.end()};
}
FileBytes cut(FileBytes bytes, double share) {
  bytes.resize(static_cast<std::size_t>(static_cast<double>(bytes.size()) * share));
  return bytes;
}
FileBytes without_end(FileBytes bytes, std::size_t count) {
  bytes.resize(bytes.size() - count);
  return bytes;
}
FileBytes changed(FileBytes bytes, std::size_t at) {
  bytes.at(at) ^= 0xff;
  return bytes;
}

FileBytes png_of(const Raster& raster, std::uint8_t colour_type, std::vector<PngChunk> before) {
  PngParts parts = small_png(static_cast<std::uint8_t>(raster.bit_depth), colour_type, scanlines(raster));
  parts.before_data = std::move(before);
  return png_file(parts);
}

FileBytes png_that_says(std::uint32_t width, std::uint32_t height) {
  PngParts parts = small_png(8, 2, scanlines(small_picture()));
  parts.width = width;
  parts.height = height;
  return png_file(parts);
}

FileBytes one_bit_png() {
  return png_file(small_png(1, 0, one_bit_lines()));
}

FileBytes palette_png(bool transparency) {
  PngParts parts = small_png(1, 3, one_bit_lines());
  parts.before_data = {{"PLTE", {200, 30, 10, 20, 90, 240}}};
  if (transparency) parts.before_data.push_back({"tRNS", {255, 0}});
  return png_file(parts);
}

// Adam7: seven small pictures of every eighth, fourth, second pixel and row, those between the earlier ones.
FileBytes interlaced_png() {
  constexpr int kPasses[7][4] = {{0, 0, 8, 8}, {4, 0, 8, 8}, {0, 4, 4, 8}, {2, 0, 4, 4},
                                 {0, 2, 2, 4}, {1, 0, 2, 2}, {0, 1, 1, 2}};
  const Raster raster = small_picture();
  FileBytes lines;
  for (const auto& [x0, y0, dx, dy] : kPasses) {
    for (int y = y0; y < kHeight; y += dy) {
      lines.push_back(0);
      for (int x = x0; x < kWidth; x += dx) {
        const auto pixel = raster.samples.begin() + 3 * (y * kWidth + x);
        lines.insert(lines.end(), pixel, pixel + 3);
      }
    }
  }
  PngParts parts = small_png(8, 2, std::move(lines));
  parts.interlace = 1;
  return png_file(parts);
}

FileBytes png_bomb() {
  static const FileBytes bytes = [] {
    Raster black{.width = 9000, .height = 9000, .channels = 1, .samples = {}, .notes = {}};
    black.samples.resize(std::size_t{9000} * 9000);
    return encode_png(black, {.level = 9, .text = {}});
  }();
  return bytes;
}

FileBytes png_with_inflating(const std::string& chunk) {
  static const FileBytes bomb = deflated(FileBytes(256'000'000));
  FileBytes data = text_bytes(std::string("name") + '\0' + '\0');  // keyword, method 0: deflate
  data.insert(data.end(), bomb.begin(), bomb.end());
  return png_of(small_picture(), 2, {{chunk, data}});
}

PngChunk profile_chunk(const FileBytes& profile) {
  FileBytes data = text_bytes(std::string("profile") + '\0' + '\0');
  const FileBytes stream = deflated(profile);
  data.insert(data.end(), stream.begin(), stream.end());
  return {"iCCP", data};
}

std::size_t after_marker(const FileBytes& jpeg, std::uint8_t marker) {
  for (std::size_t i = 0; i + 1 < jpeg.size(); ++i)
    if (jpeg[i] == 0xff && jpeg[i + 1] == marker) return i + 2;
  throw std::runtime_error("the JPEG has no such marker");
}

FileBytes jpeg_with_garbage_in_its_scan() {
  FileBytes jpeg = jpeg_file(small_picture(), {.quality = 100, .exif = {}});
  const std::size_t scan = scans_of(jpeg).front() + 100;
  std::fill_n(jpeg.begin() + static_cast<std::ptrdiff_t>(scan), 200, std::uint8_t{0xfe});
  return jpeg;
}

FileBytes jpeg_of_process(std::uint8_t start_of_frame, std::uint8_t precision) {
  FileBytes jpeg = sound_jpeg();
  const std::size_t segment = after_marker(jpeg, 0xc0);
  jpeg[segment - 1] = start_of_frame;
  jpeg[segment + 2] = precision;
  return jpeg;
}

FileBytes animated_webp() {
  const FileBytes still = sound_webp();
  FileBytes frame(16);  // offset 0, size less 1 in 3 bytes each, duration, flags
  frame[6] = kWidth - 1;
  frame[9] = kHeight - 1;
  frame.insert(frame.end(), still.begin() + 12, still.end());
  return webp_container(
      {{"VP8X", webp_extended_header(0x02, kWidth, kHeight)}, {"ANIM", FileBytes(6)}, {"ANMF", frame}});
}

FileBytes float_tiff(float odd) {
  std::vector<float> values(std::size_t{kWidth} * kHeight * 3, 0.25F);
  values[100] = odd;
  TiffFileOptions options;
  options.bits = 32;
  options.sample_format = 3;  // IEEE floating point
  options.packed.resize(values.size() * sizeof(float));
  std::memcpy(options.packed.data(), values.data(), options.packed.size());
  return tiff_file(small_picture(), options);
}

}  // namespace upbench::test
