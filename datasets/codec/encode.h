#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "datasets/codec/raster.h"

namespace upbench {

struct PngOptions {
  int level = 6;  // zlib, 0..9
  std::vector<std::pair<std::string, std::string>>
      text;  // keyword (Latin-1, 1..79), UTF-8 text -> iTXt/tEXt chunks; empty texts are left out
};

std::vector<std::uint8_t> encode_png(const Raster& raster, const PngOptions& options = {});

struct WebpOptions {
  int effort = 6;  // libwebp's lossless presets, 0 (fast) to 9 (small)
};

// Lossless, colours under transparency included. 8 bit, RGB or RGBA, at most 16383 pixels a side: anything
// else is std::invalid_argument.
std::vector<std::uint8_t> encode_webp(const Raster& raster, const WebpOptions& options = {});

// Throws std::runtime_error unless `file` decodes to exactly the raster's samples. For lossless formats.
void require_decodes_to(std::span<const std::uint8_t> file, const Raster& raster);

// Gets what stands on the disk before the file takes its place, and throws where that is not what it should
// be.
using ReadBackCheck = std::function<void(std::span<const std::uint8_t>)>;

// Writes a neighbour, fsyncs, renames: readers see the old file or the whole new one. A full disk leaves the
// old file and no neighbour; so does `verify`, which reads the neighbour back, compares it with `bytes` and
// passes it to the check. Throws std::system_error with the path and the errno text, std::runtime_error where
// what was read back differs.
void write_file_atomically(const std::filesystem::path& file, std::span<const std::uint8_t> bytes,
                           const ReadBackCheck& verify = nullptr);

}  // namespace upbench
