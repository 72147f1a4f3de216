#include <cmath>
#include <fstream>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/harness/plan_fixture.h"
#include "tests/harness/spec_text.h"
#include "tests/support/assets.h"

namespace upbench::test {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

Spec generation(const std::string& settings, const std::string& rest = "") {
  return parse("name: t\nmetrics: none\ntiming: none\ngenerate: {checkpoint: a, " + settings + "}\n" + rest);
}

// Of the spec's prompts, as the sweep looks them up.
PlanInputs inputs_for(const Spec& spec) {
  PlanInputs inputs = inputs_of({});
  inputs.metrics.clear();
  for (const std::string& prompt : spec.images.prompts) {
    inputs.images.push_back(
        {.name = fmt::format("prompt-{}", inputs.images.size() + 1), .input = sha256(prompt)});
    inputs.prompts.push_back({{PromptSource::sidecar, {.text = prompt, .problem = {}}}});
  }
  return inputs;
}

Plan generate(const std::string& settings, const std::string& rest = "") {
  const Spec spec = generation(settings, rest);
  return make_plan(spec, inputs_for(spec));
}

std::string generate_error(const std::string& settings) {
  try {
    const Spec spec = generation(settings);
    return error_of(spec, inputs_for(spec));
  } catch (const SpecError& error) {
    return error.what();
  }
}

nlohmann::json settings_of(const Plan& plan, std::size_t cell = 0) {
  return nlohmann::json::parse(plan.rows.cells.at(cell).settings).at(0).at("settings");
}

TEST(GenerateKind, EachPromptIsAnItemAndTheStageComesFirst) {
  const Spec spec = generation("prompts: [a cat, \"\"]", "pipeline: [upscale: {model: lanczos}]\n");
  EXPECT_THAT(spec.images.prompts, ElementsAre("a cat", ""));
  ASSERT_EQ(spec.pipeline.size(), 2u);
  EXPECT_EQ(spec.pipeline[0].kind, "generate");
  EXPECT_EQ(spec.pipeline[1].kind, "upscale");
  EXPECT_EQ(generation("prompts: [a]", "pipeline: []\n").pipeline.size(), 1u);
  EXPECT_EQ(generation("prompts: [a]").pipeline.size(), 1u);
}

TEST(GenerateKind, PromptsComeFromAFileToo) {
  TemporaryFolder folder;
  std::ofstream(folder / "p.txt") << "\xEF\xBB\xBF"
                                     "a cat\r\n\n  a dog  \n";
  const std::string head = "name: t\nmetrics: none\ngenerate: {checkpoint: a, prompts: ";
  const auto spec = [&](const std::string& file) {
    return parse_spec(head + file + "}\n", "s.yaml", folder.path());
  };
  EXPECT_THAT(spec("p.txt").images.prompts, ElementsAre("a cat", "a dog"));
  std::ofstream(folder / "empty.txt") << "\n\n";
  std::ofstream(folder / "latin.txt") << "caf\xE9";
  for (const auto& [file, reason] : {std::pair{"missing.txt", "missing.txt: cannot be opened"},
                                     {"empty.txt", "has no prompt"},
                                     {"latin.txt", "no UTF-8"},
                                     {"a cat", "expected a list of texts"}}) {
    try {
      spec(file);
      FAIL() << file;
    } catch (const SpecError& error) {
      EXPECT_THAT(error.what(), AllOf(HasSubstr("s.yaml:3:36"), HasSubstr(reason)));
    }
  }
}

// The start of the tools' txt2img: noise times the first sigma, ComfyUI's times sqrt(1 + its square); of
// 20 steps all are made. 14.6146 is the greatest sigma of Stable Diffusion's schedule.
TEST(GenerateKind, StartsFromAllTheNoise) {
  const Plan plan = generate("prompts: [\"\"], as: [a1111, comfy, diffusers, sdcpp]");
  ASSERT_EQ(plan.rows.cells.size(), 4u);
  for (std::size_t cell = 0; cell < 4; ++cell) {
    const nlohmann::json levels = settings_of(plan, cell).at("levels");
    EXPECT_EQ(levels.at("sigmas").size(), 21u);
    EXPECT_NEAR(levels.at("sigmas")[0].get<double>(), 14.6146, 1e-3);
    const double start = levels.at("start_noise"), sigma = levels.at("sigmas")[0];
    EXPECT_DOUBLE_EQ(start, cell == 1 ? std::sqrt(1 + sigma * sigma) : sigma);
  }
}

TEST(GenerateKind, SettingsThatMeanTheSameRunOnce) {
  EXPECT_EQ(outputs(generate("prompts: [a, b], as: [a1111, sdcpp]")).size(), 2u);
  EXPECT_EQ(outputs(generate("prompts: [a, b], as: [a1111, comfy]")).size(), 4u);
  EXPECT_EQ(outputs(generate("prompts: [a, b], guidance: 1, negative: [x, y]")).size(), 2u);
  EXPECT_EQ(outputs(generate("prompts: [a, a]", "")).size(), 1u) << "one prompt under two names";
}

TEST(GenerateKind, WhatThePixelsDependOnIsInTheirKeys) {
  for (const char* axis : {"size: [256x256, 256x512]", "steps: [10, 20]", "sampler: [euler, heun]",
                           "scheduler: [uniform, karras]", "guidance: [2, 7]", "negative: [x, y]",
                           "noise: [philox, torch-cpu]", "vae: [b, c]"})
    EXPECT_EQ(outputs(generate(std::string("prompts: [p], ") + axis)).size(), 2u) << axis;
  EXPECT_EQ(generate("prompts: [p]", "seeds: [1, 2, 3]\n").executions, 3u);
}

TEST(GenerateKind, WorkIsOfTheSizeThatIsMade) {
  // 1000 a pixel and evaluation, 100 for both halves of the autoencoder; 20 steps with guidance
  EXPECT_DOUBLE_EQ(generate("prompts: [p], size: 64x32").estimate.macs, 64.0 * 32 * (40 * 1000 + 50));
}

TEST(GenerateKind, MistakesAreRefusedWithTheirPlace) {
  EXPECT_THAT(generate_error("prompts: []"), AllOf(HasSubstr("s.yaml:4"), HasSubstr("empty list")));
  EXPECT_THAT(generate_error("size: 64x64"), AllOf(HasSubstr("s.yaml:4"), HasSubstr("no prompts")));
  EXPECT_THAT(generate_error("prompts: [a], size: 0x64"),
              AllOf(HasSubstr("s.yaml:4"), HasSubstr("generate.size")));
  EXPECT_THAT(generate_error("prompts: [a], size: 64"), HasSubstr("WIDTHxHEIGHT"));
  EXPECT_THAT(generate_error("prompts: [a], size: 68x64"), HasSubstr("68x64, expected multiples of 8"));
  EXPECT_THAT(generate_error("prompts: [a], size: 65536x64"), HasSubstr("up to 16384"));
  EXPECT_THAT(generate_error("prompts: [a], steps: 0"),
              AllOf(HasSubstr("s.yaml:4"), HasSubstr("generate.steps")));
  EXPECT_THAT(generate_error("prompts: [a], prompt: b"), HasSubstr("prompt"));
  EXPECT_THAT(generate_error("prompts: [a], denoise: 0.5"), HasSubstr("denoise"));
}

TEST(GenerateKind, ItStandsInThePlaceOfImages) {
  EXPECT_THAT(error_of(std::string(kSpecHead) + "generate: {checkpoint: a, prompts: [b]}\n"),
              HasSubstr("generate beside images"));
  EXPECT_THAT(error_of(std::string(kSpecHead) + "pipeline: [generate: {checkpoint: a, prompts: [b]}]\n"),
              HasSubstr("at the top level"));
  EXPECT_THAT(error_of("name: t\nmetrics: none\npipeline: [upscale: {model: lanczos}]\n"),
              HasSubstr("images"));
}

TEST(GenerateKind, AnEmptyPromptNeedsNoVocabulary) {
  const auto error = [](const std::string& prompts) {
    const Spec spec =
        parse("name: t\nmetrics: none\ngenerate: {checkpoint: mute, prompts: " + prompts + "}\n");
    return error_of(spec, inputs_for(spec));
  };
  EXPECT_EQ(error("[\"\"]"), "accepted");
  EXPECT_THAT(error("[\"\", cat]"), HasSubstr("a prompt needs CLIP's vocabulary"));
}

}  // namespace
}  // namespace upbench::test
