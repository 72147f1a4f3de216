#pragma once

#include <vector>

#include "harness/stage_kinds.h"

namespace upbench {

// Sizes through which Ultimate SD Upscale brings a picture to a target before it redraws it: those of the
// calls of the upscaler, then the target with its sides rounded up to 64, to which Pillow's Lanczos leads.
// The factor, the long sides' ratio rounded up, is taken apart greedily by 4, 3 and 2 (where that cannot be,
// the next larger one that can); each call's sides are rounded down to 8, as in A1111's wrapper.
std::vector<PictureSize> usdu_sizes(PictureSize input, PictureSize target);

inline bool is_smaller(PictureSize size, PictureSize wanted) {
  return size.width < wanted.width || size.height < wanted.height;
}

}  // namespace upbench
