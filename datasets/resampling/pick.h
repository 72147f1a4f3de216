#pragma once

#include <cstdint>

#include "datasets/resampling/axis_weights.h"

namespace upbench {

// Both axes take one pixel each, whose weight is 1.
bool picks(const AxisWeights& vertical, const AxisWeights& horizontal);

// Resizes `planes` planes of height x width, packed, along axes that pick.
void pick_pixels(const float* in, int planes, int height, int width, const AxisWeights& vertical,
                 const AxisWeights& horizontal, float* out);
void pick_pixels(const std::uint8_t* in, int planes, int height, int width, const AxisWeights& vertical,
                 const AxisWeights& horizontal, std::uint8_t* out);
// The same with every sample rounded to multiples of 1/255 in [0, 1] as to_levels() does.
void pick_rounded_pixels(const float* in, int planes, int height, int width, const AxisWeights& vertical,
                         const AxisWeights& horizontal, float* out);

}  // namespace upbench
