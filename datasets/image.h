#pragma once

#include <string_view>

#include "datasets/codec/raster.h"
#include "datasets/image_fwd.h"

namespace upbench {

// Grey becomes three equal channels; alpha is dropped and noted by the decoder. 8-bit values are divided by
// 255, 16-bit by 65535.
Image to_image(const Raster& raster);

// The picture as it would be saved: clamp to [0, 1], x (2^bit_depth - 1), round half to even. NaN becomes 0;
// check first.
Raster to_raster(const Image& image, int bit_depth = 8);

// to_image(to_raster(image)), on the image's own device: what metrics score unless they say @float.
Image quantized(const Image& image);

// Throws std::invalid_argument "who: expected an RGB image [3, H, W] of float32, got ..." unless the layout
// holds.
void require_image(const Image& image, std::string_view who);

}  // namespace upbench
