#pragma once

#include <cstring>

#include "datasets/resampling/passes.h"
#include "datasets/wide_vectors.h"

// For the files of resampling/passes.h.
#if UPBENCH_LANES == 16
#define UPBENCH_PASSES_NAMESPACE passes16
#elif UPBENCH_LANES == 8
#define UPBENCH_PASSES_NAMESPACE passes8
#else
#define UPBENCH_PASSES_NAMESPACE passes4
#endif

UPBENCH_WIDE_VECTORS_BEGIN
namespace upbench::UPBENCH_PASSES_NAMESPACE {

// kLanes neighbours, in as many vectors as they take: left to itself, the compiler vectorises sums over taps
// badly.
template <typename Real>
struct Lanes {
  static constexpr std::size_t kEach = UPBENCH_LANES * sizeof(float) / sizeof(Real), kCount = kLanes / kEach;
  using Values [[gnu::vector_size(kEach * sizeof(Real))]] = Real;
  Values values[kCount]{};

  UPBENCH_ALWAYS_INLINE void add(Real weight, const Real* samples) {
    for (std::size_t i = 0; i < kCount; ++i) {
      Values loaded;
      std::memcpy(&loaded, samples + i * kEach, sizeof loaded);
      values[i] += weight * loaded;
    }
  }
  UPBENCH_ALWAYS_INLINE void store(Real* to) const { std::memcpy(to, &values, sizeof values); }
};

}  // namespace upbench::UPBENCH_PASSES_NAMESPACE
UPBENCH_WIDE_VECTORS_END
