#include <benchmark/benchmark.h>
#include <fmt/format.h>
#include <sys/resource.h>

#include "harness/plan.h"

// Planning 1,000,000 trials (and 10,000): cells x pictures x seeds, in seconds and peak resident memory of
// the process.
namespace upbench {
namespace {

Spec sweep(int cells, int seeds) {
  std::string models, tiles, all_seeds;
  for (int i = 0; i < cells / 10; ++i) models += fmt::format("{}m{}", i ? ", " : "", i);
  for (int i = 0; i < 9; ++i) tiles += fmt::format(", {}", 32 * (i + 1));
  for (int i = 0; i < seeds; ++i) all_seeds += fmt::format("{}{}", i ? ", " : "", i);
  return parse_spec(
      fmt::format(
          "name: bench\nimages: {{path: p, lr: {{scale: 4}}}}\nmetrics: [psnr-y]\nseeds: [{}]\npipeline:\n"
          "  - upscale: {{model: [{}], tile: [none{}]}}\n",
          all_seeds, models, tiles),
      "bench.yaml", "");
}

PlanInputs pictures(int count, int sizes) {
  PlanInputs inputs;
  for (int i = 0; i < count; ++i) {
    ImageRow image;
    image.name = fmt::format("picture-{}", i);
    image.input = sha256(image.name);
    image.reference = sha256(image.name + "-reference");
    image.input_width = 100 + i % sizes % 200;
    image.input_height = 100 + i % sizes / 200;
    image.reference_width = 4 * image.input_width;
    image.reference_height = 4 * image.input_height;
    inputs.images.push_back(std::move(image));
  }
  inputs.metrics = {{.name = "psnr-y", .unit = "dB", .convention = {}}};
  inputs.model_facts = [](const nlohmann::json& model) {
    return ModelFacts{.label = model,
                      .scale = 4,
                      .tensor_hash = sha256(model.dump()),
                      .architecture = "test",
                      .macs_per_pixel = 1e5};
  };
  return inputs;
}

// Arguments: cells, seeds, different sizes among the pictures.
void make_plan_of(benchmark::State& state, int trials) {
  const int cells = static_cast<int>(state.range(0)), seeds = static_cast<int>(state.range(1));
  const Spec spec = sweep(cells, seeds);
  const PlanInputs inputs = pictures(trials / cells / seeds, static_cast<int>(state.range(2)));
  for (auto _ : state) {
    Plan plan = make_plan(spec, inputs);
    if (plan.rows.trials.size() != static_cast<std::size_t>(trials))
      state.SkipWithError("another number of trials than the plan was to have");
    benchmark::DoNotOptimize(plan);
  }
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  state.counters["peak_rss_MB"] = static_cast<double>(usage.ru_maxrss) / 1024;  // of the process so far
  state.SetItemsProcessed(state.iterations() * trials);
}

void make_plan_of_ten_thousand(benchmark::State& state) {
  make_plan_of(state, 10'000);
}
void make_plan_of_a_million(benchmark::State& state) {
  make_plan_of(state, 1'000'000);
}

BENCHMARK(make_plan_of_ten_thousand)
    ->ArgNames({"cells", "seeds", "sizes"})
    ->Args({100, 10, 5})
    ->Iterations(1)
    ->Unit(benchmark::kMillisecond)
    ->UseRealTime();
BENCHMARK(make_plan_of_a_million)
    ->ArgNames({"cells", "seeds", "sizes"})
    ->Args({100, 1, 1})
    ->Args({100, 1, 10'000})
    ->Args({100, 10, 20})
    ->Args({10'000, 1, 20})
    ->Iterations(1)
    ->Unit(benchmark::kSecond)
    ->UseRealTime();

}  // namespace
}  // namespace upbench

BENCHMARK_MAIN();
