#pragma once

#include <cstdint>
#include <vector>

#include <ATen/core/Tensor.h>

#include "models/tiling/tile_plan.h"
#include "models/upscaler.h"

namespace upbench {

struct UpscaleOptions {
  int scale = 0;               // 0: info().scale; interpolators need one
  TileSettings tile;
};

struct UpscaleResult {
  Image image;                 // unclamped
  std::vector<Boundary> boundaries;
  int tiles_y = 1, tiles_x = 1;
  double outside_share = 0;    // share of values outside [0, 1] before clamping
};

// The boundary of all models: checks the layout, pads (reflect, replicate where too small) to size_multiple and minimum_size, tiles, runs without
// gradients, crops to height * scale x width * scale. Throws std::runtime_error when the network returns another size or a
// non-finite value ("tile 3 of 12 (row 1, column 0) is not finite"); an exception inside a tile ends the call.
UpscaleResult upscale(const Upscaler& upscaler, const Image& image, const UpscaleOptions& options);

}  // namespace upbench
