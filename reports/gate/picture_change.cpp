#include "reports/gate/picture_change.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>

#include <fmt/format.h>

#include "datasets/codec/decode.h"
#include "reports/gate/picture_shift.h"
#include "reports/gate/picture_tone.h"

namespace upbench {
namespace {

constexpr int kLeastSide = 16;
constexpr double kTelling = 2.0 / 3, kTellingBorders = 0.3;

float sample_of(const Raster& raster, std::size_t index) {
  if (raster.bit_depth == 8) return static_cast<float>(raster.samples[index]) / 255;
  const auto* samples = reinterpret_cast<const std::uint16_t*>(raster.samples.data());
  return static_cast<float>(samples[index]) / 65535;
}

PictureChange best_order(const PicturePlanes& base, const PicturePlanes& now, double difference) {
  constexpr int kOrders[5][3] = {{2, 1, 0}, {1, 0, 2}, {0, 2, 1}, {1, 2, 0}, {2, 0, 1}};
  constexpr const char* kNames[5] = {"R and B swapped", "R and G swapped", "G and B swapped",
                                     "channels rotated: R holds G, G holds B, B holds R",
                                     "channels rotated: R holds B, G holds R, B holds G"};
  PictureChange best{.kind = PictureChange::Kind::channels, .explained = -1, .text = {}};
  for (int order = 0; order < 5; ++order) {
    double left = 0;
    for (int c = 0; c < 3; ++c) left += squared_difference(base.rgb[kOrders[order][c]], now.rgb[c]);
    const double explained = 1 - left / difference;
    if (explained <= best.explained) continue;
    best.explained = explained;
    best.text = kNames[order];
  }
  return best;
}

// Distance of a pixel's centre from the nearest boundary, by column or row; infinite without one.
std::vector<double> distances(int length, std::span<const BoundaryRow> boundaries, bool vertical) {
  std::vector<double> nearest(static_cast<std::size_t>(length), INFINITY);
  for (const BoundaryRow& boundary : boundaries) {
    if (boundary.vertical != vertical) continue;
    for (int i = 0; i < length; ++i) {
      const double away = std::abs(i + 0.5 - boundary.position) - boundary.half_width;
      nearest[static_cast<std::size_t>(i)] =
          std::min(nearest[static_cast<std::size_t>(i)], std::max(away, 0.0));
    }
  }
  return nearest;
}

PictureChange near_borders(const PicturePlanes& base, const PicturePlanes& now, double difference,
                           std::span<const BoundaryRow> boundaries) {
  constexpr int kBands[] = {1, 2, 4, 8, 16};
  const std::vector<double> columns = distances(base.width, boundaries, true),
                            rows = distances(base.height, boundaries, false);
  double energy[std::size(kBands)] = {}, area[std::size(kBands)] = {};
  std::size_t i = 0;
  for (const double row : rows)
    for (const double column : columns) {
      double squared = 0;
      for (int c = 0; c < 3; ++c) {
        const double d = base.rgb[c][i] - now.rgb[c][i];
        squared += d * d;
      }
      ++i;
      for (std::size_t b = 0; b < std::size(kBands); ++b)
        if (std::min(row, column) <= kBands[b]) {
          energy[b] += squared;
          area[b] += 1;
        }
    }
  PictureChange best{.kind = PictureChange::Kind::tile_borders, .explained = 0, .text = "borders of tiles"};
  for (std::size_t b = 0; b < std::size(kBands); ++b) {
    const double share = energy[b] / difference, of_picture = area[b] / static_cast<double>(i);
    if (share - of_picture <= best.explained) continue;
    best.explained = share - of_picture;
    best.text = fmt::format(
        "borders of tiles: {:.0f} % of the difference lies within {} px of them, "
        "{:.0f} % of the picture does",
        100 * share, kBands[b], 100 * of_picture);
  }
  return best;
}

}  // namespace

PicturePlanes read_planes(const std::filesystem::path& file) {
  const Raster raster = decode_file(file, kNoDecodeLimits);
  PicturePlanes planes{.width = raster.width, .height = raster.height, .rgb = {}};
  const std::size_t pixels = static_cast<std::size_t>(raster.width) * static_cast<std::size_t>(raster.height);
  const auto channels = static_cast<std::size_t>(raster.channels);
  for (std::size_t c = 0; c < 3; ++c) {
    planes.rgb[c].resize(pixels);
    for (std::size_t i = 0; i < pixels; ++i)
      planes.rgb[c][i] = sample_of(raster, i * channels + (channels >= 3 ? c : 0));
  }
  return planes;
}

bool is_telling(const PictureChange& change) {
  return change.explained >= (change.kind == PictureChange::Kind::tile_borders ? kTellingBorders : kTelling);
}

std::vector<PictureChange> explain_difference(const PicturePlanes& base, const PicturePlanes& now,
                                              std::span<const BoundaryRow> boundaries) {
  if (base.width != now.width || base.height != now.height || std::min(base.width, base.height) < kLeastSide)
    throw std::invalid_argument(
        fmt::format("pictures of {}x{} and {}x{}: expected equal sizes of at least {}", base.width,
                    base.height, now.width, now.height, kLeastSide));
  double difference = 0;
  for (int c = 0; c < 3; ++c) difference += squared_difference(base.rgb[c], now.rgb[c]);
  if (difference == 0) return {};
  std::vector<PictureChange> changes{best_shift(base, now), best_order(base, now, difference),
                                     best_tone(base, now, difference)};
  if (!boundaries.empty()) changes.push_back(near_borders(base, now, difference, boundaries));
  std::ranges::stable_sort(changes, std::greater<>(), &PictureChange::explained);
  return changes;
}

}  // namespace upbench
