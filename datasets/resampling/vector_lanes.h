#pragma once

#include <cstring>

#include "datasets/vector_clones.h"

// What a function with vector clones calls must be inlined into it.
#define UPBENCH_IN_PLACE __attribute__((always_inline))
#define UPBENCH_ALWAYS_INLINE UPBENCH_IN_PLACE inline

namespace upbench {

inline constexpr int kLanes = 16;  // columns, or rows, that are summed side by side

// kLanes neighbours as one value: left to itself, the compiler vectorises sums over taps badly.
template <typename Real>
struct Lanes {
  using Values [[gnu::vector_size(kLanes * sizeof(Real))]] = Real;
  Values values{};

  UPBENCH_ALWAYS_INLINE void add(Real weight, const Real* samples) {
    Values loaded;
    std::memcpy(&loaded, samples, sizeof loaded);
    values += weight * loaded;
  }
  UPBENCH_ALWAYS_INLINE void store(Real* to) const { std::memcpy(to, &values, sizeof values); }
};

}  // namespace upbench
