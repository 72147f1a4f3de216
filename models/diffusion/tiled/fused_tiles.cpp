#include "models/diffusion/tiled/fused_tiles.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>

#include <fmt/format.h>

namespace upbench {
namespace {

constexpr double kVariance = 0.01;  // of a tile's weight, of its width squared

std::vector<int> even_begins(int length, int tile, int overlap) {
  if (tile >= length) return {0};
  const int count = (length - overlap + (tile - overlap) - 1) / (tile - overlap);
  const double step = static_cast<double>(length - tile) / (count - 1);
  std::vector<int> begins;
  for (int i = 0; i < count; ++i) begins.push_back(std::min(static_cast<int>(i * step), length - tile));
  begins.back() = length - tile;
  return begins;
}

std::vector<int> shifted_begins(int length, int tile, int overlap, double share) {
  if (tile >= length) return {0};
  const int stride = tile - overlap;
  std::vector<int> begins;
  for (int begin = -static_cast<int>(share * stride); begins.empty() || begins.back() < length - tile;
       begin += stride) {
    const int inside = std::clamp(begin, 0, length - tile);
    if (begins.empty() || inside > begins.back()) begins.push_back(inside);
  }
  return begins;
}

// Logarithms of what each latent of a tile weighs, before tiles are set off against each other. middle: as
// the extension has it, (tile - 1) / 2 across and tile / 2 down.
std::vector<double> own_weights(Fusion mode, int size, int tile_width, double middle) {
  std::vector<double> logarithms(static_cast<std::size_t>(size), 0.0);
  if (mode == Fusion::multidiffusion) return logarithms;
  const double spread = 2 * kVariance * tile_width * tile_width;
  for (int i = 0; i < size; ++i)
    logarithms[static_cast<std::size_t>(i)] = -(i - middle) * (i - middle) / spread;
  return logarithms;
}

// Divided by their sum where tiles overlap; relative to the heaviest, so that none is 0 / 0.
FusedAxis axis(int length, int size, std::vector<int> begins, const std::vector<double>& logarithms) {
  FusedAxis made{.size = size, .begins = std::move(begins), .weights = {}};
  const auto side = static_cast<std::size_t>(length);
  std::vector<double> heaviest(side, -std::numeric_limits<double>::infinity()), sums(side, 0.0);
  const auto each = [&](const auto& visit) {
    for (std::size_t tile = 0; tile < made.begins.size(); ++tile)
      for (std::size_t i = 0; i < logarithms.size(); ++i)
        visit(tile, i, static_cast<std::size_t>(made.begins[tile]) + i);
  };
  made.weights.assign(made.begins.size(), std::vector<double>(logarithms.size()));
  each([&](std::size_t, std::size_t i, std::size_t at) {
    heaviest[at] = std::max(heaviest[at], logarithms[i]);
  });
  each([&](std::size_t tile, std::size_t i, std::size_t at) {
    sums[at] += made.weights[tile][i] = std::exp(logarithms[i] - heaviest[at]);
  });
  each([&](std::size_t tile, std::size_t i, std::size_t at) { made.weights[tile][i] /= sums[at]; });
  return made;
}

void add_boundaries(std::vector<Boundary>& boundaries, const FusedAxis& axis, bool vertical, int factor) {
  for (std::size_t i = 1; i < axis.begins.size(); ++i) {
    const double begin = axis.begins[i], end = axis.begins[i - 1] + axis.size;
    boundaries.push_back({vertical, (begin + end) / 2 * factor, (end - begin) / 2 * factor});
  }
}

}  // namespace

Fusion parse_fusion(std::string_view name) {
  if (name == "multidiffusion") return Fusion::multidiffusion;
  if (name == "mixture") return Fusion::mixture;
  throw std::invalid_argument(fmt::format("unknown fusion '{}', expected multidiffusion or mixture", name));
}

FusedGrid fused_grid(int width, int height, const FusionSettings& settings, double across, double down) {
  const int overlap = settings.overlap;
  if (width < 1 || height < 1 || overlap < 0 || overlap >= std::min(settings.width, settings.height))
    throw std::invalid_argument(
        fmt::format("tiles of {} x {} latents with overlap {} over {} x {}: expected an overlap that is "
                    "smaller than a tile",
                    settings.width, settings.height, overlap, width, height));
  const int tile_width = std::min(settings.width, width), tile_height = std::min(settings.height, height);
  const auto begins = [&](int length, int tile, double share) {
    return settings.jitter ? shifted_begins(length, tile, overlap, share)
                           : even_begins(length, tile, overlap);
  };
  return {.columns = axis(width, tile_width, begins(width, tile_width, across),
                          own_weights(settings.mode, tile_width, tile_width, (tile_width - 1) / 2.0)),
          .rows = axis(height, tile_height, begins(height, tile_height, down),
                       own_weights(settings.mode, tile_height, tile_width, tile_height / 2.0))};
}

std::vector<Boundary> fused_boundaries(const FusedGrid& grid, int factor) {
  std::vector<Boundary> boundaries;
  add_boundaries(boundaries, grid.columns, true, factor);
  add_boundaries(boundaries, grid.rows, false, factor);
  return boundaries;
}

}  // namespace upbench
