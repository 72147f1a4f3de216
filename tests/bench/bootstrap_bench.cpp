#include <vector>

#include <benchmark/benchmark.h>

#include "reports/statistics/bootstrap.h"
#include "reports/statistics/random.h"

namespace upbench {
namespace {

// Arguments: pictures, threads (0: all). One iteration is 10,000 resamples.
void BM_Bootstrap(benchmark::State& state, Average average) {
  Random random(1);
  std::vector<double> differences;
  for (int i = 0; i < state.range(0); ++i) differences.push_back(0.1 + random.normal());
  const BootstrapOptions options{.threads = static_cast<int>(state.range(1))};
  while (state.KeepRunning()) benchmark::DoNotOptimize(bootstrap(differences, average, options));
  state.counters["resamples"] = benchmark::Counter(static_cast<double>(options.resamples),
                                                   benchmark::Counter::kIsIterationInvariantRate);
}
BENCHMARK_CAPTURE(BM_Bootstrap, mean, Average::mean)
    ->ArgsProduct({{100, 1000, 5000}, {1, 0}})
    ->Unit(benchmark::kMillisecond)
    ->UseRealTime();
BENCHMARK_CAPTURE(BM_Bootstrap, median, Average::median)
    ->ArgsProduct({{100, 1000}, {1, 0}})
    ->Unit(benchmark::kMillisecond)
    ->UseRealTime();

}  // namespace
}  // namespace upbench

BENCHMARK_MAIN();
