#pragma once

#include <cstdint>
#include <filesystem>
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

// Writes a neighbour, fsyncs, renames: readers see the old file or the whole new one. A full disk leaves the
// old file and no neighbour. Throws std::system_error with the path and the errno text.
void write_file_atomically(const std::filesystem::path& file, std::span<const std::uint8_t> bytes);

}  // namespace upbench
