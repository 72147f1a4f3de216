#pragma once

#include <cstdint>
#include <vector>

#include "datasets/codec/raster.h"

namespace upbench {

// 8-bit RGB rasters, encoded as the tools do by default. Throws std::runtime_error for a picture larger than
// the format holds (JPEG 65500 pixels a side, WebP 16383).

// libjpeg-turbo: baseline, YCbCr 4:2:0, integer transform, the standard tables at `quality` 1..100: the
// defaults of libjpeg, and with them of OpenCV and Pillow.
std::vector<std::uint8_t> encode_lossy_jpeg(const Raster& raster, int quality);
// libwebp: lossy at `quality` 0..100, every other setting as the library has it.
std::vector<std::uint8_t> encode_lossy_webp(const Raster& raster, int quality);

// Encoded and decoded again (see decode()).
Raster through_jpeg(const Raster& raster, int quality);
Raster through_webp(const Raster& raster, int quality);

}  // namespace upbench
