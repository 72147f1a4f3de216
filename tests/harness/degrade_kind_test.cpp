#include <map>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "harness/plan.h"
#include "harness/plan/canonical.h"
#include "tests/harness/spec_text.h"

namespace upbench {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

Spec spec_of(const std::string& stages, const std::string& rest = "") {
  return test::parse(test::kSpecHead + ("pipeline: [" + stages + "]\n" + rest));
}

ImageRow picture(const std::string& name, int width = 100, int height = 80) {
  return {.key = {},
          .name = name,
          .input = sha256(name),
          .reference = sha256(name + " reference"),
          .input_width = width,
          .input_height = height,
          .reference_width = width * 4,
          .reference_height = height * 4,
          .notes = {},
          .problem = {}};
}

Plan plan_of(const std::string& stages, const std::string& rest = "",
             const std::vector<std::string>& names = {"a"}) {
  PlanInputs inputs;
  for (const std::string& name : names) inputs.images.push_back(picture(name));
  inputs.metrics = {{.name = "psnr-y", .unit = "dB", .convention = {}}};
  inputs.model_facts = [](const nlohmann::json&) { return ModelFacts{}; };
  inputs.kernels = {"lanczos"};
  inputs.environment.json = "{}";
  return make_plan(spec_of(stages, rest), inputs);
}

// The key of the only trial of a degradation before an upscaler.
Digest key(const std::string& degradation, const std::string& rest = "") {
  const Plan plan = plan_of("{degrade: {" + degradation + "}}, {upscale: {model: nearest}}", rest);
  EXPECT_EQ(plan.rows.trials.size(), 1u);
  return plan.rows.trials[0].output;
}

std::string refusal(const std::string& degradation) {
  try {
    key(degradation);
  } catch (const std::invalid_argument& error) {
    return error.what();
  }
  return "accepted";
}

TEST(DegradeSpec, KeysOfAMapAreParametersAndAxes) {
  const Spec spec = spec_of(
      "{degrade: {blur: {kind: plateau, sigma: [none, 1.2]}, noise: {gaussian: {from: 0, to: 10, step: 5}}, "
      "jpeg: [none, 60], scale: 2}}");
  EXPECT_THAT(test::axis(spec, "degrade.blur.sigma").values, ElementsAre("none", 1.2));
  EXPECT_THAT(test::axis(spec, "degrade.noise.gaussian").labels, ElementsAre("0", "5", "10"));
  EXPECT_THAT(test::axis(spec, "degrade.jpeg").labels, ElementsAre("none", "60"));
  EXPECT_EQ(test::axis(spec, "degrade.blur.kind").values[0], "plateau");
  EXPECT_TRUE(test::axis(spec, "degrade.real-esrgan").values[0].is_null());
}

TEST(DegradeSpec, OverridesAndExclusionsNameAKeyByItsPath) {
  const std::string text = std::string(test::kSpecHead) +
                           "pipeline: [{degrade: {blur: {sigma: 1}, jpeg: [none, 60]}}]\n"
                           "exclude: [{degrade.blur.sigma: {above: 1}, degrade.jpeg: none}]\n";
  const Spec spec = test::parse(text, {"degrade.blur.sigma=[1, 2]", "degrade.noise.gaussian=3"});
  EXPECT_THAT(test::axis(spec, "degrade.blur.sigma").values, ElementsAre(1, 2));
  EXPECT_THAT(test::axis(spec, "degrade.noise.gaussian").values, ElementsAre(3));
  EXPECT_EQ(spec.exclude[0].conditions[0].path, "degrade.blur.sigma");
}

TEST(DegradeSpec, FaultsHaveTheirPlace) {
  const auto error = [](const std::string& degradation) {
    return test::error_of(test::kSpecHead + ("pipeline: [{degrade: {" + degradation + "}}]"));
  };
  EXPECT_THAT(error("jpg: 60"),
              StartsWith("s.yaml:4:23: unknown key of degrade 'jpg' (did you mean 'jpeg'?)"));
  EXPECT_THAT(error("blur: {sgma: 1}"),
              StartsWith("s.yaml:4:30: unknown key of degrade.blur 'sgma' (did you mean 'sigma'?)"));
  EXPECT_EQ(error("blur.sigma: 1"),
            "s.yaml:4:23: degrade has a key 'blur.sigma', expected a map, blur: {sigma: ...}");
  EXPECT_THAT(error("blur: 1"), StartsWith("s.yaml:4:29: degrade.blur is '1', expected a map"));
  EXPECT_THAT(error("blur: {sigma: }"), StartsWith("s.yaml:4:30: degrade.blur.sigma has no value"));
  EXPECT_EQ(error("jpeg: [60, 101]"),
            "s.yaml:4:34: degrade.jpeg is '101', expected a whole number from 1 to 100");
  EXPECT_THAT(error("blur: {sigma: 99}"), HasSubstr("degrade.blur.sigma is '99', expected a number from"));
  EXPECT_THAT(error("scale: none"), StartsWith("s.yaml:4:30: degrade.scale is 'none', expected a number"));
  EXPECT_THAT(error("kernel: lanzcos"), HasSubstr("did you mean 'lanczos'?"));
  EXPECT_THAT(error("blur: {kind: box, sigma: 1}"), HasSubstr("expected one of gaussian"));
  EXPECT_THAT(error("noise: {grey: yes}"), HasSubstr("expected true or false"));
  EXPECT_THAT(error("blur: {from: 1, to: 2, step: 1}"), HasSubstr("unknown key of degrade.blur 'from'"));
}

TEST(DegradePlan, ContradictionsAreExcludedWithTheirReason) {
  EXPECT_THAT(refusal("blur: {kind: plateau}"), HasSubstr("blur needs blur.sigma"));
  EXPECT_THAT(refusal("blur: {kind: sinc, sigma: 1}"), HasSubstr("sinc blur needs blur.cutoff"));
  EXPECT_THAT(refusal("blur: {sigma: 1, size: 20}"), HasSubstr("expected an odd number"));
  EXPECT_THAT(refusal("jpeg: 60, real-esrgan: 0.5"), HasSubstr("real-esrgan is a whole chain"));
  const Plan plan =
      plan_of("{degrade: {jpeg: [none, 60], real-esrgan: [none, 0.5]}}, {upscale: {model: nearest}}");
  EXPECT_EQ(plan.rows.cells.size(), 3u);
  ASSERT_EQ(plan.excluded.size(), 1u);
  EXPECT_THAT(plan.excluded[0].reason, HasSubstr("real-esrgan is a whole chain"));
}

TEST(DegradePlan, WhatDoesNothingHasTheKeyOfThePipelineWithoutIt) {
  const Digest plain = plan_of("{upscale: {model: nearest}}").rows.trials[0].output;
  for (const char* nothing :
       {"", "jpeg: none", "noise: {gaussian: 0}", "scale: 1, kernel: lanczos", "real-esrgan: 0",
        "blur: {kind: plateau, sigma: none, beta: 3}", "noise: {grey: true}"})
    EXPECT_EQ(key(nothing), plain) << nothing;
  EXPECT_NE(key("jpeg: 100"), plain);
}

TEST(DegradePlan, SettingsWithoutEffectChangeNoKey) {
  EXPECT_EQ(key("jpeg: 60"), key("jpeg: 60, webp: none, noise: {gaussian: 0, grey: true}, kernel: lanczos"));
  EXPECT_EQ(key("blur: {sigma: 1}"),
            key("blur: {kind: gaussian, sigma: 1.0, sigma2: 1, angle: 30, beta: 2}"));
  EXPECT_EQ(key("blur: {kind: sinc, cutoff: 0.5}"), key("blur: {kind: sinc, cutoff: 0.5, sigma: none}"));
  EXPECT_EQ(key("scale: 2, real-esrgan: 0.5"), key("scale: 2, real-esrgan: 0.5, kernel: lanczos"));
  std::map<std::string, std::uint64_t> reasons;
  for (const Duplicates& line :
       plan_of("{degrade: {blur: {sigma: [none, 1], size: [9, 11]}}}, {upscale: {model: nearest}}")
           .duplicates)
    reasons[line.reason] = line.trials;
  EXPECT_THAT(reasons, ElementsAre(std::pair("blur.size does not matter without a blur", 1u)));
}

TEST(DegradePlan, EverythingThatChangesPixelsChangesTheKey) {
  const std::vector<std::string> all = {
      "jpeg: 60",
      "jpeg: 61",
      "webp: 60",
      "blur: {sigma: 1}",
      "blur: {sigma: 1, size: 9}",
      "blur: {sigma: 1, sigma2: 2}",
      "blur: {sigma: 1, sigma2: 2, angle: 30}",
      "blur: {kind: plateau, sigma: 1}",
      "blur: {kind: plateau, sigma: 1, beta: 2}",
      "noise: {gaussian: 5}",
      "noise: {gaussian: 5, grey: true}",
      "noise: {poisson: 5}",
      "scale: 2",
      "scale: 2, kernel: lanczos",
      "scale: 2, kernel: random",
      "scale: 2, real-esrgan: 0",
      "scale: 2, real-esrgan: 0.5",
      "id: x, noise: {gaussian: 5}"};  // two stages of a pipeline draw apart
  std::set<Digest> keys;
  for (const std::string& one : all) keys.insert(key(one));
  EXPECT_EQ(keys.size(), all.size());
  EXPECT_EQ(key("jpeg: 60"), key("id: x, jpeg: 60"));  // draws nothing: the id is a label
}

TEST(DegradePlan, OnlyWhatDrawsUsesTheSeed) {
  const auto executions = [](const std::string& degradation) {
    return plan_of("{degrade: {" + degradation + "}}, {upscale: {model: nearest}}", "seeds: [0, 1, 2]\n")
        .executions;
  };
  EXPECT_EQ(executions("jpeg: 60, scale: 2, blur: {sigma: 1}"), 1u);
  EXPECT_EQ(executions("real-esrgan: 0"), 1u);
  EXPECT_EQ(executions("noise: {gaussian: 5}"), 3u);
  EXPECT_EQ(executions("noise: {poisson: 1}"), 3u);
  EXPECT_EQ(executions("scale: 2, kernel: random"), 3u);
  EXPECT_EQ(executions("real-esrgan: [0, 0.5, 1]"), 1u + 3 + 3);
}

TEST(DegradePlan, AddingAPictureOrARungChangesNoOtherKey) {
  const auto keys = [](const std::string& severities, const std::vector<std::string>& names) {
    std::set<Digest> set;
    const Plan plan = plan_of("{degrade: {real-esrgan: " + severities + "}}, {upscale: {model: nearest}}",
                              "seeds: [0, 1]\n", names);
    for (const TrialRow& trial : plan.rows.trials) set.insert(trial.output);
    return set;
  };
  const std::set<Digest> before = keys("[0, 1]", {"a"}), after = keys("[0, 0.5, 1]", {"0", "a"});
  EXPECT_EQ(before.size(), 3u);
  EXPECT_EQ(after.size(), 10u);
  EXPECT_TRUE(std::includes(after.begin(), after.end(), before.begin(), before.end()));
}

TEST(DegradePlan, TheNextStageSeesTheSmallerPicture) {
  const Plan plan = plan_of("{degrade: {scale: 2}}, {upscale: {model: nearest}}");
  const EffectivePipeline pipeline = effective_pipeline(plan.rows.cells[0], plan.rows.images[0]);
  ASSERT_EQ(pipeline.stages.size(), 2u);
  EXPECT_EQ(pipeline.stages[0].output, (PictureSize{50, 40}));
  EXPECT_EQ(pipeline.stages[1].effect["scale"], 8);  // 50 -> 400
}

TEST(DegradePlan, TheRandomNumbersBelongToPictureAndStage) {
  const Digest a = sha256("a"), b = sha256("b");
  const std::set<Digest> contents = {degradation_content(a, "degrade"), degradation_content(a, "degrade-2"),
                                     degradation_content(b, "degrade")};
  EXPECT_EQ(contents.size(), 3u);
}

}  // namespace
}  // namespace upbench
