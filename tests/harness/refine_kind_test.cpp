#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "harness/plan/canonical.h"
#include "tests/harness/plan_fixture.h"

namespace upbench::test {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

// Of an upscaled picture, so that a plan with a reference is complete.
Plan refine(const std::string& settings, const std::string& rest = "") {
  return plan_of("  - upscale: {model: any_x4}\n  - refine: {checkpoint: a, " + settings + "}\n", rest);
}

std::string refine_error(const std::string& settings) {
  try {
    return error_of(spec_of("  - upscale: {model: any_x4}\n  - refine: {" + settings + "}\n"),
                    inputs_of({picture("p", 32, 32)}));
  } catch (const SpecError& error) {
    return error.what();
  }
}

nlohmann::json levels_of(const Plan& plan, std::size_t cell) {
  return nlohmann::json::parse(plan.rows.cells.at(cell).settings)
      .at(1)
      .at("settings")
      .at("levels")
      .at("sigmas");
}

// 20 uniform steps, denoise 0.4 (reference values of the tools): A1111's img2img makes 9 from sigma 1.246,
// its hires fix and ComfyUI 20 from 1.117, diffusers 8 from 1.048.
TEST(RefineKind, DenoiseMeansWhatTheToolMakesOfIt) {
  const Plan plan = refine("denoise: 0.4, as: [a1111, a1111-hires, comfy, diffusers]");
  ASSERT_EQ(plan.rows.cells.size(), 4u);
  EXPECT_EQ(levels_of(plan, 0).size(), 10u);
  EXPECT_NEAR(levels_of(plan, 0)[0].get<double>(), 1.246, 5e-4);
  EXPECT_EQ(levels_of(plan, 1).size(), 21u);
  EXPECT_NEAR(levels_of(plan, 1)[0].get<double>(), 1.117, 5e-4);
  EXPECT_EQ(levels_of(plan, 3).size(), 9u);
  EXPECT_NEAR(levels_of(plan, 3)[0].get<double>(), 1.048, 5e-4);
}

TEST(RefineKind, StrengthsWithTheSameLevelsRunOnce) {
  // int(0.40 x 20) = int(0.42 x 20) = int(0.44 x 20) = 8; 0.45 gives 9
  const Plan plan = refine("denoise: [0.40, 0.42, 0.44, 0.45]");
  EXPECT_EQ(outputs(plan).size(), 2u * 2) << "of two pictures";
  ASSERT_EQ(duplicates(plan).size(), 1u);
  EXPECT_THAT(duplicates(plan).begin()->first, HasSubstr("the same noise levels from sigma 1.24"));
}

TEST(RefineKind, ToolsThatAgreeRunOnce) {
  EXPECT_EQ(outputs(refine("denoise: 0.3, as: [a1111-hires, sdcpp-hires]")).size(), 2u);
  EXPECT_EQ(outputs(refine("denoise: 0.3, as: [a1111-hires, comfy]")).size(), 2u * 2)
      << "the same levels, but ComfyUI asks the network for whole timesteps";
}

TEST(RefineKind, WhatThePixelsDependOnIsInTheirKeys) {
  const std::size_t pictures = 2;
  for (const char* axis :
       {"denoise: [0.3, 0.5]", "denoise: 0.3, sampler: [euler, heun]", "denoise: 0.3, guidance: [2, 7]",
        "denoise: 0.3, prompt: [cat, dog]", "denoise: 0.3, negative: [cat, dog]",
        "denoise: 0.3, noise: [philox, torch-cpu]", "denoise: 0.3, posterior: [mean, sample]",
        "denoise: 0.3, precision: [fp32, bf16]", "denoise: 0.3, colour-fix: [none, wavelet]",
        "denoise: 0.3, vae-tiles: [none, exact]", "denoise: 0.3, vae: [b, c]",
        "denoise: 0.3, clip-skip: [1, 2]", "denoise: 0.3, eta: [0.5, 1], sampler: euler-a",
        "denoise: 0.3, guidance-rescale: [0, 0.5]",
        "denoise: 0.3, prompt: cat, prompt-dialect: [a1111, comfy]"})
    EXPECT_EQ(outputs(refine(axis)).size(), 2 * pictures) << axis;
}

// Of the fixture's two pictures with these prompts.
Plan refine_prompted(const std::string& settings, const std::vector<PicturePrompts>& prompts) {
  PlanInputs inputs = inputs_of({picture("a", 100, 80), picture("b", 60, 60)});
  inputs.prompts = prompts;
  return make_plan(
      spec_of("  - upscale: {model: any_x4}\n  - refine: {checkpoint: a, denoise: 0.3, " + settings + "}\n"),
      inputs);
}

PicturePrompts sidecar(const std::string& text, const std::string& problem = "") {
  return {{PromptSource::sidecar, {.text = text, .problem = problem}}};
}

std::vector<Digest> keys_of(const Plan& plan) {
  std::vector<Digest> keys;
  for (const TrialRow& trial : plan.rows.trials) keys.push_back(trial.output);
  return keys;
}

TEST(RefineKind, APictureOfAnotherPromptIsAnotherOutput) {
  const std::vector<Digest> before =
      keys_of(refine_prompted("prompt: sidecar", {sidecar("cat"), sidecar("dog")}));
  const std::vector<Digest> after =
      keys_of(refine_prompted("prompt: sidecar", {sidecar("cat"), sidecar("cow")}));
  ASSERT_EQ(before.size(), 2u);
  EXPECT_EQ(before[0], after[0]) << "nothing changed for this one";
  EXPECT_NE(before[1], after[1]);
  EXPECT_NE(refine_prompted("prompt: sidecar", {sidecar("cat"), sidecar("dog")}).rows.run.key,
            refine_prompted("prompt: sidecar", {sidecar("cat"), sidecar("cow")}).rows.run.key)
      << "so that started again it is planned anew";
}

TEST(RefineKind, PromptsOfPicturesCountWhereTheyAreUsed) {
  const auto keys = [](const std::string& settings, const std::string& text) {
    return keys_of(refine_prompted(settings, {sidecar(text), sidecar(text)}));
  };
  EXPECT_EQ(keys("prompt: none", "cat"), keys("prompt: none", "dog"));
  EXPECT_EQ(keys("prompt: none", "cat"), keys_of(refine("denoise: 0.3"))) << "an empty prompt is none";
  const Plan plan = refine_prompted("prompt: sidecar", {sidecar("cat"), sidecar("dog")});
  const auto stages = stage_keys(plan.rows.cells[0], plan.rows.images[0], 0, sidecar("cat"));
  const auto others = stage_keys(plan.rows.cells[0], plan.rows.images[0], 0, sidecar("dog"));
  ASSERT_EQ(stages.size(), 2u);
  EXPECT_EQ(stages[0], others[0]) << "what comes before is shared";
  EXPECT_EQ(stages[1], plan.rows.trials[0].output);
  EXPECT_NE(stages[1], others[1]);
}

TEST(RefineKind, AMissingPromptLosesNothingElse) {
  const Plan plan = refine_prompted("prompt: [sidecar, none]", {sidecar("cat"), sidecar("", "no such file")});
  EXPECT_EQ(plan.rows.trials.size(), 4u);
  EXPECT_EQ(outputs(plan).size(), 4u);
  EXPECT_THAT(plan.missing_prompts, ::testing::ElementsAre(::testing::Pair("b", "no such file")));
  EXPECT_THAT(refine_error("checkpoint: mute, denoise: 0.3, prompt: sidecar"),
              HasSubstr("a prompt needs CLIP's vocabulary"));
}

TEST(RefineKind, WhatDoesNotMatterIsNotInThem) {
  const std::size_t pictures = 2;
  for (const char* axis :
       {"denoise: 0.3, guidance: 1, negative: [cat, dog]",
        "denoise: 0.3, guidance: 1, guidance-rescale: [0, 0.5]", "denoise: 0.3, vae-tile: [256, 512]",
        "denoise: 0.3, vae-tiles: exact, vae-overlap: [32, 64]",
        "denoise: 0, as: comfy, sampler: [euler, heun]", "denoise: 0, as: comfy, prompt: [cat, dog]",
        "denoise: 0, as: comfy, guidance: [2, 7]"})
    EXPECT_EQ(outputs(refine(axis)).size(), pictures) << axis;
}

TEST(RefineKind, SeedsCountWhereNoiseIsDrawn) {
  const auto executions = [](const std::string& settings) {
    return refine(settings, "seeds: [0, 1, 2]\n").executions;
  };
  EXPECT_EQ(executions("denoise: 0.3"), 6u) << "2 pictures x 3 seeds";
  EXPECT_EQ(executions("denoise: 0, as: comfy"), 2u);
  EXPECT_EQ(executions("denoise: 0, as: comfy, posterior: sample"), 6u);
}

TEST(RefineKind, WorkIsCountedByEvaluations) {
  const auto macs = [](const std::string& settings) {
    return refine(settings).estimate.macs - refine("denoise: 0, as: comfy").estimate.macs;
  };
  // 100 x 80 and 60 x 60, enlarged 4 times, 1000 a pixel and evaluation
  const double once = 1000.0 * 16 * (100 * 80 + 60 * 60);
  EXPECT_DOUBLE_EQ(macs("denoise: 0.3, guidance: 1"), 7 * once);
  EXPECT_DOUBLE_EQ(macs("denoise: 0.3, guidance: 7"), 14 * once);
  EXPECT_DOUBLE_EQ(macs("denoise: 0.3, guidance: 1, sampler: heun"), 13 * once) << "the last step asks once";
}

TEST(RefineKind, SidesThatAreNoMultiplesAreExtendedOrRefused) {
  const Plan plan = make_plan(spec_of("  - upscale: {model: any_x4}\n  - refine: {checkpoint: a, denoise: "
                                      "0.3, edges: [mirror, refuse]}\n"),
                              inputs_of({picture("even", 32, 32), picture("odd", 25, 32)}));
  ASSERT_EQ(plan.excluded.size(), 1u);
  EXPECT_THAT(plan.excluded[0].reason, HasSubstr("100 x 128 is no multiple of 8"));
  EXPECT_EQ(outputs(plan).size(), 2u) << "where nothing is extended the setting does not matter";
}

TEST(RefineKind, BadSettingsAreRefusedWithTheWayRound) {
  EXPECT_THAT(refine_error("checkpoint: a, denoise: 1.5"),
              AllOf(HasSubstr("denoise 1.5"), HasSubstr("expected 0 to 1")));
  EXPECT_THAT(refine_error("checkpoint: a, denoise: -0.1"), HasSubstr("refine.denoise is '-0.1'"));
  EXPECT_THAT(refine_error("checkpoint: a, denoise: 0.3, steps: 0"), HasSubstr("refine.steps is '0'"));
  EXPECT_THAT(refine_error("checkpoint: a, denoise: 0.3, sampler: eular"), HasSubstr("euler"));
  EXPECT_THAT(refine_error("checkpoint: a, denoise: 0.02, as: diffusers"), HasSubstr("no step at all"));
  EXPECT_THAT(refine_error("checkpoint: a, denoise: 99, as: sigma"), HasSubstr("99"));
}

TEST(RefineKind, ModelsThatCannotRefineAreLeftOutWithTheReason) {
  EXPECT_THAT(refine_error("denoise: 0.3, checkpoint: half"), HasSubstr("it has no vae"));
  EXPECT_THAT(refine_error("denoise: 0.3, checkpoint: mute, prompt: cat"),
              HasSubstr("a prompt needs CLIP's vocabulary"));
  EXPECT_EQ(refine_error("denoise: 0.3, checkpoint: mute"), "accepted") << "the empty prompt needs none";
}

}  // namespace
}  // namespace upbench::test
