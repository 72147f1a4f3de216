#include "models/diffusion/sampling/denoise.h"

#include <cmath>
#include <cstring>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/support/assets.h"

namespace upbench {
namespace {

using testing::DoubleNear;
using testing::HasSubstr;
using testing::Pointwise;

const NoiseSchedule kNoise = NoiseSchedule::scaled_linear();

// Published rounded: half a unit of the last digit.
TEST(NoiseSchedule, IsThatOfStableDiffusion) {
  EXPECT_NEAR(kNoise.least(), 0.029167, 5e-7);
  EXPECT_NEAR(kNoise.greatest(), 14.614641, 5e-7);
  EXPECT_NEAR(kNoise.sigmas()[100], 0.3439, 5e-5);
  EXPECT_NEAR(kNoise.sigmas()[500], 1.6183, 5e-5);
  EXPECT_NEAR(kNoise.sigmas()[900], 8.3466, 5e-5);
}

TEST(NoiseSchedule, TimestepAndSigmaAreInverse) {
  for (const double timestep : {0.0, 0.25, 1.0, 123.456, 998.5, 999.0})
    EXPECT_NEAR(kNoise.timestep_at(kNoise.sigma_at(timestep)), timestep, 1e-9);  // double logarithms
  EXPECT_EQ(kNoise.timestep_at(0), 0);
  EXPECT_EQ(kNoise.timestep_at(100), 999);
  EXPECT_NEAR(kNoise.sigma_at(5000), kNoise.greatest(), 1e-12);
}

TEST(NoiseSchedule, RefusesBetasOutOfRange) {
  EXPECT_THROW(NoiseSchedule::scaled_linear(0, 0.01), std::invalid_argument);
  EXPECT_THROW(NoiseSchedule::scaled_linear(0.02, 0.01), std::invalid_argument);
  EXPECT_THROW(NoiseSchedule::scaled_linear(0.001, 1), std::invalid_argument);
  EXPECT_THROW(NoiseSchedule::scaled_linear(0.001, 0.01, 1), std::invalid_argument);
}

TEST(SigmaSchedule, DescendsFromTheGreatestSigmaToZero) {
  for (const SchedulerRow& row : schedulers())
    for (const int steps : {2, 3, 20, 37, 1000}) {
      SCOPED_TRACE(row.name + " " + std::to_string(steps));
      const std::vector<double> sigmas = sigma_schedule(row.scheduler, steps, kNoise);
      for (std::size_t i = 1; i < sigmas.size(); ++i) EXPECT_LT(sigmas[i], sigmas[i - 1]);
      if (row.scheduler == Scheduler::kl_optimal_forge)
        EXPECT_NEAR(sigmas.back(), kNoise.least(), 1e-12);
      else
        EXPECT_EQ(sigmas.back(), 0);
      if (row.scheduler == Scheduler::ddim_uniform) continue;  // steps as many as the stride gives
      EXPECT_EQ(sigmas.size(), static_cast<std::size_t>(steps) + 1);
      EXPECT_NEAR(sigmas.front(), kNoise.greatest(), 1e-9);
    }
}

// Evenly spaced in sigma^(1/7): of three values the middle one is the seventh power of the mean of the roots.
TEST(SigmaSchedule, KarrasOfThreeStepsIsKnown) {
  const double low = std::pow(kNoise.least(), 1 / 7.0), high = std::pow(kNoise.greatest(), 1 / 7.0);
  EXPECT_THAT(
      sigma_schedule(Scheduler::karras, 3, kNoise),
      Pointwise(DoubleNear(1e-12), {kNoise.greatest(), std::pow((low + high) / 2, 7), kNoise.least(), 0.0}));
}

TEST(SigmaSchedule, ExponentialHasEqualRatios) {
  const std::vector<double> sigmas = sigma_schedule(Scheduler::exponential, 5, kNoise);
  for (int i = 1; i < 4; ++i) EXPECT_NEAR(sigmas[i] / sigmas[i - 1], sigmas[i + 1] / sigmas[i], 1e-12);
}

// T / n = 50: entries 999, 949, ... of the table; DDIM's are 951, 901, ..., 1.
TEST(SigmaSchedule, SimpleAndDdimUniformStepThroughTheTable) {
  const auto& table = kNoise.sigmas();
  const std::vector<double> simple = sigma_schedule(Scheduler::simple, 20, kNoise);
  EXPECT_EQ(simple[0], table[999]);
  EXPECT_EQ(simple[1], table[949]);
  EXPECT_EQ(simple[19], table[49]);
  const std::vector<double> ddim = sigma_schedule(Scheduler::ddim_uniform, 20, kNoise);
  EXPECT_EQ(ddim[0], table[951]);
  EXPECT_EQ(ddim[19], table[1]);
  EXPECT_EQ(ddim.size(), 21u);
  EXPECT_EQ(sigma_schedule(Scheduler::ddim_uniform, 30, kNoise).size(), 32u);  // stride 33: 1, 34, ..., 991
}

TEST(SigmaSchedule, RefusesNoStepsAndUnknownNames) {
  EXPECT_THROW(sigma_schedule(Scheduler::karras, 0, kNoise), std::invalid_argument);
  EXPECT_THAT([] { parse_scheduler("karas"); }, testing::ThrowsMessage<std::invalid_argument>(
                                                    HasSubstr("'karas', expected one of uniform, karras")));
  for (const SchedulerRow& row : schedulers()) EXPECT_EQ(parse_scheduler(row.name), row.scheduler);
}

// Start sigmas and executed steps of Stable Diffusion 1.5 at 20 steps, computed from the tools' own rules and
// rounded to three digits after the point.
struct Row {
  Scheduler scheduler;
  double denoise;
  int steps[4];      // a1111, a1111-hires and comfy, sdcpp-hires, diffusers
  double starts[4];  // the same
};

const Row kTable[] = {
    {Scheduler::uniform, .2, {5, 20, 21, 4}, {.596, .552, .576, .474}},
    {Scheduler::uniform, .3, {7, 20, 20, 6}, {.878, .810, .810, .730}},
    {Scheduler::uniform, .35, {8, 20, 20, 7}, {1.048, .951, .951, .878}},
    {Scheduler::uniform, .4, {9, 20, 21, 8}, {1.246, 1.117, 1.194, 1.048}},
    {Scheduler::uniform, .5, {11, 20, 21, 10}, {1.765, 1.548, 1.686, 1.481}},
    {Scheduler::uniform, .6, {13, 20, 20, 12}, {2.557, 2.229, 2.229, 2.116}},
    {Scheduler::uniform, .75, {16, 20, 20, 15}, {4.856, 4.265, 4.265, 3.865}},
    {Scheduler::karras, .2, {5, 20, 21, 4}, {.184, .159, .172, .121}},
    {Scheduler::karras, .3, {7, 20, 20, 6}, {.396, .336, .336, .273}},
    {Scheduler::karras, .4, {9, 20, 21, 8}, {.791, .640, .729, .565}},
    {Scheduler::karras, .5, {11, 20, 21, 10}, {1.483, 1.182, 1.373, 1.091}},
    {Scheduler::karras, .6, {13, 20, 20, 12}, {2.641, 2.158, 2.158, 1.991}},
    {Scheduler::exponential, .4, {9, 20, 21, 8}, {.400, .325, .369, .288}},
    {Scheduler::simple, .4, {9, 20, 21, 8}, {1.367, 1.161, 1.239, 1.161}},
    {Scheduler::sgm_uniform, .4, {9, 20, 21, 8}, {1.370, 1.163, 1.242, 1.163}},
};

TEST(Denoise, StartsWhereTheToolsStart) {
  for (const Row& row : kTable) {
    SCOPED_TRACE(std::string(to_string(row.scheduler)) + " " + std::to_string(row.denoise));
    const auto check = [&](DenoiseRule rule, int column) {
      const DenoiseSteps steps = denoise_steps(rule, row.denoise, 20, row.scheduler, kNoise);
      EXPECT_EQ(steps.steps(), row.steps[column]) << denoise_rules()[static_cast<std::size_t>(rule)].name;
      EXPECT_NEAR(steps.start_sigma(), row.starts[column], 5.1e-4)
          << column;  // half a unit of the last digit
    };
    check(DenoiseRule::a1111, 0);
    check(DenoiseRule::a1111_hires, 1);
    check(DenoiseRule::comfy, 1);
    check(DenoiseRule::sdcpp_hires, 2);
    check(DenoiseRule::diffusers, 3);
  }
}

// DDIM, leading, offset 1: 151, 101, 51, 1; then the table's first level, as set_alpha_to_one is off.
TEST(Denoise, DdimOfDiffusersStartsAtItsTimestep) {
  const DenoiseSteps steps = denoise_steps(DenoiseRule::diffusers, 0.2, 20, Scheduler::ddim_uniform, kNoise);
  const auto& table = kNoise.sigmas();
  EXPECT_THAT(steps.sigmas,
              Pointwise(DoubleNear(1e-12), {table[151], table[101], table[51], table[1], table[0]}));
  EXPECT_NEAR(steps.start_sigma(), .458, 5e-4);
}

TEST(Denoise, AllOfItStartsAtTheGreatestSigma) {
  for (const DenoiseRule rule : {DenoiseRule::a1111, DenoiseRule::a1111_hires, DenoiseRule::comfy,
                                 DenoiseRule::diffusers, DenoiseRule::sdcpp, DenoiseRule::sdcpp_hires}) {
    const DenoiseSteps steps = denoise_steps(rule, 1, 20, Scheduler::karras, kNoise);
    EXPECT_EQ(steps.steps(), 20);
    EXPECT_NEAR(steps.start_sigma(), kNoise.greatest(), 1e-9);
  }
}

TEST(Denoise, NoneOfItLeavesThePictureOrTakesOneSmallStep) {
  EXPECT_EQ(denoise_steps(DenoiseRule::comfy, 0, 20, Scheduler::karras, kNoise).steps(), 0);
  EXPECT_EQ(denoise_steps(DenoiseRule::a1111_hires, 0, 20, Scheduler::karras, kNoise).steps(), 0);
  EXPECT_THAT(denoise_steps(DenoiseRule::a1111, 0, 20, Scheduler::karras, kNoise).sigmas,
              Pointwise(DoubleNear(1e-9), {kNoise.least(), 0.0}));
}

TEST(Denoise, ASigmaIsWhereItStarts) {
  for (const Scheduler scheduler : {Scheduler::uniform, Scheduler::karras, Scheduler::exponential,
                                    Scheduler::sgm_uniform, Scheduler::kl_optimal}) {
    const DenoiseSteps steps = denoise_steps(DenoiseRule::sigma, 0.8, 12, scheduler, kNoise);
    EXPECT_NEAR(steps.start_sigma(), 0.8, 1e-9);
    EXPECT_EQ(steps.steps(), 12);
  }
}

TEST(Denoise, DifferentStrengthsMayBeTheSameSteps) {
  const auto steps = [](double denoise) {
    return denoise_steps(DenoiseRule::diffusers, denoise, 20, Scheduler::uniform, kNoise).sigmas;
  };
  EXPECT_EQ(steps(0.36), steps(0.39));
  EXPECT_NE(steps(0.36), steps(0.41));
}

TEST(Denoise, RefusesWhatIsOutOfRange) {
  const auto error = [](DenoiseRule rule, double denoise, int steps,
                        Scheduler scheduler = Scheduler::karras) {
    try {
      denoise_steps(rule, denoise, steps, scheduler, kNoise);
    } catch (const std::invalid_argument& refused) {
      return std::string(refused.what());
    }
    return std::string("accepted");
  };
  EXPECT_THAT(error(DenoiseRule::a1111, -0.1, 20), HasSubstr("denoise is -0.1, expected 0 .. 1"));
  EXPECT_THAT(error(DenoiseRule::a1111, 1.1, 20), HasSubstr("expected 0 .. 1"));
  EXPECT_THAT(error(DenoiseRule::a1111, NAN, 20), HasSubstr("denoise is nan"));
  EXPECT_THAT(error(DenoiseRule::sigma, 20, 20), HasSubstr("expected 0 .. 14.6146"));
  EXPECT_THAT(error(DenoiseRule::comfy, 0.5, 0), HasSubstr("steps is 0, expected 1 .. 10000"));
  EXPECT_THAT(error(DenoiseRule::comfy, 1e-9, 20), HasSubstr("expected 0 or at least 0.0001"));
  EXPECT_THAT(error(DenoiseRule::diffusers, 0.04, 20), HasSubstr("expected denoise x steps >= 1"));
  EXPECT_THAT([] { parse_denoise_rule("forge"); },
              testing::ThrowsMessage<std::invalid_argument>(HasSubstr("'forge', expected one of a1111")));
}

// One tensor of float32 of a safetensors file.
std::vector<double> read_floats(const std::string& file, const std::string& name) {
  std::ifstream in(file, std::ios::binary);
  std::uint64_t length = 0;
  in.read(reinterpret_cast<char*>(&length), sizeof length);
  std::string text(length, ' ');
  in.read(text.data(), static_cast<std::streamsize>(length));
  const auto offsets = nlohmann::json::parse(text).at(name).at("data_offsets");
  const std::size_t begin = offsets[0], end = offsets[1];
  std::vector<float> values((end - begin) / sizeof(float));
  in.seekg(static_cast<std::streamoff>(sizeof length + length + begin));
  in.read(reinterpret_cast<char*>(values.data()), static_cast<std::streamsize>(end - begin));
  return {values.begin(), values.end()};
}

TEST(Denoise, SigmasAreThoseThatDiffusersRan) {
  UPBENCH_NEEDS_ASSETS();
  const std::string file = test::assets() / "goldens/diffusion/img2img.safetensors";
  for (const auto& [pipeline, scheduler] :
       {std::pair("euler", Scheduler::uniform), std::pair("dpmpp_2m_karras", Scheduler::karras)})
    for (const char* strength : {"0.2", "0.35", "0.5", "0.75"}) {
      const DenoiseSteps steps =
          denoise_steps(DenoiseRule::diffusers, std::stod(strength), 20, scheduler, kNoise);
      // Theirs are float32, made from float32 products of 1,000 alphas.
      EXPECT_THAT(steps.sigmas, Pointwise(DoubleNear(2e-5), read_floats(file, std::string(pipeline) + "/" +
                                                                                  strength + "/sigmas")))
          << pipeline << " " << strength;
    }
}

}  // namespace
}  // namespace upbench
