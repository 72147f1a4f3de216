#include "models/tiling/tile_batches.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <utility>

namespace upbench {
namespace {

constexpr double kBreakEvenPixels = 245.0 * 245.0;
constexpr double kMostTilesAtOnce = 64;

// Cuts the tiles of one shape into equal batches.
void append(std::vector<TileBatch>& batches, const std::vector<std::size_t>& tiles, std::size_t most) {
  const std::size_t count = (tiles.size() + most - 1) / most, size = (tiles.size() + count - 1) / count;
  for (std::size_t begin = 0; begin < tiles.size(); begin += size) {
    const auto from = tiles.begin() + static_cast<std::ptrdiff_t>(begin);
    const auto to = tiles.begin() + static_cast<std::ptrdiff_t>(std::min(begin + size, tiles.size()));
    batches.push_back({.tiles = {from, to}, .size = size});
  }
}

}  // namespace

std::vector<TileBatch> batch_tiles(const TilePlan& plan, std::size_t most) {
  const std::size_t columns = plan.cols.size(), count = plan.rows.size() * columns;
  std::vector<TileBatch> batches;
  if (most <= 1) {
    for (std::size_t index = 0; index < count; ++index) batches.push_back({.tiles = {index}, .size = 1});
    return batches;
  }
  std::map<std::pair<int, int>, std::size_t> known;
  std::vector<std::vector<std::size_t>> by_shape;
  for (std::size_t index = 0; index < count; ++index) {
    const std::pair shape{plan.rows[index / columns].read.size(), plan.cols[index % columns].read.size()};
    const auto [place, fresh] = known.try_emplace(shape, by_shape.size());
    if (fresh) by_shape.emplace_back();
    by_shape[place->second].push_back(index);
  }
  for (const auto& tiles : by_shape) append(batches, tiles, most);
  return batches;
}

int tiles_at_once(double tile_pixels, double bytes_per_pixel, double bytes) {
  const double wanted = std::ceil(kBreakEvenPixels / std::max(tile_pixels, 1.0));
  const double fitting = std::floor(bytes / 2 / std::max(tile_pixels * bytes_per_pixel, 1.0));
  return static_cast<int>(std::clamp(std::min(wanted, fitting), 1.0, kMostTilesAtOnce));
}

}  // namespace upbench
