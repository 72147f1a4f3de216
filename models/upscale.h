#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include <ATen/core/Tensor.h>

#include "models/padding.h"
#include "models/tiling/tile_runner.h"
#include "models/upscaler.h"

namespace upbench {

struct UpscaleOptions {
  int scale = 0;  // 0: info().scale; interpolators need one
  TileSettings tile = {};
  Padding padding =
      Padding::authors;  // spandrel: only where info().spandrel_padding says how, else no difference
  // Tiles of one shape that the network gets at once, at most; halved where memory does not suffice. Networks
  // may round otherwise at another batch size; blended tiles of unequal shape are summed in another order.
  int batch = 1;
  bool check_batch = false;    // with more than one at once: fills batch_difference
  BatchFunction forward = {};  // in the place of the upscaler's own, for the same pixels: a recorded graph
  std::function<bool()> make_room = {};  // see TileHooks
};

// The rule in force for an upscaler under a convention.
PaddingRule padding_rule(const UpscalerInfo& info, Padding padding);

struct UpscaleResult {
  Image image;  // contiguous, shares no memory with the input; unclamped, but for tiles that are blended
  std::vector<Boundary> boundaries;
  int tiles_y = 1, tiles_x = 1;
  double outside_share = 0;      // of the network's values that count: outside [0, 1], before any clamping
  int batch = 1;                 // most tiles at once
  bool batch_halved = false;     // memory did not suffice for as many as asked for
  double batch_difference = -1;  // largest, of the first tile alone to itself in its batch; -1: not checked
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
// Tiles that are blended are clamped to [0, 1] first (models/tiling/tile_merge.h); pasted ones are not.
//
// Memory: the output and one batch of tiles. Throws std::invalid_argument for a picture of another layout, a
// scale that the upscaler does not have, tile settings that cannot work; std::runtime_error when the network
// returns another size or type, or a non-finite value ("NAME: tile 3 of 12 (row 1, column 0) is not finite";
// tiles count from 1, rows and columns from 0) or memory does not suffice for a single tile ("out of memory:
// NAME: tile 3 ...") or for the output of several. What else a network throws passes through and ends the
// call.
UpscaleResult upscale(const Upscaler& upscaler, const Image& image, const UpscaleOptions& options);

}  // namespace upbench
