#include "datasets/codec/matrix_shaper.h"

#include <cmath>
#include <limits>

#include <lcms2.h>

namespace upbench {
namespace {

using Colour = std::array<float, 3>;

std::vector<Colour> light_of(void* linear, const std::vector<std::array<int, 3>>& codes) {
  std::vector<Colour> in(codes.size()), out(codes.size());
  for (std::size_t i = 0; i < codes.size(); ++i)
    for (std::size_t c = 0; c < 3; ++c) in[i][c] = static_cast<float>(codes[i][c]) * (1.0F / 255);
  cmsDoTransform(linear, in.data(), out.data(), static_cast<cmsUInt32Number>(in.size()));
  return out;
}

// sRGB's curve (IEC 61966-2-1).
double decoded(double value) {
  return value <= 0.04045 ? value / 12.92 : std::pow((value + 0.055) / 1.055, 2.4);
}

}  // namespace

MatrixShaper::MatrixShaper() {
  edge_.front() = -std::numeric_limits<float>::infinity();
  edge_.back() = std::numeric_limits<float>::infinity();
  for (std::size_t code = 1; code < 256; ++code)
    edge_[code] = static_cast<float>(decoded((static_cast<double>(code) - 0.5) / 255));
  std::size_t below = 0;
  for (std::size_t step = 0; step < kSteps; ++step) {
    while (below < 255 && edge_[below + 1] <= static_cast<float>(step) / kSteps) ++below;
    edges_below_[step] = static_cast<std::uint8_t>(below);
  }
}

std::optional<MatrixShaper> MatrixShaper::of(void* linear) {
  MatrixShaper shaper;
  const Light black = light_of(linear, {{0, 0, 0}})[0];
  for (std::size_t channel = 0; channel < 3; ++channel) {
    std::vector<std::array<int, 3>> ramp(256);
    for (int code = 0; code < 256; ++code) ramp[static_cast<std::size_t>(code)][channel] = code;
    shaper.table_[channel] = light_of(linear, ramp);
    for (Light& light : shaper.table_[channel])
      for (std::size_t c = 0; c < 3 && channel > 0; ++c) light[c] -= black[c];
  }
  std::vector<std::array<int, 3>> grid;
  for (int red = 0; red < 256; red += 51)
    for (int green = 0; green < 256; green += 51)
      for (int blue = 0; blue < 256; blue += 51) grid.push_back({red, green, blue});
  const std::vector<Colour> expected = light_of(linear, grid);
  for (std::size_t i = 0; i < grid.size(); ++i) {
    for (std::size_t c = 0; c < 3; ++c) {
      float sum = 0;
      for (std::size_t channel = 0; channel < 3; ++channel)
        sum += shaper.table_[channel][static_cast<std::size_t>(grid[i][channel])][c];
      if (!(std::abs(sum - expected[i][c]) < kDoubt / 4)) return std::nullopt;  // NaN too
    }
  }
  return shaper;
}

}  // namespace upbench
