#pragma once

#include <cstdint>
#include <vector>

#include <ATen/core/Tensor.h>

#include "models/padding.h"
#include "models/tiling/tile_plan.h"
#include "models/upscaler.h"

namespace upbench {

struct UpscaleOptions {
  int scale = 0;  // 0: info().scale; interpolators need one
  TileSettings tile = {};
  Padding padding =
      Padding::authors;  // spandrel: only where info().spandrel_padding says how, else no difference
};

// The rule in force for an upscaler under a convention.
PaddingRule padding_rule(const UpscalerInfo& info, Padding padding);

struct UpscaleResult {
  Image image;  // unclamped, contiguous, shares no memory with the input
  std::vector<Boundary> boundaries;
  int tiles_y = 1, tiles_x = 1;
  double outside_share = 0;  // share of values outside [0, 1] before clamping
};

// The boundary of all models: checks the layout, tiles, pads, runs without gradients, crops to height * scale
// x width * scale.
//
// Padding (models/padding.h) is at the right and bottom of what the network gets: the picture, or each tile
// as it was read, which never reaches beyond the picture. So a network that sees more than single pixels
// gives the same with and without tiles only if context >= receptive_radius and tiles begin on multiples of
// size_multiple (tile and context multiples of it). One tile that covers the picture is exactly the untiled
// call.
//
// Memory: the output and one tile. Throws std::invalid_argument for a picture of another layout, a scale that
// the upscaler does not have, tile settings that cannot work; std::runtime_error when the network returns
// another size or type, or a non-finite value ("NAME: tile 3 of 12 (row 1, column 0) is not finite"; tiles
// count from 1, rows and columns from 0). What a network throws passes through and ends the call.
UpscaleResult upscale(const Upscaler& upscaler, const Image& image, const UpscaleOptions& options);

}  // namespace upbench
