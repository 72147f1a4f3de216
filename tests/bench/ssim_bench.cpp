// SSIM of an RGB pair on one thread, argument = picture side: ours, and the same formula with OpenCV's
// filters.
//   build/upbench_metrics_bench --benchmark_repetitions=5 --benchmark_enable_random_interleaving=true
#include <array>
#include <random>
#include <vector>

#include <benchmark/benchmark.h>
#include <opencv2/core.hpp>
#include <opencv2/imgproc.hpp>

#include "metrics/ssim_kernel.h"
#include "tests/bench/counters.h"

namespace {

using namespace upbench;

// Two pictures of 8-bit values, 0 <= v <= 1, planes one after another.
struct Pair {
  explicit Pair(int length) : side(length), output(3 * pixels()), reference(3 * pixels()) {
    std::mt19937 random(1);
    for (std::size_t i = 0; i < output.size(); ++i) {
      const auto bits = random();
      reference[i] = static_cast<float>(bits & 255) / 255.0F;
      output[i] = static_cast<float>(((bits & 255) * 3 + (bits >> 8 & 255)) / 4) / 255.0F;
    }
  }
  std::size_t pixels() const { return static_cast<std::size_t>(side) * static_cast<std::size_t>(side); }
  Planes planes(const std::vector<float>& values) const {
    return {values.data(), side, side, side, static_cast<std::ptrdiff_t>(pixels())};
  }
  cv::Mat channel(std::vector<float>& values, int c) const {
    return {side, side, CV_32F, values.data() + c * pixels()};
  }

  int side;
  std::vector<float> output, reference;
};

void count(benchmark::State& state, int signals) {
  const double pixels = square(state.range(0));
  count_work(state, pixels, signals * kSsimFlop * pixels);
}

void ssim_ours(benchmark::State& state) {
  const Pair pair(static_cast<int>(state.range(0)));
  for (auto _ : state)
    benchmark::DoNotOptimize(ssim_score(pair.planes(pair.output), pair.planes(pair.reference), kRgbSignals));
  count(state, 3);
}

void ssim_luma_ours(benchmark::State& state) {
  const Pair pair(static_cast<int>(state.range(0)));
  for (auto _ : state)
    benchmark::DoNotOptimize(
        ssim_score(pair.planes(pair.output), pair.planes(pair.reference), {&kLumaSignal, 1}));
  count(state, 1);
}

cv::Mat blurred(const cv::Mat& plane) {
  static const cv::Mat window = cv::getGaussianKernel(kSsimWindow, 1.5, CV_32F);
  constexpr int margin = kSsimWindow / 2;
  cv::Mat result;
  cv::sepFilter2D(plane, result, -1, window, window);
  return result(cv::Rect(margin, margin, plane.cols - 2 * margin, plane.rows - 2 * margin));
}

// As commonly written: five filtered float32 planes, then whole-plane arithmetic.
double ssim_of_channel(const cv::Mat& a, const cv::Mat& b) {
  const double c1 = 0.01 * 255 * 0.01 * 255, c2 = 0.03 * 255 * 0.03 * 255;
  const cv::Mat ma = blurred(a), mb = blurred(b);
  const cv::Mat maa = ma.mul(ma), mbb = mb.mul(mb), mab = ma.mul(mb);
  const cv::Mat va = blurred(a.mul(a)) - maa, vb = blurred(b.mul(b)) - mbb, cov = blurred(a.mul(b)) - mab;
  const cv::Mat above = cv::Mat(2 * mab + c1).mul(cv::Mat(2 * cov + c2));
  const cv::Mat below = cv::Mat(maa + mbb + c1).mul(cv::Mat(va + vb + c2));
  return cv::mean(above / below)[0];
}

void ssim_opencv(benchmark::State& state) {
  cv::setNumThreads(1);
  Pair pair(static_cast<int>(state.range(0)));
  for (float& value : pair.output) value *= 255;
  for (float& value : pair.reference) value *= 255;
  for (auto _ : state) {
    double sum = 0;
    for (int c = 0; c < 3; ++c)
      sum += ssim_of_channel(pair.channel(pair.output, c), pair.channel(pair.reference, c));
    benchmark::DoNotOptimize(sum);
  }
  count(state, 3);
}

BENCHMARK(ssim_ours)->Arg(64)->Arg(1024)->Arg(2048)->Arg(4096)->Unit(benchmark::kMillisecond);
BENCHMARK(ssim_opencv)->Arg(64)->Arg(1024)->Arg(2048)->Arg(4096)->Unit(benchmark::kMillisecond);
BENCHMARK(ssim_luma_ours)->Arg(1024)->Unit(benchmark::kMillisecond);

}  // namespace

BENCHMARK_MAIN();
