#pragma once

#include <cstddef>
#include <vector>

#include "models/tiling/tile_plan.h"

namespace upbench {

// Tiles of one read shape that go through a network together.
struct TileBatch {
  std::vector<std::size_t> tiles;  // row by row: row * cols.size() + column
  std::size_t size = 1;            // of every batch of this shape; the last one is padded to it
};

// Every tile once. most = 1: one a batch, in the order of the plan. Above: shape by shape, in the order in
// which shapes first appear; the batches of a shape are equally large, at most `most`, and as few tiles as
// possible are repeated to fill the last one: 15 tiles at most 4 at a time are 4, 4, 4, 3 + 1. most: from 1.
std::vector<TileBatch> batch_tiles(const TilePlan& plan, std::size_t most);

// How many equal tiles of tile_pixels to give a GPU at once: as many as it takes until computing takes longer
// than launching (245 x 245 pixels for RRDB on an H200; SRVGG, EDSR and SwinIR lie between 190 and 440),
// never more than half of `bytes` holds at bytes_per_pixel of activations, at least 1.
int tiles_at_once(double tile_pixels, double bytes_per_pixel, double bytes);

}  // namespace upbench
