#include "harness/plan/denoise_translation.h"

#include <cmath>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/harness/plan_fixture.h"

namespace upbench::test {
namespace {

const NoiseSchedule& stable_diffusion() {
  static const NoiseSchedule noise = NoiseSchedule::scaled_linear();
  return noise;
}

std::optional<ToolDenoise> translated(DenoiseRule rule, double sigma, int steps = 20,
                                      Scheduler scheduler = Scheduler::uniform) {
  return translate_denoise(rule, sigma, steps, scheduler, stable_diffusion());
}

// Levels of a plan's only cell.
nlohmann::json levels_of(const std::string& settings) {
  const Plan plan = plan_of("  - upscale: {model: any_x4}\n  - refine: {checkpoint: a, " + settings + "}\n");
  return nlohmann::json::parse(plan.rows.cells.at(0).settings).at(1).at("settings").at("levels");
}

// Reference values of the tools, 20 uniform steps: A1111's img2img starts 0.35 at sigma 1.048 and makes 8
// steps, diffusers 0.40 at the same one with as many; A1111's hires fix and ComfyUI start 0.4 at 1.117.
TEST(DenoiseTranslation, OneSigmaIsAnotherStrengthInEveryTool) {
  const auto a1111 = translated(DenoiseRule::a1111, 1.048),
             diffusers = translated(DenoiseRule::diffusers, 1.048);
  ASSERT_TRUE(a1111 && diffusers);
  EXPECT_DOUBLE_EQ(a1111->denoise, 0.35);
  EXPECT_EQ(a1111->steps, 8);
  EXPECT_DOUBLE_EQ(diffusers->denoise, 0.40);
  EXPECT_EQ(diffusers->steps, 8);
  EXPECT_NEAR(diffusers->start_sigma, 1.048, 5e-4);  // half of the reference's last digit
  for (const DenoiseRule rule : {DenoiseRule::a1111_hires, DenoiseRule::comfy}) {
    const auto found = translated(rule, 1.117);
    ASSERT_TRUE(found);
    EXPECT_DOUBLE_EQ(found->denoise, 0.40);
    EXPECT_EQ(found->steps, 20);
  }
  const auto karras = translated(DenoiseRule::a1111, 0.396, 20, Scheduler::karras);
  ASSERT_TRUE(karras);
  EXPECT_DOUBLE_EQ(karras->denoise, 0.30);
}

TEST(DenoiseTranslation, EveryStrengthOfTheGridIsFoundAgain) {
  for (const DenoiseRuleRow& row : denoise_rules())
    for (const Scheduler scheduler : {Scheduler::uniform, Scheduler::karras, Scheduler::simple})
      for (int i = row.rule == DenoiseRule::diffusers ? 5 : 1; i <= 100; ++i) {
        if (row.rule == DenoiseRule::sigma) continue;
        const double sigma =
            denoise_steps(row.rule, i / 100.0, 20, scheduler, stable_diffusion()).start_sigma();
        const auto found = translated(row.rule, sigma, 20, scheduler);
        ASSERT_TRUE(found) << row.name << " " << i;
        EXPECT_EQ(found->start_sigma, sigma) << row.name << " " << i;
        EXPECT_LE(found->denoise, i / 100.0) << "of equal ones the least";
      }
}

TEST(DenoiseTranslation, NoStrengthIsNearerThanTheOneFound) {
  for (const double sigma : {0.2, 0.61, 1.3, 3.3, 9.0})
    for (const DenoiseRule rule : {DenoiseRule::a1111, DenoiseRule::comfy, DenoiseRule::sdcpp_hires}) {
      const auto found = translated(rule, sigma);
      ASSERT_TRUE(found) << sigma;
      const double away = std::abs(std::log(found->start_sigma / sigma));
      for (int i = 1; i <= 100; ++i) {
        const double other =
            denoise_steps(rule, i / 100.0, 20, Scheduler::uniform, stable_diffusion()).start_sigma();
        EXPECT_LE(away, std::abs(std::log(other / sigma))) << sigma << " " << i;
      }
    }
}

TEST(DenoiseTranslation, WhereNothingIsNearThereIsNone) {
  // 4 steps of diffusers start at timesteps 0, 333, 666, 999: sigmas 0.03, 0.95, 3.6, 14.6.
  EXPECT_FALSE(translated(DenoiseRule::diffusers, 1.8, 4));
  EXPECT_FALSE(translated(DenoiseRule::diffusers, 0.2, 4));
  EXPECT_TRUE(translated(DenoiseRule::comfy, 1.8, 4));
  EXPECT_FALSE(translated(DenoiseRule::a1111, 100)) << "above every level";
}

TEST(DenoiseTranslation, NoStepIsOnlyNoStep) {
  const auto comfy = translated(DenoiseRule::comfy, 0);
  ASSERT_TRUE(comfy);
  EXPECT_EQ(comfy->denoise, 0);
  EXPECT_EQ(comfy->steps, 0);
  EXPECT_FALSE(translated(DenoiseRule::a1111, 0)) << "its denoise 0 makes one step";
  EXPECT_FALSE(translated(DenoiseRule::diffusers, 0));
}

TEST(DenoiseTranslation, OfRuleSigmaTheLevelItselfIsIt) {
  const auto even = translated(DenoiseRule::sigma, 1.048);
  ASSERT_TRUE(even);
  EXPECT_EQ(even->denoise, 1.048);
  EXPECT_NEAR(even->start_sigma, 1.048, 1e-12);  // through a logarithm and back
  EXPECT_EQ(even->steps, 20);
}

TEST(DenoiseTranslation, IsStoredWithTheLevelsOfACell) {
  const nlohmann::json levels = levels_of("denoise: 0.38, as: a1111");
  EXPECT_EQ(levels.at("start_sigma"), levels.at("sigmas").at(0));
  const nlohmann::json& tools = levels.at("translation");
  EXPECT_EQ(tools.size(), denoise_rules().size());
  EXPECT_EQ(tools.at("a1111").at("denoise"), 0.35) << "0.38 starts where 0.35 does";
  EXPECT_EQ(tools.at("diffusers").at("denoise"), 0.40);
  EXPECT_EQ(tools.at("diffusers").at("steps"), 8);
  EXPECT_EQ(tools.at("comfy").at("steps"), 20);
  const nlohmann::json none = levels_of("denoise: 0, as: comfy");
  EXPECT_EQ(none.at("start_sigma"), 0);
  EXPECT_TRUE(none.at("translation").at("a1111").is_null());
}

TEST(DenoiseTranslation, FollowsStepsSchedulerAndSampler) {
  const auto a1111 = [](const std::string& rest) {
    return levels_of("as: sigma, denoise: 1.1, " + rest).at("translation").at("a1111").at("start_sigma");
  };
  EXPECT_NE(a1111("steps: 20"), a1111("steps: 30"));
  EXPECT_NE(a1111("scheduler: uniform"), a1111("scheduler: karras"));
  EXPECT_NE(a1111("sampler: euler"), a1111("sampler: dpm2")) << "for it A1111 drops a level";
}

}  // namespace
}  // namespace upbench::test
