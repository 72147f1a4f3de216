// LPIPS with AlexNet, argument = picture side.
//   lpips_pair, lpips_kept_reference   a score, the reference's features made or found
//   trunk_twice, trunk_once            the network alone: the floor of either. channels_last is what LPIPS
//                                      uses here
//   metrics_*                          psnr-rgb, ssim-rgb and lpips-alex in one call of the scorer, 8-bit
//                                      rounding included; metrics_vs_python.py sets the Python packages
//                                      beside it
//   OMP_NUM_THREADS=1 taskset -c 1 build/upbench_lpips_bench --benchmark_repetitions=9
//     --benchmark_min_time=0.01 --benchmark_enable_random_interleaving=true
//     --benchmark_report_aggregates_only=true
#include <stdexcept>
#include <string>
#include <vector>

#include <ATen/ATen.h>
#include <benchmark/benchmark.h>
#include <c10/core/GradMode.h>

#include "datasets/allocator.h"
#include "datasets/image.h"
#include "metrics/catalog.h"
#include "tests/bench/counters.h"
#include "tests/bench/lpips_weights.h"

namespace {

using namespace upbench;

Image picture(std::int64_t side, std::uint64_t seed) {
  return quantized(at::rand({3, side, side}, at::make_generator<at::CPUGeneratorImpl>(seed)));
}

// A reference whose features are kept does not go through the network again.
double flop_of(const std::vector<std::string>& names, bool kept, std::int64_t side) {
  double flop = 0;
  for (const std::string& name : names) {
    if (name == "lpips-alex") flop += (kept ? 1 : 2) * alexnet_flop(side);
    if (name == "ssim-rgb") flop += 3 * kSsimFlop * square(side);
    if (name == "psnr-rgb") flop += 3 * kSquaredErrorFlop * square(side);
  }
  return flop;
}

// Pictures of one reference with features kept, or not.
void score(benchmark::State& state, const std::vector<std::string>& names, bool kept) {
  std::vector<MetricRequest> requests;
  std::vector<std::size_t> all;
  for (const std::string& name : names) {
    all.push_back(requests.size());
    requests.push_back(parse_metric(name));
  }
  const Scorer scorer(std::move(requests), 0);
  const Image reference = picture(state.range(0), 1), output = picture(state.range(0), 2);
  const Digest name = kept ? sha256("reference") : Digest{};
  const auto call = [&] { return scorer.score(output, reference, all, name); };
  for (const Scorer::Result& result : call())
    if (result.score.flag != ScoreFlag::ok) return state.SkipWithError(result.score.reason.c_str());
  for (auto _ : state) benchmark::DoNotOptimize(call());
  count_work(state, square(state.range(0)), flop_of(names, kept, state.range(0)));
}

// AlexNet's convolutions as torchvision has them, with random weights.
class Trunk {
 public:
  explicit Trunk(at::MemoryFormat format) : format_(format) {
    const auto generator = at::make_generator<at::CPUGeneratorImpl>(3);
    for (const auto& [out, in, side, stride, padding] : kLayers) {
      weights_.push_back(at::randn({out, in, side, side}, generator).mul(0.05).contiguous(format));
      biases_.push_back(at::zeros({out}));
    }
  }
  void run(const Image& image) const {
    at::Tensor x = image.unsqueeze(0).contiguous(format_);
    for (std::size_t i = 0; i < weights_.size(); ++i) {
      if (i == 1 || i == 2) x = at::max_pool2d(x, 3, 2);
      x = at::conv2d(x, weights_[i], biases_[i], kLayers[i].stride, kLayers[i].padding).relu_();
    }
    benchmark::DoNotOptimize(x);
  }

 private:
  struct Layer {
    int out, in, side, stride, padding;
  };
  static constexpr Layer kLayers[] = {
      {64, 3, 11, 4, 2}, {192, 64, 5, 1, 2}, {384, 192, 3, 1, 1}, {256, 384, 3, 1, 1}, {256, 256, 3, 1, 1}};

  at::MemoryFormat format_;
  std::vector<at::Tensor> weights_, biases_;
};

void trunk(benchmark::State& state, at::MemoryFormat format, int times) {
  const c10::NoGradGuard no_grad;
  const Trunk network(format);
  const Image image = picture(state.range(0), 1);
  network.run(image);
  for (auto _ : state)
    for (int i = 0; i < times; ++i) network.run(image);
  count_work(state, square(state.range(0)), times * alexnet_flop(state.range(0)));
}

void add(const char* name, auto function, auto... arguments) {
  benchmark::RegisterBenchmark(name, function, arguments...)
      ->Arg(256)
      ->Arg(1024)
      ->UseRealTime()
      ->MeasureProcessCPUTime()
      ->Unit(benchmark::kMillisecond);
}

}  // namespace

int main(int argc, char** argv) {
  keep_freed_memory();  // as the program does
  provide_lpips_weights();
  const std::vector<std::string> lpips{"lpips-alex"}, together{"psnr-rgb", "ssim-rgb", "lpips-alex"};
  add("lpips_pair", score, lpips, false);
  add("lpips_kept_reference", score, lpips, true);
  add("trunk_twice/channels_last", trunk, at::MemoryFormat::ChannelsLast, 2);
  add("trunk_once/channels_last", trunk, at::MemoryFormat::ChannelsLast, 1);
  add("trunk_once/nchw", trunk, at::MemoryFormat::Contiguous, 1);
  add("metrics_pair", score, together, false);
  add("metrics_kept_reference", score, together, true);
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
