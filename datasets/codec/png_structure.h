#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "datasets/codec/byte_order.h"

namespace upbench {

inline constexpr std::uint8_t kPngSignature[8] = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'};

// The chunks of a PNG file, told apart without decompressing anything.
struct PngStructure {
  int width = 0, height = 0;
  int bit_depth = 8;               // as stored: 1, 2, 4, 8, 16
  int colour_type = 2;             // 0 grey, 2 RGB, 3 palette, 4 grey + alpha, 6 RGBA
  bool has_transparency = false;   // a tRNS chunk
  bool has_profile = false;        // an iCCP chunk
  Bytes exif;                      // empty: none
  std::vector<Bytes> texts;        // tEXt, zTXt and iTXt chunks, each from its type to its checksum
  std::vector<std::string> notes;  // what the file holds that decoding leaves out
};

// Walks the chunk lengths from signature to IEND. Throws std::runtime_error where the file ends before IEND
// does, or IHDR is not a valid first chunk. Checksums are left to the decoder. PNG specification, third
// edition, sections 5 and 11.
PngStructure read_png_structure(Bytes file);

}  // namespace upbench
