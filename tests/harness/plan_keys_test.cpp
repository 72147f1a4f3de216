#include "harness/plan.h"

#include <algorithm>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "harness/plan/canonical.h"
#include "tests/harness/plan_fixture.h"

namespace upbench {
namespace {

using test::facts_of;
using test::inputs_of;
using test::outputs;
using test::picture;
using test::plan_of;
using test::spec_of;
using testing::ElementsAre;

TEST(PlanKeys, OutputKeyIsStable) {
  // Changing this value makes every store compute again: raise the version of the stage that changed, and say
  // so in the change log.
  const Plan plan = plan_of("  - upscale: {model: a_x4, tile: 32}\n");
  EXPECT_EQ(plan.rows.trials[0].output.hex(),
            "f91626005a5e9258fe11b9bd84c46fb0292a9361901a09ff0a464cdba5d1fe88");
  EXPECT_THAT(stage_keys(plan.rows.cells[0], plan.rows.images[0], 0),
              ElementsAre(plan.rows.trials[0].output));
}

TEST(PlanKeys, AddingAMetricChangesNoOutputKey) {
  const Spec spec = spec_of("  - upscale: {model: [a_x4, lanczos]}\n");
  PlanInputs inputs = inputs_of({picture("a", 100, 80)});
  const Plan before = make_plan(spec, inputs);
  inputs.metrics.push_back({.name = "ssim-y", .unit = {}, .convention = {}});
  const Plan after = make_plan(spec, inputs);
  EXPECT_EQ(outputs(before), outputs(after));
  EXPECT_NE(before.rows.run.key, after.rows.run.key);
}

TEST(PlanKeys, AddingAPictureChangesNoOtherOutputKey) {
  const Spec spec = spec_of("  - upscale: {model: [a_x4, lanczos]}\n");
  const std::set<Digest> before = outputs(make_plan(spec, inputs_of({picture("a", 100, 80)})));
  const std::set<Digest> after =
      outputs(make_plan(spec, inputs_of({picture("0", 50, 50), picture("a", 100, 80)})));
  EXPECT_EQ(after.size(), before.size() + 2);
  EXPECT_TRUE(std::includes(after.begin(), after.end(), before.begin(), before.end()));
}

TEST(PlanKeys, EverythingThatChangesPixelsChangesTheOutputKey) {
  const auto key = [](const std::string& pipeline, const ImageRow& image = picture("a", 100, 80)) {
    return make_plan(spec_of(pipeline), inputs_of({image})).rows.trials[0].output;
  };
  ImageRow edited = picture("a", 100, 80);
  edited.input = sha256("other bytes");
  const std::set<Digest> keys = {key("  - upscale: {model: a_x4}\n"),
                                 key("  - upscale: {model: a_x4}\n", edited),
                                 key("  - upscale: {model: b_x4}\n"),
                                 key("  - upscale: {model: lanczos}\n"),
                                 key("  - upscale: {model: area}\n"),
                                 key("  - upscale: {model: a_x4, tile: 32}\n"),
                                 key("  - upscale: {model: a_x4, tile: 48}\n"),
                                 key("  - upscale: {model: a_x4, tile: 32, context: 4}\n"),
                                 key("  - upscale: {model: a_x4, tile: 32, mode: uniform}\n"),
                                 key("  - upscale: {model: a_x4, precision: fp16}\n"),
                                 key("  - upscale: {model: {chain: [a_x2, b_x2]}}\n"),
                                 key("  - upscale: {model: {chain: [b_x2, a_x2]}}\n"),
                                 key("  - resize: {scale: 4}\n"),
                                 key("  - resize: {scale: 4, kernel: area}\n")};
  EXPECT_EQ(keys.size(), 14u);
  // Names are labels: a renamed checkpoint, another id, another way to say a size.
  EXPECT_EQ(key("  - upscale: {model: a_x4}\n"), key("  - upscale: {model: copy of a_x4, id: x}\n"));
  EXPECT_EQ(key("  - resize: {scale: 4}\n"), key("  - resize: {size: 400x320}\n"));
}

TEST(PlanKeys, ChangedWeightsAreAnotherRunWithOtherCells) {
  const Spec spec = spec_of("  - upscale: {model: a_x4}\n");
  PlanInputs inputs = inputs_of({picture("a", 100, 80)});
  const Plan before = make_plan(spec, inputs);
  inputs.model_facts = [](const nlohmann::json& model) {
    ModelFacts facts = facts_of(model);
    facts.tensor_hash = sha256("trained further");
    return facts;
  };
  const Plan after = make_plan(spec, inputs);
  EXPECT_NE(before.rows.run.key, after.rows.run.key);
  EXPECT_NE(before.rows.cells[0].key, after.rows.cells[0].key);
  EXPECT_NE(before.rows.trials[0].output, after.rows.trials[0].output);
  EXPECT_EQ(before.rows.cells[0].label, after.rows.cells[0].label);
}

TEST(PlanKeys, TrialKeysDiffer) {
  const Plan plan = plan_of("  - upscale: {model: [a_x4, lanczos], tile: [none, 128]}\n", "seeds: [0, 1]\n");
  std::set<Digest> keys;
  for (const TrialRow& trial : plan.rows.trials) keys.insert(trial.key);
  EXPECT_EQ(keys.size(), plan.rows.trials.size());
}

}  // namespace
}  // namespace upbench
