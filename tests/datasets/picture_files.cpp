#include "tests/datasets/picture_files.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <random>

#include <jpeglib.h>

#include "datasets/codec/encode.h"

namespace upbench::test {
namespace {

void add_big_endian(FileBytes& bytes, std::uint32_t number) {
  for (int shift = 24; shift >= 0; shift -= 8) bytes.push_back(static_cast<std::uint8_t>(number >> shift));
}

void add_little_endian(FileBytes& bytes, std::uint32_t number, int count) {
  for (int i = 0; i < count; ++i) bytes.push_back(static_cast<std::uint8_t>(number >> 8 * i));
}

void add(FileBytes& bytes, const FileBytes& more) {
  bytes.insert(bytes.end(), more.begin(), more.end());
}

std::uint32_t crc32(const FileBytes& bytes) {
  std::uint32_t crc = ~0U;
  for (const std::uint8_t byte : bytes) {
    crc ^= byte;
    for (int bit = 0; bit < 8; ++bit) crc = crc >> 1 ^ (crc & 1 ? 0xedb88320U : 0U);
  }
  return ~crc;
}

// RFC 1950 and 1951: stored blocks only.
FileBytes zlib_stored(const FileBytes& data) {
  FileBytes stream{0x78, 0x01};
  std::uint32_t a = 1, b = 0;
  for (const std::uint8_t byte : data) {
    a = (a + byte) % 65521;
    b = (b + a) % 65521;
  }
  std::size_t at = 0;
  do {
    const std::size_t size = std::min<std::size_t>(65535, data.size() - at);
    stream.push_back(at + size == data.size());
    add_little_endian(stream, static_cast<std::uint32_t>(size), 2);
    add_little_endian(stream, ~static_cast<std::uint32_t>(size), 2);
    stream.insert(stream.end(), data.begin() + static_cast<std::ptrdiff_t>(at),
                  data.begin() + static_cast<std::ptrdiff_t>(at + size));
    at += size;
  } while (at < data.size());
  add_big_endian(stream, b << 16 | a);
  return stream;
}

}  // namespace

Raster random_raster(int width, int height, int channels, int bit_depth, std::uint64_t seed) {
  Raster raster{.width = width, .height = height, .channels = channels, .bit_depth = bit_depth};
  raster.samples.resize(raster.row_bytes() * static_cast<std::size_t>(height));
  std::mt19937_64 random(seed);
  for (auto& sample : raster.samples) sample = static_cast<std::uint8_t>(random());
  return raster;
}

FileBytes png_chunk(const PngChunk& chunk) {
  FileBytes checked(chunk.type.begin(), chunk.type.end());
  add(checked, chunk.data);
  FileBytes bytes;
  add_big_endian(bytes, static_cast<std::uint32_t>(chunk.data.size()));
  add(bytes, checked);
  add_big_endian(bytes, crc32(checked));
  return bytes;
}

FileBytes png_file(const PngParts& parts) {
  FileBytes bytes{0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'};
  PngChunk header{"IHDR", {}};
  add_big_endian(header.data, parts.width);
  add_big_endian(header.data, parts.height);
  add(header.data, {parts.bit_depth, parts.colour_type, 0, 0, parts.interlace});
  add(bytes, png_chunk(header));
  for (const auto& chunk : parts.before_data) add(bytes, png_chunk(chunk));
  add(bytes, png_chunk({"IDAT", zlib_stored(parts.scanlines)}));
  for (const auto& chunk : parts.after_data) add(bytes, png_chunk(chunk));
  add(bytes, png_chunk({"IEND", {}}));
  return bytes;
}

FileBytes exif_block(int orientation, bool big_endian) {
  const auto value = static_cast<std::uint8_t>(orientation);
  if (big_endian) {
    return {'M', 'M', 0, 42, 0, 0, 0, 8, 0, 1, 0x01, 0x12, 0, 3, 0, 0, 0, 1, 0, value, 0, 0, 0, 0, 0, 0};
  }
  return {'I', 'I', 42, 0, 8, 0, 0, 0, 1, 0, 0x12, 0x01, 3, 0, 1, 0, 0, 0, value, 0, 0, 0, 0, 0, 0, 0};
}

FileBytes custom_jpeg(const Raster& raster, const std::function<void(jpeg_compress_struct&)>& set,
                      const std::function<void(jpeg_compress_struct&)>& add_markers) {
  jpeg_compress_struct info{};
  jpeg_error_mgr errors{};
  info.err = jpeg_std_error(&errors);
  jpeg_create_compress(&info);
  unsigned char* buffer = nullptr;
  unsigned long size = 0;
  jpeg_mem_dest(&info, &buffer, &size);
  info.image_width = static_cast<JDIMENSION>(raster.width);
  info.image_height = static_cast<JDIMENSION>(raster.height);
  info.input_components = raster.channels;
  info.in_color_space = raster.channels == 1 ? JCS_GRAYSCALE : raster.channels == 3 ? JCS_RGB : JCS_CMYK;
  jpeg_set_defaults(&info);
  set(info);
  jpeg_start_compress(&info, TRUE);
  add_markers(info);
  while (info.next_scanline < info.image_height) {
    auto* row = const_cast<JSAMPROW>(raster.samples.data()) + info.next_scanline * raster.row_bytes();
    jpeg_write_scanlines(&info, &row, 1);
  }
  jpeg_finish_compress(&info);
  FileBytes bytes(buffer, buffer + size);
  jpeg_destroy_compress(&info);
  std::free(buffer);
  return bytes;
}

FileBytes jpeg_file(const Raster& raster, const JpegOptions& options) {
  const auto set = [&](jpeg_compress_struct& info) {
    jpeg_set_quality(&info, options.quality, TRUE);
    if (options.progressive) jpeg_simple_progression(&info);
    if (!options.subsampled) info.comp_info[0].h_samp_factor = info.comp_info[0].v_samp_factor = 1;
    info.arith_code = options.arithmetic;
  };
  return custom_jpeg(raster, set, [&](jpeg_compress_struct& info) {
    if (options.exif.empty()) return;
    FileBytes marker{'E', 'x', 'i', 'f', 0, 0};
    add(marker, options.exif);
    jpeg_write_marker(&info, JPEG_APP0 + 1, marker.data(), static_cast<unsigned>(marker.size()));
  });
}

FileBytes bmp_file(const Raster& raster, bool top_down) {
  const std::size_t palette = raster.channels == 1 ? 1024 : 0;
  FileBytes bytes{'B', 'M', 0, 0, 0, 0, 0, 0, 0, 0};
  add_little_endian(bytes, static_cast<std::uint32_t>(54 + palette), 4);
  add_little_endian(bytes, 40, 4);
  add_little_endian(bytes, static_cast<std::uint32_t>(raster.width), 4);
  add_little_endian(bytes, static_cast<std::uint32_t>(top_down ? -raster.height : raster.height), 4);
  add_little_endian(bytes, 1, 2);
  add_little_endian(bytes, static_cast<std::uint32_t>(8 * raster.channels), 2);
  bytes.resize(54);  // compression 0 and what readers ignore
  for (std::size_t level = 0; level < palette / 4; ++level) {
    const auto grey = static_cast<std::uint8_t>(level);
    add(bytes, {grey, grey, grey, 0});
  }
  for (int y = 0; y < raster.height; ++y) {
    const auto row = static_cast<std::size_t>(top_down ? y : raster.height - 1 - y) * raster.row_bytes();
    for (std::size_t x = 0; x < raster.row_bytes(); x += static_cast<std::size_t>(raster.channels)) {
      const std::uint8_t* pixel = raster.samples.data() + row + x;
      if (raster.channels == 1) {
        bytes.push_back(*pixel);
        continue;
      }
      add(bytes, {pixel[2], pixel[1], pixel[0]});
      if (raster.channels == 4) bytes.push_back(pixel[3]);
    }
    while ((bytes.size() - 54 - palette) % 4 != 0) bytes.push_back(0);
  }
  return bytes;
}

void write_bytes(const std::filesystem::path& file, std::span<const std::uint8_t> bytes) {
  std::ofstream(file, std::ios::binary)
      .write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
}

void write_png(const std::filesystem::path& file, const Raster& raster) {
  write_bytes(file, encode_png(raster));
}

}  // namespace upbench::test
