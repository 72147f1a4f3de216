#pragma once

#include <vector>

#include "models/tiling/tile_plan.h"

namespace upbench {

// Where one tile of an axis gives way to the next, in input pixels.
struct Transition {
  double position = 0;
  double half_width = 0;
};

struct AxisLayout {
  std::vector<TileAxis> tiles;
  std::vector<Transition> transitions;  // tiles.size() - 1
};

// The tiles of one side of `length` input pixels. Settings must have been checked (plan_tiles does).
AxisLayout lay_axis(int length, int scale, const TileSettings& settings);

}  // namespace upbench
