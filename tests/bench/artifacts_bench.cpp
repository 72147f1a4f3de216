// All artifact detectors beside LPIPS with AlexNet on the same pictures, argument = picture side. The
// detectors are given a reference, an input of half the size and the boundaries of 256 px tiles: everything
// that makes them work.
//   all          every detector, what they share made once
//   lpips_alex   a pair, the reference's features made
//   NAME         one detector alone, with all that it needs
//   OMP_NUM_THREADS=1 taskset -c 1 build/upbench_artifacts_bench --benchmark_repetitions=5
//     --benchmark_enable_random_interleaving=true --benchmark_report_aggregates_only=true
#include <string>
#include <vector>

#include <ATen/ATen.h>
#include <benchmark/benchmark.h>
#include <opencv2/core.hpp>

#include "datasets/allocator.h"
#include "datasets/image.h"
#include "datasets/resample.h"
#include "metrics/artifacts/catalog.h"
#include "metrics/catalog.h"
#include "tests/bench/counters.h"
#include "tests/bench/lpips_weights.h"

namespace {

using namespace upbench;

// Waves of many frequencies, discs and noise: no detector finds nothing to do.
Image picture(std::int64_t side, std::uint64_t seed) {
  const auto generator = at::make_generator<at::CPUGeneratorImpl>(seed);
  const at::Tensor y = at::arange(side, at::kFloat).view({1, side, 1}),
                   x = at::arange(side, at::kFloat).view({1, 1, side});
  at::Tensor made = 0.5 + 0.2 * at::sin(x * 0.05) * at::cos(y * 0.04) + 0.1 * at::sin((x + y) * 0.9);
  made =
      made + 0.2 * ((x.remainder(97) - 48).square() + (y.remainder(83) - 41).square() < 600).to(at::kFloat);
  return quantized(made.expand({3, side, side}) + 0.02 * at::randn({3, side, side}, generator));
}

struct Scene {
  explicit Scene(std::int64_t side)
      : reference(picture(side, 1)),
        output(quantized(reference + 0.02 * (picture(side, 2) - 0.5))),
        input(quantized(
            resample(reference, static_cast<int>(side / 2), static_cast<int>(side / 2), "matlab-bicubic"))) {
    subject = {.output = &output, .reference = &reference, .input = &input};
    for (std::int64_t at = 256; at < side; at += 256)
      for (const bool vertical : {true, false})
        subject.boundaries.push_back({vertical, static_cast<double>(at), 0});
  }
  Scene(const Scene&) = delete;
  Scene& operator=(const Scene&) = delete;

  Image reference, output, input;
  Subject subject;
};

void run(benchmark::State& state, const std::vector<const Detector*>& which) {
  const Scene scene(state.range(0));
  for (auto _ : state) benchmark::DoNotOptimize(detect(scene.subject, which));
  count_work(state, square(state.range(0)));
}

void lpips(benchmark::State& state) {
  const Scene scene(state.range(0));
  const Scorer scorer({parse_metric("lpips-alex")}, 0);
  const auto call = [&] { return scorer.score(scene.output, scene.reference); };
  if (const Score score = call().at(0).score; score.flag != ScoreFlag::ok)
    return state.SkipWithError(score.reason.c_str());
  for (auto _ : state) benchmark::DoNotOptimize(call());
  count_work(state, square(state.range(0)), 2 * alexnet_flop(state.range(0)));
}

void add(const std::string& name, auto function, auto... arguments) {
  benchmark::RegisterBenchmark(name.c_str(), function, arguments...)
      ->Arg(512)
      ->Arg(1024)
      ->UseRealTime()
      ->MeasureProcessCPUTime()
      ->Unit(benchmark::kMillisecond);
}

}  // namespace

int main(int argc, char** argv) {
  keep_freed_memory();  // as the program does
  cv::setNumThreads(1);
  provide_lpips_weights();
  std::vector<const Detector*> all;
  for (const Detector& detector : detectors()) all.push_back(&detector);
  add("all", run, all);
  add("lpips_alex", lpips);
  for (const Detector* detector : all) add(detector->name, run, std::vector<const Detector*>{detector});
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
