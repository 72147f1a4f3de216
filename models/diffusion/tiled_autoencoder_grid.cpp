#include "models/diffusion/tiled_autoencoder_grid.h"

#include <algorithm>
#include <utility>
#include <vector>

#include <ATen/ATen.h>

namespace upbench {
namespace {

constexpr int kRows = 2, kColumns = 3;  // dimensions of a map

// b with its first rows (columns) mixed with the last of a, which lies above it (to its left).
void blend(const at::Tensor& a, const at::Tensor& b, int dimension, std::int64_t extent) {
  extent = std::min({a.size(dimension), b.size(dimension), extent});
  if (extent == 0) return;
  std::vector<std::int64_t> shape(4, 1);
  shape[static_cast<std::size_t>(dimension)] = extent;
  const at::Tensor ramp = (at::arange(extent, b.options().dtype(at::kFloat)) / static_cast<double>(extent))
                              .to(b.scalar_type())
                              .reshape(shape);
  const at::Tensor begin = b.narrow(dimension, 0, extent);
  begin.mul_(ramp).add_(a.narrow(dimension, a.size(dimension) - extent, extent) * (1 - ramp));
}

std::vector<std::int64_t> positions(std::int64_t length, std::int64_t tile, std::int64_t overlap) {
  if (length <= tile) return {0};
  std::vector<std::int64_t> found;
  for (std::int64_t at = 0; at < length - overlap; at += tile - overlap) found.push_back(at);
  return found;
}

// [extent]: 1 inside, rising over `feather` numbers at both ends, which is left out where it has no room.
at::Tensor feathered(std::int64_t extent, std::int64_t feather, const at::TensorOptions& options) {
  at::Tensor weights = at::ones({extent}, options);
  if (feather >= extent || feather == 0) return weights;
  const at::Tensor ramp = at::arange(1, feather + 1, options) / static_cast<double>(feather);
  weights.narrow(0, 0, feather).mul_(ramp);
  weights.narrow(0, extent - feather, feather).mul_(ramp.flip(0));
  return weights;
}

struct Pass {
  std::int64_t rows, columns;  // of a tile
};

at::Tensor feathered_tiles(const at::Tensor& x, const Pass& pass, const TileGrid& grid,
                           const TileFunction& function) {
  at::Tensor sum, weights;
  for (const std::int64_t top : positions(x.size(kRows), pass.rows, grid.overlap)) {
    for (const std::int64_t left : positions(x.size(kColumns), pass.columns, grid.overlap)) {
      const TileRectangle tile{.top = top,
                               .left = left,
                               .bottom = std::min(top + pass.rows, x.size(kRows)),
                               .right = std::min(left + pass.columns, x.size(kColumns))};
      const at::Tensor y = function(tile.of(x)).to(at::kFloat);
      if (!sum.defined()) {
        sum = at::zeros({y.size(0), y.size(1), grid.scale(x.size(kRows)), grid.scale(x.size(kColumns))},
                        y.options());
        weights = at::zeros({sum.size(kRows), sum.size(kColumns)}, y.options());
      }
      const std::int64_t feather = grid.scale(grid.overlap);
      const at::Tensor mask = at::outer(feathered(y.size(kRows), feather, y.options()),
                                        feathered(y.size(kColumns), feather, y.options()));
      const TileRectangle place = tile.scaled(grid.scale);
      place.of(sum).addcmul_(y, mask);
      place.of(weights.unsqueeze(0).unsqueeze(0)).add_(mask);
    }
  }
  return sum.div_(weights);
}

}  // namespace

at::Tensor TileRectangle::of(const at::Tensor& map) const {
  return map.narrow(kRows, top, bottom - top).narrow(kColumns, left, right - left);
}

TileRectangle TileRectangle::scaled(const ScaledMap& scale) const {
  return {.top = scale(top), .left = scale(left), .bottom = scale(bottom), .right = scale(right)};
}

TileRectangle TileRectangle::grown(std::int64_t margin, const at::Tensor& map) const {
  return {.top = std::max<std::int64_t>(top - margin, 0),
          .left = std::max<std::int64_t>(left - margin, 0),
          .bottom = std::min(bottom + margin, map.size(kRows)),
          .right = std::min(right + margin, map.size(kColumns))};
}

TileRectangle TileRectangle::within(const TileRectangle& origin) const {
  return {.top = top - origin.top,
          .left = left - origin.left,
          .bottom = bottom - origin.top,
          .right = right - origin.left};
}

void for_each_tile(const at::Tensor& x, std::int64_t tile,
                   const std::function<void(const TileRectangle&)>& call) {
  for (std::int64_t top = 0; top < x.size(kRows); top += tile)
    for (std::int64_t left = 0; left < x.size(kColumns); left += tile)
      call({.top = top,
            .left = left,
            .bottom = std::min(top + tile, x.size(kRows)),
            .right = std::min(left + tile, x.size(kColumns))});
}

at::Tensor cropped_tiles(const at::Tensor& x, const TileGrid& grid,
                         const std::function<at::Tensor(const TileRectangle& with_margin)>& function,
                         at::Tensor out) {
  for_each_tile(x, grid.tile, [&](const TileRectangle& tile) {
    const TileRectangle outer = tile.grown(grid.overlap, x);
    const at::Tensor y = function(outer);
    if (!out.defined())
      out = at::empty({y.size(0), y.size(1), grid.scale(x.size(kRows)), grid.scale(x.size(kColumns))},
                      x.options().dtype(y.scalar_type()).memory_format(at::MemoryFormat::ChannelsLast));
    tile.scaled(grid.scale).of(out).copy_(tile.within(outer).scaled(grid.scale).of(y));
  });
  return out;
}

at::Tensor blended_tiles(const at::Tensor& x, const TileGrid& grid, const TileFunction& function) {
  if (x.size(kRows) <= grid.tile && x.size(kColumns) <= grid.tile) return function(x);
  const std::int64_t stride = grid.tile / 4 * 3, extent = grid.scale(grid.tile) / 4,
                     kept = grid.scale(grid.tile) - extent;
  std::vector<at::Tensor> above, rows;
  for (std::int64_t top = 0; top < x.size(kRows); top += stride) {
    std::vector<at::Tensor> row, cropped;
    for (std::int64_t left = 0; left < x.size(kColumns); left += stride) {
      const TileRectangle tile{.top = top,
                               .left = left,
                               .bottom = std::min(top + grid.tile, x.size(kRows)),
                               .right = std::min(left + grid.tile, x.size(kColumns))};
      const at::Tensor y = function(tile.of(x));
      if (!above.empty()) blend(above[row.size()], y, kRows, extent);
      if (!row.empty()) blend(row.back(), y, kColumns, extent);
      row.push_back(y);
      cropped.push_back(y.narrow(kRows, 0, std::min(y.size(kRows), kept))
                            .narrow(kColumns, 0, std::min(y.size(kColumns), kept)));
    }
    rows.push_back(at::cat(cropped, kColumns));
    above = std::move(row);
  }
  return at::cat(rows, kRows);
}

at::Tensor averaged_passes(const at::Tensor& x, const TileGrid& grid, const TileFunction& function) {
  at::Tensor sum;
  for (const Pass& pass :
       {Pass{grid.tile, grid.tile}, Pass{2 * grid.tile, grid.tile / 2}, Pass{grid.tile / 2, 2 * grid.tile}}) {
    const at::Tensor made = feathered_tiles(x, pass, grid, function);
    sum = sum.defined() ? sum.add_(made) : made;
  }
  return sum.div_(3);
}

}  // namespace upbench
