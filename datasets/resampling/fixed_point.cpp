#include "datasets/resampling/fixed_point.h"

#include <algorithm>
#include <cstddef>
#include <memory>
#include <vector>

#include "datasets/resampling/axis_pass.h"
#include "datasets/resampling/levels.h"
#include "datasets/resampling/pick.h"
#include "datasets/resampling/transpose.h"

namespace upbench {
namespace {

using Level = std::uint8_t;
using FixedAxis = Axis<std::int32_t>;

// Weights are multiples of 2^-22, so that no sum of 8-bit levels overflows.
constexpr int kFraction = 22;
constexpr std::int32_t kHalf = 1 << (kFraction - 1);

// Rounded half away from 0.
std::vector<std::int32_t> fixed_point(const std::vector<double>& weights) {
  std::vector<std::int32_t> fixed(weights.size());
  std::transform(weights.begin(), weights.end(), fixed.begin(), [](double weight) {
    return static_cast<std::int32_t>(weight * (1 << kFraction) + (weight < 0 ? -0.5 : 0.5));
  });
  return fixed;
}

// out[i] = sum over k of weights[k] * samples[k * stride + i], for kLanes neighbours. The compiler turns the
// loops over lanes into single instructions, which it does not with __builtin_convertvector.
template <typename Taps>
UPBENCH_ALWAYS_INLINE void combine_lanes(const Level* samples, std::size_t stride,
                                         const std::int32_t* weights, Taps taps, Level* out) {
  using Values = Lanes<std::int32_t>::Values;
  Values sums = Values{} + kHalf;
  for (int k = 0; k < taps; ++k, samples += stride) {
    Values loaded;
    for (int i = 0; i < kLanes; ++i) loaded[i] = samples[i];
    sums += weights[k] * loaded;
  }
  for (int i = 0; i < kLanes; ++i) out[i] = static_cast<Level>(std::clamp(sums[i] >> kFraction, 0, 255));
}

// out[x] = sum over k of weights[k] * rows[k][x]
template <typename Taps>
UPBENCH_ALWAYS_INLINE void combine_rows(const Level* rows, std::size_t width, const std::int32_t* weights,
                                        Taps taps, Level* out) {
  std::size_t x = 0;
  for (; x + kLanes <= width; x += kLanes) combine_lanes(rows + x, width, weights, taps, out + x);
  for (; x < width; ++x) {
    std::int32_t sum = kHalf;
    for (int k = 0; k < taps; ++k) sum += weights[k] * rows[static_cast<std::size_t>(k) * width + x];
    out[x] = static_cast<Level>(std::clamp(sum >> kFraction, 0, 255));
  }
}

// Output rows `from` to `to`.
UPBENCH_VECTOR_CLONES void resize_columns(const Level* in, std::size_t width, const FixedAxis& axis,
                                          std::size_t from, std::size_t to, Level* out) {
  with_taps(axis.layout.taps, [&](auto taps) UPBENCH_IN_PLACE {
    for (std::size_t o = from; o < to; ++o, out += width)
      combine_rows(in + axis.first(o) * width, width, axis.of(o), taps, out);
  });
}

// kLanes rows side by side: `turned` gets column x of all of them together.
UPBENCH_VECTOR_CLONES void resize_rows(const Level* in, std::size_t height, std::size_t width,
                                       const FixedAxis& axis, Level* turned, Level* out) {
  with_taps(axis.layout.taps, [&](auto taps) UPBENCH_IN_PLACE {
    for (std::size_t top = 0; top < height; top += kLanes) {
      const std::size_t rows = std::min<std::size_t>(kLanes, height - top);
      transpose(in + top * width, width, rows, width, turned, kLanes);
      for (std::size_t left = 0; left < axis.outputs(); left += kLanes) {
        const std::size_t wide = std::min<std::size_t>(kLanes, axis.outputs() - left);
        Level tile[kLanes][kLanes];
        for (std::size_t o = 0; o < wide; ++o)
          combine_lanes(turned + axis.first(left + o) * kLanes, kLanes, axis.of(left + o), taps, tile[o]);
        transpose(tile[0], kLanes, wide, rows, out + top * axis.outputs() + left, axis.outputs());
      }
    }
  });
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
    resize_rows(plane, height_, width_, columns_, turned_.data(), wide_.get());
  }
  // Of the plane last given.
  void resize_along_columns(std::size_t from, std::size_t to, Level* out) const {
    resize_columns(wide_.get(), columns_.outputs(), rows_, from, to, out);
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
      const std::size_t rows = std::min<std::size_t>(kLanes, resizer.out_height() - top);
      resizer.resize_along_columns(top, top + rows, strip.data());
      to_samples(strip.data(), rows * resizer.out_width(), out);
      out += rows * resizer.out_width();
    }
  }
}

}  // namespace upbench
