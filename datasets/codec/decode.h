#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>

#include "datasets/codec/raster.h"

namespace upbench {

// Part of every input hash: rises whenever the pixels decoded from any file may change.
inline constexpr int kDecoderVersion = 1;

struct DecodeLimits {
  std::uint64_t max_pixels = 100'000'000;  // refused before anything is allocated
  // Also refused: output larger than 64 MB and more than this many times the file.
  std::uint64_t max_expansion = 1000;
};

struct RasterHeader {
  std::string format;  // "png", "jpeg"
  int width = 0;       // after orientation
  int height = 0;
  int channels = 3;
  int bit_depth = 8;
};

// Strict: a truncated or corrupt file is an error, never a picture. The format is told from the first bytes,
// not from the name. Palettes are expanded, 1/2/4-bit grey becomes 8-bit, EXIF orientation is applied.
// Throws std::runtime_error "NAME: what is wrong, what was expected".
Raster decode(std::span<const std::uint8_t> file, std::string_view name, const DecodeLimits& limits = {});
Raster decode_file(const std::filesystem::path& file, const DecodeLimits& limits = {});
RasterHeader read_header(std::span<const std::uint8_t> file, std::string_view name);

// The file's bytes; refuses what is not a regular file, and a file that changes its size while it is read.
std::vector<std::uint8_t> read_bytes(const std::filesystem::path& file);

}  // namespace upbench
