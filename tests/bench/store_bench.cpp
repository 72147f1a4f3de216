#include <benchmark/benchmark.h>

#include "harness/store.h"
#include "tests/harness/store_fixture.h"
#include "tests/support/assets.h"

// What the store alone can take: items are trials. The folder lies where TMPDIR says: the disk is part of the
// figure. 1,000 trials show that it works.
namespace upbench::test {
namespace {

// Claim, three scores, two timings, durable.
void claim_and_append(benchmark::State& state) {
  const auto trials = static_cast<std::uint32_t>(state.range(0));
  const RunPlan plan = example_plan(trials / 100, 100);
  for (auto _ : state) {
    state.PauseTiming();
    const TemporaryFolder folder;
    Store store(folder / "sweep.db");
    store.begin_run(plan);
    state.ResumeTiming();
    for (auto claims = store.claim(plan.run.key, "worker", 16); !claims.empty();
         claims = store.claim(plan.run.key, "worker", 16))
      for (const auto& claim : claims) {
        Record record = example_record(plan, claim);
        record.timings.pop_back();
        record.boundaries.clear();
        store.append(std::move(record));
      }
    store.flush();
  }
  state.SetItemsProcessed(state.iterations() * trials);
}
BENCHMARK(claim_and_append)
    ->Arg(1'000)
    ->Arg(10'000)
    ->Arg(100'000)
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond);

void begin_run(benchmark::State& state) {
  const auto trials = static_cast<std::uint32_t>(state.range(0));
  const RunPlan plan = example_plan(trials / 1000, 1000);
  for (auto _ : state) {
    state.PauseTiming();
    const TemporaryFolder folder;
    Store store(folder / "sweep.db");
    state.ResumeTiming();
    store.begin_run(plan);
  }
  state.SetItemsProcessed(state.iterations() * trials);
}
BENCHMARK(begin_run)->Arg(1'000)->Arg(1'000'000)->UseRealTime()->Unit(benchmark::kMillisecond)->Iterations(1);

void begin_run_again(benchmark::State& state) {
  const auto trials = static_cast<std::uint32_t>(state.range(0));
  const RunPlan plan = example_plan(trials / 1000, 1000);
  const TemporaryFolder folder;
  Store store(folder / "sweep.db");
  store.begin_run(plan);
  for (auto _ : state) store.begin_run(plan);
  state.SetItemsProcessed(state.iterations() * trials);
}
BENCHMARK(begin_run_again)
    ->Arg(1'000)
    ->Arg(1'000'000)
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond)
    ->Iterations(1);

void for_each_trial(benchmark::State& state) {
  const auto trials = static_cast<std::uint32_t>(state.range(0));
  const RunPlan plan = example_plan(trials / 100, 100);
  const TemporaryFolder folder;
  Store store(folder / "sweep.db");
  store.begin_run(plan);
  work(store, plan, trials);
  for (auto _ : state)
    store.for_each_trial(plan.run.key,
                         [](const TrialResult& result) { benchmark::DoNotOptimize(result.scores.data()); });
  state.SetItemsProcessed(state.iterations() * trials);
}
BENCHMARK(for_each_trial)->Arg(1'000)->Arg(20'000)->UseRealTime()->Unit(benchmark::kMillisecond);

void scan_trials(benchmark::State& state) {
  const auto trials = static_cast<std::uint32_t>(state.range(0));
  const RunPlan plan = example_plan(trials / 100, 100);
  const TemporaryFolder folder;
  Store store(folder / "sweep.db");
  store.begin_run(plan);
  work(store, plan, trials);
  for (auto _ : state)
    store.scan_trials(
        plan.run.key, [](std::size_t) {},
        [](std::uint32_t, const TrialResult& result) { benchmark::DoNotOptimize(result.scores.data()); });
  state.SetItemsProcessed(state.iterations() * trials);
}
BENCHMARK(scan_trials)->Arg(1'000)->Arg(20'000)->UseRealTime()->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace upbench::test

BENCHMARK_MAIN();
