#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "datasets/resampling/axis_weights.h"
#include "datasets/wide_vectors.h"

// The loops of resizing and blurring, over rows and columns of one plane; one thread.
namespace upbench {

inline constexpr std::size_t kLanes = 16;  // columns, or rows, that are summed side by side

// Weights of an axis in the arithmetic of a pass.
template <typename Real>
struct WeightedAxis {
  const AxisWeights& layout;
  const Real* weights;

  std::size_t outputs() const { return layout.first.size(); }
  std::size_t first(std::size_t output) const { return static_cast<std::size_t>(layout.first[output]); }
  const Real* of(std::size_t output) const {
    return weights + output * static_cast<std::size_t>(layout.taps);
  }
};

inline constexpr int kFractionBits = 22;  // of weights in whole numbers: no sum of 8-bit levels overflows

// Half up. Once it is clamped, cutting the fraction off is rounding down.
UPBENCH_ALWAYS_INLINE double nearest_level(double level) {
  return static_cast<int>(std::clamp(level, 0.0, 255.0) + 0.5);
}

struct Passes {
  // A plane of 8-bit levels, height x width, to its rows at their new width. turned: room for width * kLanes.
  void (*level_rows)(const std::uint8_t* in, std::size_t height, std::size_t width,
                     const WeightedAxis<std::int32_t>& axis, std::uint8_t* turned, std::uint8_t* out);
  // Output rows `from` to `to` of a plane of levels, `width` wide.
  void (*level_columns)(const std::uint8_t* in, std::size_t width, const WeightedAxis<std::int32_t>& axis,
                        std::size_t from, std::size_t to, std::uint8_t* out);
  // A whole plane, first along the columns, then along the rows. strip, interleaved: room for width * kLanes.
  void (*plane)(const float* in, std::size_t width, const WeightedAxis<float>& vertical,
                const WeightedAxis<float>& horizontal, float* strip, float* interleaved, float* out);
  // The same of levels, clamped to [0, 255] and rounded half up after each pass.
  void (*plane_of_levels)(const double* in, std::size_t width, const WeightedAxis<double>& vertical,
                          const WeightedAxis<double>& horizontal, double* strip, double* interleaved,
                          double* out);
  // One row of a plane under a kernel of size x size weights: rows[ky] is row y + ky of the padded plane,
  // kBlurStep samples longer than `width` asks for.
  void (*blur_row)(const float* const* rows, std::size_t width, const float* weights, std::size_t size,
                   float* out);
};
inline constexpr std::size_t kBlurStep = 4 * kLanes;  // outputs that share a weight once it is loaded

// As compiled for the widest vectors of this processor. Each gives the same bits.
const Passes& passes();

}  // namespace upbench
