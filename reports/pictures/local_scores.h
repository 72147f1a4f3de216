#pragma once

#include <vector>

#include "datasets/codec/raster.h"

namespace upbench {

// Where a picture differs from its reference: a value for each block of BT.601 limited-range Y, row by row.
// All blocks of a picture are of one size, at most kBlock pixels a side.
struct LocalScores {
  static constexpr int kBlock = 8;
  int columns = 0, rows = 0;
  std::vector<float> ssim_loss;  // mean of 1 - SSIM as metric ssim-y defines it, 0 to 2; beyond the border
                                 // pictures are mirrored
  std::vector<float> error;      // root of the mean squared error, in levels of 255
};

// Of two 8-bit RGB pictures of one size; throws std::invalid_argument for others.
LocalScores local_scores(const Raster& output, const Raster& reference);

}  // namespace upbench
