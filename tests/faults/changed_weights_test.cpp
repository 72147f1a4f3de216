#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "harness/spec.h"
#include "harness/sweep.h"
#include "harness/worker.h"
#include "tests/faults/fault.h"
#include "tests/support/assets.h"
#include "tests/support/program.h"

// Row 75, with the plan and the run of one process apart, so that something can happen in between.
namespace upbench::test {
namespace {

constexpr char kTwoModels[] =
    "name: weights\nimages: {procedural: {count: 2, size: 32, seed: 5}, lr: {scale: 2}}\n"
    "pipeline: [{upscale: {model: [nearest, net.safetensors]}}]\nmetrics: [psnr-y]\ntiming: none\n";

TEST(WeightChanges, BetweenPlanAndTrialFailTheirTrialsOnly) {
  const Fault listed = changed_weights_of("WeightChanges.BetweenPlanAndTrialFailTheirTrialsOnly");
  const TemporaryFolder folder;
  const std::string file = (folder / "net.safetensors").string();
  std::string bytes = read_text(UPBENCH_SOURCE_DIR "/models/embedded/compact-x2.safetensors");
  write_text(file, bytes);
  write_text((folder / "spec.yaml").string(), kTwoModels);
  Sweep sweep = prepare_sweep(read_spec(folder / "spec.yaml"), {.device = "cpu", .threads = 1});
  sweep.loaded.clear();  // as if it were too large to be held
  bytes.back() ^= 1;     // the sign or the exponent's lowest bits of one weight
  write_text(file, bytes);

  Store store(folder / "weights.db");
  const WorkerResult result = run_sweep(sweep, store, {.keep_outputs = KeepOutputs::none});
  EXPECT_EQ(result.progress.ok, 2U) << "both pictures by the other model";
  EXPECT_EQ(result.progress.failed > 0 ? 3 : 0, listed.exit_code);  // cli/command.h: exit_incomplete
  store.for_each_trial(sweep.plan.rows.run.key, [&](const TrialResult& trial) {
    const bool sound =
        label_text(sweep.plan.rows.cells[trial.cell].label).find("nearest") != std::string::npos;
    EXPECT_EQ(trial.status, sound ? Status::ok : Status::failed);
    EXPECT_THAT(trial.reason, testing::HasSubstr(sound ? "" : listed.message));
  });
}

}  // namespace
}  // namespace upbench::test
