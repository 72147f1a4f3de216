#pragma once

#include <cstring>

// Functions marked so are compiled for several instruction sets, and the program takes the widest that the
// machine has. What they call must be inlined into them.
#if defined(__x86_64__) && defined(__linux__) && defined(__GNUC__) && !defined(__clang__) && \
    !defined(__SANITIZE_ADDRESS__)
#define UPBENCH_VECTOR_CLONES __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define UPBENCH_VECTOR_CLONES
#endif
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
