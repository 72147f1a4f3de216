#pragma once

#include <cstdint>

#include "datasets/resampling/axis_weights.h"

namespace upbench {

// Resizes `planes` planes of height x width 8-bit levels, packed, in whole numbers, as Pillow does: first
// along the rows, then along the columns, each pass clamped and rounded half up. The weights become multiples
// of 2^-22. One thread.
void resize_fixed_point(const std::uint8_t* in, int planes, int height, int width,
                        const AxisWeights& vertical, const AxisWeights& horizontal, std::uint8_t* out);

// The same for samples, which are taken as to_levels() gives them; the results are multiples of 1/255.
void resize_fixed_point(const float* in, int planes, int height, int width, const AxisWeights& vertical,
                        const AxisWeights& horizontal, float* out);

}  // namespace upbench
