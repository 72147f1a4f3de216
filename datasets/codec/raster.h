#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace upbench {

// A decoded picture, upright and in sRGB: rows top to bottom, channels interleaved.
// channels: 1 grey, 2 grey + alpha, 3 RGB, 4 RGBA; alpha is straight. bit_depth 8: one byte a sample; 16:
// two, native byte order.
struct Raster {
  int width = 0;
  int height = 0;
  int channels = 3;
  int bit_depth = 8;
  std::vector<std::uint8_t> samples;
  // What was done on the way, for the record: "EXIF orientation 6 applied", "palette expanded", "icc_ignored:
  // ...".
  std::vector<std::string> notes;

  std::size_t row_bytes() const {
    return static_cast<std::size_t>(width) * static_cast<std::size_t>(channels) *
           static_cast<std::size_t>(bit_depth / 8);
  }
};

}  // namespace upbench
