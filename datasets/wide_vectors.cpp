#include "datasets/wide_vectors.h"

#include <algorithm>
#include <atomic>

namespace upbench {
namespace {

std::atomic<int> most_lanes = 16;

int lanes_of_processor() {
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
  if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma") || !__builtin_cpu_supports("bmi2"))
    return 0;
  const bool wide = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                    __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512dq") &&
                    __builtin_cpu_supports("avx512vl");
  return wide ? 16 : 8;
#else
  return 0;
#endif
}

}  // namespace

int vector_lanes() {
  static const int has = lanes_of_processor();
  return std::min(has, most_lanes.load(std::memory_order_relaxed));
}

void limit_vector_lanes(int lanes) {
  most_lanes = lanes;
}

}  // namespace upbench
