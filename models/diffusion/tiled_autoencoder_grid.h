#pragma once

#include <cstdint>
#include <functional>

#include <ATen/core/Tensor.h>

namespace upbench {

// A function of maps whose result is `numerator / denominator` times as high and wide.
struct ScaledMap {
  std::int64_t numerator = 1, denominator = 1;
  std::int64_t operator()(std::int64_t length) const { return length * numerator / denominator; }
};
using TileFunction = std::function<at::Tensor(const at::Tensor& tile)>;

// Lengths are those of x [N, C, H, W], multiples of scale.denominator.
struct TileGrid {
  std::int64_t tile = 0;
  std::int64_t overlap = 0;
  ScaledMap scale;
};

// CoderTileMode::diffusers; the overlap is a quarter of the tile whatever the grid says.
at::Tensor blended_tiles(const at::Tensor& x, const TileGrid& grid, const TileFunction& function);

// CoderTileMode::comfy.
at::Tensor averaged_passes(const at::Tensor& x, const TileGrid& grid, const TileFunction& function);

// One rectangle of a map, [N, C, top..bottom, left..right].
struct TileRectangle {
  std::int64_t top = 0, left = 0, bottom = 0, right = 0;
  at::Tensor of(const at::Tensor& map) const;
  TileRectangle scaled(const ScaledMap& scale) const;
  // Grown by `margin` to each side as far as the map reaches.
  TileRectangle grown(std::int64_t margin, const at::Tensor& map) const;
  // Where it lies in a part of the map that begins at `origin`.
  TileRectangle within(const TileRectangle& origin) const;
};

// Calls for each tile of x in reading order; those at the right and below are as short as the rest of x.
void for_each_tile(const at::Tensor& x, std::int64_t tile,
                   const std::function<void(const TileRectangle&)>& call);

// A map of what `function` makes of tiles with `overlap` more to each side, each without its margin. out:
// where it is put if defined.
at::Tensor cropped_tiles(const at::Tensor& x, const TileGrid& grid,
                         const std::function<at::Tensor(const TileRectangle& with_margin)>& function,
                         at::Tensor out = {});

}  // namespace upbench
