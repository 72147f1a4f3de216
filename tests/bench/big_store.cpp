// usage: upbench_big_store FILE [TRIALS]
//
// Makes a finished store of a run that nobody computed: models x tiles x overlaps over 1,000 pictures, three
// metrics, TRIALS trials in all (1,000,000; rounded down to whole cells). For figures of reports on large
// runs:
//   build/upbench_big_store big.db && /usr/bin/time -v build/upbench report big.db --html big.html
#include <cstdio>
#include <cstdlib>
#include <string>

#include <fmt/format.h>

#include "harness/store.h"
#include "tests/harness/store_fixture.h"

namespace upbench::test {
namespace {

constexpr std::uint32_t kPictures = 1000;

RunPlan big_plan(std::uint32_t cells) {
  RunPlan plan;
  plan.environment = {.key = digest_of("{}"), .json = "{}"};
  plan.run = {.key = digest_of("big"),
              .name = "big",
              .spec = "name: big\n",
              .canonical_spec = "{}",
              .exclusions = "[]",
              .command = R"(["upbench", "run", "big.yaml"])",
              .environment = plan.environment.key,
              .started_at = {},
              .finished_at = {}};
  for (std::uint32_t c = 0; c < cells; ++c) {
    const std::string model = fmt::format("model-{}", c / 50),
                      tile = fmt::format("{}", 16 * (1 + c / 5 % 10)),
                      overlap = fmt::format("{}", 4 * (c % 5));
    plan.cells.push_back(
        {.key = digest_of(fmt::format("cell {}", c)),
         .label = {{"upscale.model", model}, {"upscale.tile", tile}, {"upscale.overlap", overlap}},
         .settings = fmt::format(
             R"([{{"id": "upscale", "kind": "upscale", "settings": {{"model": "{}", "tile": {}, "overlap": {}}}}}])",
             model, tile, overlap),
         .group = model});
  }
  for (std::uint32_t i = 0; i < kPictures; ++i)
    plan.images.push_back({.key = digest_of(fmt::format("image {}", i)),
                           .name = fmt::format("picture-{:04}", i),
                           .input = digest_of(fmt::format("input {}", i)),
                           .reference = digest_of(fmt::format("reference {}", i)),
                           .input_width = 64,
                           .input_height = 64,
                           .reference_width = 256,
                           .reference_height = 256,
                           .notes = {},
                           .problem = {}});
  plan.metrics = {{.name = "psnr-y", .unit = "dB", .convention = "BT.601 Y", .border = 4, .decimals = 2},
                  {.name = "ssim-y", .unit = "", .convention = "Gaussian 11x11", .border = 4},
                  {.name = "lpips-alex", .unit = "", .convention = "v0.1", .higher_is_better = false}};
  for (std::uint32_t c = 0; c < cells; ++c)
    for (std::uint32_t i = 0; i < kPictures; ++i) {
      TrialRow trial{.output = digest_of(fmt::format("output {} {}", c, i)), .cell = c, .image = i};
      trial.key = digest_of(fmt::format("trial {} {}", c, i));
      trial.position = static_cast<std::uint32_t>(plan.trials.size());
      plan.trials.push_back(trial);
    }
  return plan;
}

// What workers would have appended, in one statement a table: a score has the level of its cell, the
// difficulty of its picture, and noise.
void finish(const std::string& file, const RunPlan& plan) {
  run_sql(file, "PRAGMA synchronous = OFF");
  run_sql(file, "UPDATE trials SET state = 'done', status = 'ok'");
  run_sql(
      file,
      "INSERT INTO outputs SELECT output, 256, 256, randomblob(32), '{\"stages\": [{\"id\": \"upscale\", "
      "\"architecture\": \"RRDBNet\", \"precision\": \"fp32\"}]}', '', '', 0 FROM trials ORDER BY output");
  for (const MetricRow& metric : plan.metrics)
    run_sql(file,
            fmt::format("INSERT INTO scores SELECT t.output, randomblob(32), '{0}', i.reference, {1}, {2},"
                        " {3} * (30 + 0.002 * (t.cell * 37 % 1009) + 0.005 * (t.image * 91 % 997)"
                        " + random() / 1e19), 'ok', '', 0.001 FROM trials AS t"
                        " JOIN run_images AS r ON r.run = t.run AND r.ordinal = t.image"
                        " JOIN images AS i ON i.key = r.image ORDER BY t.output",
                        metric.name, metric.version, metric.border, metric.unit == "dB" ? 1.0 : 0.02));
  for (const char* stage : {"trial", "upscale"})
    run_sql(file, fmt::format("INSERT INTO timings SELECT output, 'sweep', '{}', 0, 0.01 + 0.001 * cell + "
                              "random() / 1e22 FROM trials ORDER BY output",
                              stage));
  run_sql(file, "PRAGMA wal_checkpoint(TRUNCATE)");
}

int make(const std::string& file, std::uint32_t trials) {
  const RunPlan plan = big_plan(trials / kPictures);
  Store(file).begin_run(plan);
  finish(file, plan);
  Store(file).finish_run(plan.run.key);
  fmt::print("{}: {} trials in {} cells\n", file, plan.trials.size(), plan.cells.size());
  return 0;
}

}  // namespace
}  // namespace upbench::test

int main(int argc, char** argv) {
  const long trials = argc > 2 ? std::strtol(argv[2], nullptr, 10) : 1'000'000;
  if (argc < 2 || argc > 3 || trials < 1000 || trials > 100'000'000) {
    fmt::print(stderr, "usage: upbench_big_store FILE [TRIALS, 1000 or more]\n");
    return 2;
  }
  try {
    return upbench::test::make(argv[1], static_cast<std::uint32_t>(trials));
  } catch (const std::exception& error) {
    fmt::print(stderr, "upbench_big_store: {}\n", error.what());
    return 1;
  }
}
