#include "models/tiling/tile_plan.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <stdexcept>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "models/tiling/axis_layout.h"

namespace upbench {
namespace {

constexpr std::array<std::pair<TileMode, std::string_view>, 5> kModes{{
    {TileMode::core_context, "core-context"},
    {TileMode::even_ramp, "even-ramp"},
    {TileMode::stride_feather, "stride-feather"},
    {TileMode::half_sine, "half-sine"},
    {TileMode::uniform, "uniform"},
}};

// Largest side of an output in pixels; keeps every position inside an int.
constexpr std::int64_t kLargestSide = std::int64_t{1} << 30;

void require_size(int height, int width, int scale) {
  const auto fits = [scale](int side) { return side >= 1 && std::int64_t{side} * scale <= kLargestSide; };
  if (scale >= 1 && fits(height) && fits(width)) return;
  throw std::invalid_argument(
      fmt::format("picture of {}x{} pixels at scale {}: expected sides and scale from 1 and an output of at "
                  "most {} pixels a side",
                  width, height, scale, kLargestSide));
}

void require_settings(const TileSettings& settings) {
  if (settings.tile < 0)
    throw std::invalid_argument(fmt::format("tile {}: expected 0 (no tiles) or more", settings.tile));
  if (settings.overlap < 0 || settings.context < 0) {
    const bool overlap = settings.overlap < 0;
    throw std::invalid_argument(fmt::format("tile {}, {} {}: expected 0 or more", settings.tile,
                                            overlap ? "overlap" : "context",
                                            overlap ? settings.overlap : settings.context));
  }
  const bool blends = settings.tile > 0 && settings.mode != TileMode::core_context;
  if (blends && settings.overlap >= settings.tile) {
    throw std::invalid_argument(fmt::format("tile {}, overlap {}: the overlap must be smaller than the tile",
                                            settings.tile, settings.overlap));
  }
}

void add_boundaries(std::vector<Boundary>& boundaries, const AxisLayout& axis, bool vertical, int scale) {
  for (const Transition& transition : axis.transitions)
    boundaries.push_back({vertical, transition.position * scale, transition.half_width * scale});
}

}  // namespace

TileMode parse_tile_mode(std::string_view name) {
  std::vector<std::string_view> names;
  for (const auto& [mode, known] : kModes) {
    if (known == name) return mode;
    names.push_back(known);
  }
  throw std::invalid_argument(fmt::format("unknown tile mode '{}'; known: {}", name, fmt::join(names, ", ")));
}

std::string_view to_string(TileMode mode) {
  const auto found =
      std::find_if(kModes.begin(), kModes.end(), [mode](const auto& entry) { return entry.first == mode; });
  if (found == kModes.end())
    throw std::invalid_argument(fmt::format("no tile mode has number {}", static_cast<int>(mode)));
  return found->second;
}

TilePlan plan_tiles(int height, int width, int scale, const TileSettings& settings) {
  require_size(height, width, scale);
  require_settings(settings);
  AxisLayout rows = lay_axis(height, scale, settings), cols = lay_axis(width, scale, settings);
  TilePlan plan{
      .rows = std::move(rows.tiles), .cols = std::move(cols.tiles), .boundaries = {}, .scale = scale};
  add_boundaries(plan.boundaries, cols, true, scale);
  add_boundaries(plan.boundaries, rows, false, scale);
  return plan;
}

}  // namespace upbench
