// Squared errors of an RGB pair on one thread, argument = picture side: ours, OpenCV's norm of the same
// float32 planes, and the floor, which is reading both pictures once.
//   build/upbench_metrics_bench --benchmark_filter='mse|read' --benchmark_repetitions=9
//     --benchmark_enable_random_interleaving=true
#include <cstddef>
#include <random>
#include <vector>

#include <benchmark/benchmark.h>
#include <opencv2/core.hpp>

#include "metrics/squared_error.h"
#include "tests/bench/counters.h"

namespace {

using namespace upbench;

// 8-bit values in [0, 1], planes one after another.
struct Pair {
  explicit Pair(std::int64_t length) : side(static_cast<int>(length)) {
    std::mt19937 random(2);
    for (std::vector<float>* picture : {&output, &reference}) {
      picture->resize(3 * static_cast<std::size_t>(length * length));
      for (float& sample : *picture) sample = static_cast<float>(random() & 255) / 255.0F;
    }
  }
  Planes planes(const std::vector<float>& values) const {
    return {values.data(), side, side, side, std::ptrdiff_t{side} * side};
  }

  int side;
  std::vector<float> output, reference;
};

// flop: of a pixel.
void repeat(benchmark::State& state, double flop, const auto& call) {
  const Pair pair(state.range(0));
  for (auto _ : state) benchmark::DoNotOptimize(call(pair));
  count_work(state, square(state.range(0)), flop * square(state.range(0)));
}

void mse_rgb_ours(benchmark::State& state) {
  repeat(state, 3 * kSquaredErrorFlop, [](const Pair& pair) {
    return mean_squared_error_rgb(pair.planes(pair.output), pair.planes(pair.reference));
  });
}

void mse_luma_ours(benchmark::State& state) {
  // Three differences, their weighted sum, its square, a sum.
  repeat(state, 3 + 5 + 1 + 1, [](const Pair& pair) {
    return mean_squared_error(pair.planes(pair.output), pair.planes(pair.reference), kLumaSignal);
  });
}

// float32 differences and sums: less exact than ours, which are float64.
void mse_rgb_opencv(benchmark::State& state) {
  cv::setNumThreads(1);
  repeat(state, 3 * kSquaredErrorFlop, [](const Pair& pair) {
    return cv::norm(cv::Mat(pair.output), cv::Mat(pair.reference), cv::NORM_L2SQR);
  });
}

void read_both(benchmark::State& state) {
  repeat(state, 0, [](const Pair& pair) {
    unsigned long long bits = 0;
    for (const std::vector<float>* picture : {&pair.output, &pair.reference}) {
      const auto* words = reinterpret_cast<const unsigned*>(picture->data());
      for (std::size_t i = 0; i < picture->size(); ++i) bits ^= words[i];
    }
    return bits;
  });
}

BENCHMARK(mse_rgb_ours)->Arg(256)->Arg(1024)->Arg(4096)->Unit(benchmark::kMillisecond);
BENCHMARK(mse_luma_ours)->Arg(256)->Arg(1024)->Arg(4096)->Unit(benchmark::kMillisecond);
BENCHMARK(mse_rgb_opencv)->Arg(256)->Arg(1024)->Arg(4096)->Unit(benchmark::kMillisecond);
BENCHMARK(read_both)->Arg(256)->Arg(1024)->Arg(4096)->Unit(benchmark::kMillisecond);

}  // namespace
