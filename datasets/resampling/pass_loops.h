#pragma once

#include <algorithm>
#include <type_traits>

#include "datasets/resampling/passes.h"
#include "datasets/resampling/transpose.h"
#include "datasets/resampling/vector_lanes.h"

UPBENCH_WIDE_VECTORS_BEGIN
namespace upbench::UPBENCH_PASSES_NAMESPACE {

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

}  // namespace upbench::UPBENCH_PASSES_NAMESPACE
UPBENCH_WIDE_VECTORS_END
