#pragma once

#include <cstdint>

#include <benchmark/benchmark.h>

// What benchmarks count, by the names that tables and scripts read: "pixels/s" and "FLOP/s".
namespace upbench {

// Of one iteration. flop: what the task itself needs, 2 for each multiply-accumulate; 0: not known.
inline void count_work(benchmark::State& state, double pixels, double flop = 0) {
  const auto add = [&](const char* name, double amount) {
    state.counters[name] = benchmark::Counter(amount, benchmark::Counter::kIsIterationInvariantRate);
  };
  add("pixels/s", pixels);
  if (flop > 0) add("FLOP/s", flop);
}

constexpr double square(std::int64_t side) {
  return static_cast<double>(side) * static_cast<double>(side);
}

// Of a pixel of one signal. SSIM: four blurs of 11 taps along rows and columns, squares, the formula; squared
// error: a difference, a product, a sum.
inline constexpr double kSsimFlop = 245, kSquaredErrorFlop = 3;

// Of one picture in AlexNet's five convolutions, as LPIPS needs them.
constexpr double alexnet_flop(std::int64_t side) {
  const std::int64_t first = (side + 2 * 2 - 11) / 4 + 1;
  const std::int64_t second = (first - 3) / 2 + 1, third = (second - 3) / 2 + 1;  // max pooling before each
  return 2 * (square(first) * 64 * 3 * 11 * 11 + square(second) * 192 * 64 * 5 * 5 +
              square(third) * 9 * (384 * 192 + 256 * 384 + 256 * 256));
}

}  // namespace upbench
