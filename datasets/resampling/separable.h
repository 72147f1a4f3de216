#pragma once

#include "datasets/resampling/axis_weights.h"

namespace upbench {

// Resizes `planes` planes of height x width, packed, to vertical.outputs() x horizontal.outputs(): first
// along the columns, then along the rows. One thread. Sums are formed in the order of the taps without fused
// multiply-add, so every machine gets the same bits.
void resize_separable(const float* in, int planes, int height, int width, const AxisWeights& vertical,
                      const AxisWeights& horizontal, float* out);

// The same in double, with samples rounded (half up) to multiples of 1/255 in [0, 1] before, between and
// after the passes, as MATLAB's imresize does with uint8 pictures.
void resize_separable_8_bit(const float* in, int planes, int height, int width, const AxisWeights& vertical,
                            const AxisWeights& horizontal, float* out);

}  // namespace upbench
