#pragma once

#include <cstddef>
#include <vector>

#include "datasets/degradation/settings.h"

namespace upbench {

// A square kernel, row by row; its weights sum to 1.
struct BlurKernel {
  int size = 1;  // odd
  std::vector<float> weights;

  float at(int y, int x) const { return weights[static_cast<std::size_t>(y * size + x)]; }
};

// The formulas of BlurKind, sampled at the pixel centres and divided by their sum. `share`: how much of the
// kernel is taken, the rest being the picture itself, (1 - share) delta + share kernel.
BlurKernel blur_kernel(const BlurSettings& settings, double share = 1);

// Correlates planes of height x width, packed, with the kernel; beyond the border the picture is mirrored
// without repeating its last pixel, as BasicSR's filter2D does, and again where the kernel is larger than the
// picture. One thread; the same bits on every machine.
void filter_reflected(const float* in, int planes, int height, int width, const BlurKernel& kernel,
                      float* out);

}  // namespace upbench
