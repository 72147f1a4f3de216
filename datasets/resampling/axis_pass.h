#pragma once

#include <type_traits>

#include "datasets/resampling/axis_weights.h"
#include "datasets/resampling/vector_lanes.h"

// What passes over rows and columns share, in whatever arithmetic.
namespace upbench {

// Weights of an axis in the arithmetic of a pass.
template <typename Real>
struct Axis {
  const AxisWeights& layout;
  const Real* weights;

  std::size_t outputs() const { return layout.first.size(); }
  std::size_t first(std::size_t output) const { return static_cast<std::size_t>(layout.first[output]); }
  const Real* of(std::size_t output) const {
    return weights + output * static_cast<std::size_t>(layout.taps);
  }
};

// Calls work with the number of taps: a constant, which unrolls the loops over it, where it is a common one.
template <typename Work>
UPBENCH_ALWAYS_INLINE void with_taps(int taps, Work work) {
  switch (taps) {
    case 1:
      return work(std::integral_constant<int, 1>{});
    case 2:
      return work(std::integral_constant<int, 2>{});
    case 4:
      return work(std::integral_constant<int, 4>{});
    case 8:
      return work(std::integral_constant<int, 8>{});
    default:
      return work(taps);
  }
}

}  // namespace upbench
