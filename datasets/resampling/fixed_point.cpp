#include "datasets/resampling/fixed_point.h"

#include <algorithm>
#include <cstddef>
#include <memory>
#include <vector>

#include "datasets/resampling/levels.h"
#include "datasets/resampling/passes.h"
#include "datasets/resampling/pick.h"

namespace upbench {
namespace {

using Level = std::uint8_t;
using FixedAxis = WeightedAxis<std::int32_t>;

// Rounded half away from 0.
std::vector<std::int32_t> fixed_point(const std::vector<double>& weights) {
  std::vector<std::int32_t> fixed(weights.size());
  std::transform(weights.begin(), weights.end(), fixed.begin(), [](double weight) {
    return static_cast<std::int32_t>(weight * (1 << kFractionBits) + (weight < 0 ? -0.5 : 0.5));
  });
  return fixed;
}

// Both passes over one plane at a time, and the room they need.
class Resizer {
 public:
  Resizer(int height, int width, const AxisWeights& vertical, const AxisWeights& horizontal)
      : height_(static_cast<std::size_t>(height)),
        width_(static_cast<std::size_t>(width)),
        down_(fixed_point(vertical.weights)),
        along_(fixed_point(horizontal.weights)),
        rows_{vertical, down_.data()},
        columns_{horizontal, along_.data()},
        turned_(width_ * kLanes),
        wide_(std::make_unique_for_overwrite<Level[]>(height_ * columns_.outputs())) {}

  void resize_along_rows(const Level* plane) {
    passes().level_rows(plane, height_, width_, columns_, turned_.data(), wide_.get());
  }
  // Of the plane last given.
  void resize_along_columns(std::size_t from, std::size_t to, Level* out) const {
    passes().level_columns(wide_.get(), columns_.outputs(), rows_, from, to, out);
  }
  std::size_t samples() const { return height_ * width_; }
  std::size_t out_height() const { return rows_.outputs(); }
  std::size_t out_width() const { return columns_.outputs(); }

 private:
  std::size_t height_, width_;
  std::vector<std::int32_t> down_, along_;
  FixedAxis rows_, columns_;
  std::vector<Level> turned_;
  std::unique_ptr<Level[]> wide_;  // the plane's rows at their new width
};

}  // namespace

void resize_fixed_point(const Level* in, int planes, int height, int width, const AxisWeights& vertical,
                        const AxisWeights& horizontal, Level* out) {
  if (picks(vertical, horizontal)) return pick_pixels(in, planes, height, width, vertical, horizontal, out);
  Resizer resizer(height, width, vertical, horizontal);
  for (int plane = 0; plane < planes; ++plane) {
    resizer.resize_along_rows(in);
    resizer.resize_along_columns(0, resizer.out_height(), out);
    in += resizer.samples();
    out += resizer.out_height() * resizer.out_width();
  }
}

void resize_fixed_point(const float* in, int planes, int height, int width, const AxisWeights& vertical,
                        const AxisWeights& horizontal, float* out) {
  if (picks(vertical, horizontal))
    return pick_rounded_pixels(in, planes, height, width, vertical, horizontal, out);
  Resizer resizer(height, width, vertical, horizontal);
  const auto levels = std::make_unique_for_overwrite<Level[]>(resizer.samples());
  std::vector<Level> strip(resizer.out_width() * kLanes);
  for (int plane = 0; plane < planes; ++plane, in += resizer.samples()) {
    to_levels(in, resizer.samples(), levels.get());
    resizer.resize_along_rows(levels.get());
    for (std::size_t top = 0; top < resizer.out_height(); top += kLanes) {
      const std::size_t rows = std::min(kLanes, resizer.out_height() - top);
      resizer.resize_along_columns(top, top + rows, strip.data());
      to_samples(strip.data(), rows * resizer.out_width(), out);
      out += rows * resizer.out_width();
    }
  }
}

}  // namespace upbench
