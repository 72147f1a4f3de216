#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

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
  std::string format;  // "png", "jpeg", "bmp"
  int width = 0;       // after orientation
  int height = 0;
  int channels = 3;
  int bit_depth = 8;
  std::vector<std::string> notes;  // as Raster::notes
};

// Strict: a truncated or corrupt file is an error, never a picture. The format is told from the first bytes,
// not from the name. Palettes are expanded, 1/2/4-bit grey becomes 8-bit, EXIF orientation is applied.
// Throws std::runtime_error "NAME: what is wrong, what was expected".
Raster decode(std::span<const std::uint8_t> file, std::string_view name, const DecodeLimits& limits = {});
Raster decode_file(const std::filesystem::path& file, const DecodeLimits& limits = {});
// Without decoding: size and layout, within the limits. A corrupt picture behind a sound header is found by
// decode() only.
RasterHeader read_header(std::span<const std::uint8_t> file, std::string_view name,
                         const DecodeLimits& limits = {});

// The file's bytes. Throws std::runtime_error "FILE: why" for what is not a regular file of at most 1 GiB
// (never waiting on a pipe or a device), and for a file that changes while it is read.
std::vector<std::uint8_t> read_bytes(const std::filesystem::path& file);

}  // namespace upbench
