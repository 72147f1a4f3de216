#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "harness/plan/canonical.h"
#include "harness/plan/hires_size.h"
#include "tests/harness/plan_fixture.h"
#include "tests/harness/spec_text.h"

namespace upbench::test {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

HiresSize size_of(PictureSize input, const nlohmann::json& asked, const char* order = "a1111",
                  int factor = 8) {
  nlohmann::json settings = {{"scale", 2.0}, {"resize-x", 0}, {"resize-y", 0}, {"order", order}};
  settings.update(asked);
  return hires_size(settings, input, factor);
}

TEST(HiresSize, TheScaleIsCutToWholePixelsAndThenToWholeLatents) {
  EXPECT_EQ(size_of({512, 768}, {{"scale", 2.0}}).output, (PictureSize{1024, 1536}));
  const HiresSize size = size_of({512, 512}, {{"scale", 1.3}});
  EXPECT_EQ(size.enlarged, (PictureSize{665, 665})) << "int(665.6)";
  EXPECT_EQ(size.output, (PictureSize{664, 664}));
  EXPECT_EQ(size.left, 0);
}

TEST(HiresSize, OneSideAloneTakesTheOtherAlongInWholePixels) {
  EXPECT_EQ(size_of({512, 768}, {{"resize-x", 1000}}).enlarged, (PictureSize{1000, 1500}));
  EXPECT_EQ(size_of({512, 768}, {{"resize-y", 1000}}).enlarged, (PictureSize{666, 1000})) << "666.67";
  EXPECT_EQ(size_of({512, 768}, {{"resize-y", 1000}}).output, (PictureSize{664, 1000}));
}

// 512 x 768 for 1024 x 1024: 1024 x 1536 covers it; 512 pixels, 64 latents, are cut.
TEST(HiresSize, BothSidesAreCoveredAndTheRestIsCutInWholeLatents) {
  const HiresSize tall = size_of({512, 768}, {{"resize-x", 1024}, {"resize-y", 1024}});
  EXPECT_EQ(tall.enlarged, (PictureSize{1024, 1536}));
  EXPECT_EQ(tall.cut_x, 0);
  EXPECT_EQ(tall.cut_y, 64);
  EXPECT_EQ(tall.output, (PictureSize{1024, 1024}));
  // 768 x 512 for 800 x 600: 900 x 600; (900 - 800) / 8 = 12 latents; 900 is coded as 896
  const HiresSize wide = size_of({768, 512}, {{"resize-x", 800}, {"resize-y", 600}});
  EXPECT_EQ(wide.enlarged, (PictureSize{900, 600}));
  EXPECT_EQ(wide.cut_x, 12);
  EXPECT_EQ(wide.output, (PictureSize{896 - 96, 600}));
}

TEST(HiresSize, ComfyRoundsLatentsHalfToEvenAndCutsThePictureInTheMiddle) {
  EXPECT_EQ(size_of({40, 56}, {{"scale", 1.5}}, "comfy").output, (PictureSize{64, 80}))
      << "5 x 1.5 = 7.5 -> 8, 7 x 1.5 = 10.5 -> 10 latents";
  const HiresSize size = size_of({512, 512}, {{"resize-x", 669}, {"resize-y", 664}}, "comfy");
  EXPECT_EQ(size.coded, (PictureSize{664, 664}));
  EXPECT_EQ(size.left, 2) << "of 5";
  EXPECT_EQ(size.top, 0);
}

Spec generation(const std::string& generate, const std::string& hires) {
  return parse("name: t\nmetrics: none\ntiming: none\ngenerate: {checkpoint: a, prompts: [cat], " + generate +
               "}\npipeline:\n  - hires: {" + hires + "}\n");
}

PlanInputs inputs_for() {
  PlanInputs inputs = inputs_of({{.name = "prompt-1", .input = sha256("cat")}});
  inputs.metrics.clear();
  inputs.prompts.push_back({{PromptSource::sidecar, {.text = "cat", .problem = {}}}});
  return inputs;
}

Plan plan_hires(const std::string& generate, const std::string& hires) {
  return make_plan(generation(generate, hires), inputs_for());
}

std::string hires_error(const std::string& generate, const std::string& hires) {
  try {
    return error_of(generation(generate, hires), inputs_for());
  } catch (const SpecError& error) {
    return error.what();
  }
}

nlohmann::json settings_of(const Plan& plan, std::size_t cell = 0) {
  return nlohmann::json::parse(plan.rows.cells.at(cell).settings).at(1).at("settings");
}

constexpr const char* kFirst =
    "sampler: heun, scheduler: karras, steps: 7, guidance: 3, negative: dog, size: 64x64";

TEST(HiresKind, WhatIsNotGivenIsThatOfThePassBefore) {
  const nlohmann::json settings = settings_of(plan_hires(kFirst, "denoise: 0.5"));
  EXPECT_EQ(settings.at("checkpoint"), "a");
  EXPECT_EQ(settings.at("sampler"), "heun");
  EXPECT_EQ(settings.at("scheduler"), "karras");
  EXPECT_EQ(settings.at("guidance"), 3.0);
  EXPECT_EQ(settings.at("negative"), "dog");
  EXPECT_EQ(settings.at("prompt"), "sidecar") << "the item's own";
  EXPECT_EQ(settings.at("steps"), 7);
  EXPECT_EQ(settings.at("levels").at("sigmas").size(), 8u) << "a1111-hires makes exactly the steps asked for";
}

TEST(HiresKind, ItsOwnSettingsReplaceThem) {
  const nlohmann::json settings = settings_of(
      plan_hires(kFirst,
                 "denoise: 0.5, checkpoint: b, sampler: euler, scheduler: uniform, steps: 5, prompt: cow, "
                 "negative: bull, guidance: 2"));
  EXPECT_EQ(settings.at("checkpoint"), "b");
  EXPECT_EQ(settings.at("prompt"), "cow");
  EXPECT_EQ(settings.at("levels").at("sigmas").size(), 6u);
  EXPECT_EQ(settings.at("guidance"), 2.0);
}

TEST(HiresKind, AnotherCheckpointBringsItsOwnAutoencoder) {
  const auto vae = [](const std::string& hires) {
    return settings_of(plan_hires("vae: v", "upscaler: lanczos, " + hires)).at("vae");
  };
  EXPECT_EQ(vae("denoise: 0.5"), "v");
  EXPECT_EQ(vae("denoise: 0.5, checkpoint: b"), nlohmann::json(nullptr));
  EXPECT_EQ(vae("denoise: 0.5, checkpoint: b, vae: w"), "w");
}

TEST(HiresKind, LatentsOfAnotherSpaceAreRefusedWithTheWayRound) {
  EXPECT_THAT(hires_error("", "denoise: 0.5, checkpoint: xl"),
              AllOf(HasSubstr("latents of sd1"), HasSubstr("sdxl"), HasSubstr("a pixel upscaler")));
  EXPECT_EQ(hires_error("", "denoise: 0.5, checkpoint: xl, upscaler: lanczos"), "accepted");
  EXPECT_EQ(hires_error("", "denoise: 0.5, checkpoint: b"), "accepted");
}

TEST(HiresKind, AfterAPictureThereIsNothingToInherit) {
  const auto plan = [](const std::string& hires) {
    return plan_of("  - resize: {scale: 2}\n  - hires: {" + hires + "}\n");
  };
  const nlohmann::json settings = settings_of(plan("checkpoint: a, denoise: 0.5, upscaler: lanczos"));
  EXPECT_EQ(settings.at("sampler"), "euler");
  EXPECT_EQ(settings.at("steps"), 20);
  EXPECT_THAT(error_of(spec_of("  - hires: {denoise: 0.5}\n"), inputs_of({picture("p", 32, 32)})),
              HasSubstr("hires: no checkpoint, and no stage before it has one: expected hires.checkpoint"));
  EXPECT_EQ(settings_of(plan("checkpoint: xl, denoise: 0.5, upscaler: latent")).at("latents-of"),
            nlohmann::json(nullptr))
      << "a picture is encoded by the pass itself, whatever its space";
}

TEST(HiresKind, WhatThePixelsDependOnIsInTheirKeys) {
  for (const char* axis : {"upscaler: [latent, latent-bislerp, lanczos, any_x4, none]",
                           "scale: [1.5, 2, 3, 4, 2.5]", "checkpoint: [a, b, c, d, e]",
                           "upscaler: lanczos, vae: [a, b, c, d, e]", "denoise: [0.1, 0.2, 0.3, 0.4, 0.5]",
                           "prompt: [a, b, c, d, e]", "guidance: [2, 3, 4, 5, 6]", "steps: [0, 1, 2, 3, 4]"})
    EXPECT_EQ(outputs(plan_hires(kFirst, axis)).size(), 5u) << axis;
  EXPECT_EQ(outputs(plan_hires(kFirst, "upscaler: lanczos, order: [a1111, comfy]")).size(), 2u);
  EXPECT_EQ(outputs(plan_hires(kFirst, "upscaler: lanczos, posterior: [mean, sample]")).size(), 2u);
}

TEST(HiresKind, WhatDoesNotMatterIsNotInThem) {
  for (const char* axis : {"steps: [0, 7]", "order: [a1111, comfy]", "posterior: [mean, sample]",
                           "scale: [1.99, 1.9999]", "resize-x: [0, 128]"})
    EXPECT_EQ(outputs(plan_hires(kFirst, axis)).size(), 1u) << axis;
}

TEST(HiresKind, OneFirstPassServesAllSecondPasses) {
  const Plan plan = plan_hires("size: 64x64", "checkpoint: [a, b, c, d, e]");
  EXPECT_EQ(plan.executions, 5u);
  EXPECT_EQ(plan.shared_stages, 4u);
}

TEST(HiresKind, BadSettingsAreRefused) {
  EXPECT_THAT(hires_error("", "denoise: 1.5"), HasSubstr("hires: denoise 1.5"));
  EXPECT_THAT(hires_error("", "scale: 0.5"), HasSubstr("hires.scale"));
  EXPECT_THAT(hires_error("size: 4096x4096", "scale: 5"), HasSubstr("expected sides from 1 to 16384"));
  EXPECT_THAT(hires_error("", "order: forge"), HasSubstr("hires.order"));
}

}  // namespace
}  // namespace upbench::test
