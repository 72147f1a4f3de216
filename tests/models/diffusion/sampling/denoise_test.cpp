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
  EXPECT_THAT(error(DenoiseRule::sigma, 20, 20),
              HasSubstr("expected 0, or more than 0.0291672 up to 14.6146"));
  EXPECT_THAT(error(DenoiseRule::sigma, 0.01, 20), HasSubstr("denoise is 0.01, expected 0, or more than"));
  EXPECT_THAT(error(DenoiseRule::sigma, NAN, 20), HasSubstr("denoise is nan"));
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

struct GoldenRun {
  const char* pipeline;
  Sampler sampler;
  Scheduler scheduler;
};

TEST(Denoise, SigmasAndTimestepsAreThoseThatDiffusersRan) {
  UPBENCH_NEEDS_ASSETS();
  const std::string file = test::assets() / "goldens/diffusion/img2img.safetensors";
  for (const auto& [pipeline, sampler, scheduler] :
       {GoldenRun{"euler", Sampler::euler, Scheduler::uniform},
        GoldenRun{"euler_a", Sampler::euler_ancestral, Scheduler::uniform},
        GoldenRun{"dpmpp_2m_karras", Sampler::dpmpp_2m, Scheduler::karras},
        GoldenRun{"ddim", Sampler::ddim, Scheduler::ddim_uniform}})
    for (const char* strength : {"0.2", "0.35", "0.5", "0.75"}) {
      SCOPED_TRACE(std::string(pipeline) + " " + strength);
      const std::string key = std::string(pipeline) + "/" + strength + "/";
      const DenoiseSteps steps = denoise_steps(DenoiseRule::diffusers, std::stod(strength), 20, scheduler,
                                               kNoise, {.sampler = sampler});
      // Theirs are float32, sigmas made from float32 products of 1,000 alphas.
      EXPECT_THAT(steps.timesteps, Pointwise(DoubleNear(1e-4), read_floats(file, key + "timesteps")));
      EXPECT_EQ(steps.start_noise, steps.sigmas.front());
      EXPECT_EQ(steps.unit_variance, sampler == Sampler::dpmpp_2m || sampler == Sampler::ddim);
      if (sampler == Sampler::ddim) {
        EXPECT_EQ(steps.sigmas.back(), kNoise.least());
      } else {
        EXPECT_THAT(steps.sigmas, Pointwise(DoubleNear(2e-5), read_floats(file, key + "sigmas")));
      }
    }
}

// DPM2: A1111 and ComfyUI ask for one step more and leave out its least level; UniPC only ComfyUI. Of karras
// the list for S + 1 steps without its last but one has S steps, from the greatest sigma.
TEST(Denoise, SomeSamplersLeaveOutTheLastButOneLevel) {
  std::vector<double> dropped = sigma_schedule(Scheduler::karras, 21, kNoise);
  dropped.erase(dropped.end() - 2);
  const std::vector<double> plain = sigma_schedule(Scheduler::karras, 20, kNoise);
  const auto all = [](DenoiseRule rule, Sampler sampler) {
    return denoise_steps(rule, 1, 20, Scheduler::karras, kNoise, {.sampler = sampler}).sigmas;
  };
  EXPECT_EQ(all(DenoiseRule::a1111, Sampler::dpm2), dropped);
  EXPECT_EQ(all(DenoiseRule::a1111_hires, Sampler::dpm2_ancestral), dropped);
  EXPECT_EQ(all(DenoiseRule::a1111, Sampler::dpmpp_3m_sde), dropped);
  EXPECT_EQ(all(DenoiseRule::comfy, Sampler::dpm2), dropped);
  EXPECT_EQ(all(DenoiseRule::comfy, Sampler::unipc), dropped);
  EXPECT_EQ(all(DenoiseRule::a1111, Sampler::unipc), plain);
  EXPECT_EQ(all(DenoiseRule::comfy, Sampler::dpmpp_3m_sde), plain);
  EXPECT_EQ(all(DenoiseRule::sdcpp, Sampler::dpm2), plain);
  EXPECT_EQ(all(DenoiseRule::diffusers, Sampler::dpm2), plain);
  EXPECT_EQ(denoise_steps(DenoiseRule::comfy, 0.5, 20, Scheduler::karras, kNoise, {.sampler = Sampler::dpm2})
                .steps(),
            20);
}

// The network of Stable Diffusion is asked for the timestep between entries by A1111, for the nearest by
// ComfyUI.
TEST(Denoise, AsksForTimestepsAsTheToolDoes) {
  const DenoiseSteps a1111 = denoise_steps(DenoiseRule::a1111, 0.5, 20, Scheduler::karras, kNoise);
  const DenoiseSteps comfy = denoise_steps(DenoiseRule::comfy, 0.5, 20, Scheduler::karras, kNoise);
  ASSERT_EQ(a1111.timesteps.size(), static_cast<std::size_t>(a1111.steps()));
  ASSERT_EQ(comfy.timesteps.size(), static_cast<std::size_t>(comfy.steps()));
  for (std::size_t i = 0; i < a1111.timesteps.size(); ++i)
    EXPECT_EQ(a1111.timesteps[i], kNoise.timestep_at(a1111.sigmas[i]));
  for (std::size_t i = 0; i < comfy.timesteps.size(); ++i)
    EXPECT_EQ(comfy.timesteps[i], std::nearbyint(kNoise.timestep_at(comfy.sigmas[i])));
  const double between = std::sqrt(comfy.sigmas[3] * comfy.sigmas[4]);  // as DPM2 asks
  EXPECT_EQ(asked_timestep(comfy, between, kNoise), std::nearbyint(kNoise.timestep_at(between)));
  EXPECT_EQ(asked_timestep(a1111, between, kNoise), kNoise.timestep_at(between));
  // Levels that a sampler finds again by logarithms are the listed ones.
  const DenoiseSteps diffusers = denoise_steps(DenoiseRule::diffusers, 0.5, 20, Scheduler::karras, kNoise,
                                               {.sampler = Sampler::dpmpp_2m});
  EXPECT_EQ(asked_timestep(diffusers, std::exp(std::log(diffusers.sigmas[2])), kNoise),
            diffusers.timesteps[2]);
}

// ComfyUI adds sqrt(1 + sigma^2) of noise where the picture would not be seen anyway; the others always
// sigma.
TEST(Denoise, StartsWithTheToolsAmountOfNoise) {
  const auto start = [](DenoiseRule rule, double denoise) {
    return denoise_steps(rule, denoise, 20, Scheduler::karras, kNoise).start_noise;
  };
  const double top = kNoise.greatest();
  EXPECT_NEAR(start(DenoiseRule::comfy, 1), std::sqrt(1 + top * top), 1e-9);
  EXPECT_NEAR(start(DenoiseRule::a1111, 1), top, 1e-9);
  for (const DenoiseRule rule : {DenoiseRule::comfy, DenoiseRule::a1111, DenoiseRule::diffusers})
    EXPECT_EQ(start(rule, 0.5), denoise_steps(rule, 0.5, 20, Scheduler::karras, kNoise).start_sigma());
}

TEST(Denoise, DiffusersRefusesMoreStepsThanTimesteps) {
  EXPECT_THROW(denoise_steps(DenoiseRule::diffusers, 0.5, 1500, Scheduler::ddim_uniform, kNoise),
               std::invalid_argument);
  EXPECT_THROW(denoise_steps(DenoiseRule::diffusers, 0.5, 2000, Scheduler::uniform, kNoise,
                             {.sampler = Sampler::dpmpp_2m}),
               std::invalid_argument);
}

void expect_fine(const DenoiseSteps& made) {
  ASSERT_GE(made.steps(), 1);
  ASSERT_EQ(made.timesteps.size(), static_cast<std::size_t>(made.steps()));
  for (std::size_t i = 1; i < made.sigmas.size(); ++i) EXPECT_LT(made.sigmas[i], made.sigmas[i - 1]);
  for (const double timestep : made.timesteps) {
    EXPECT_GE(timestep, 0);
    EXPECT_LE(timestep, kNoise.timesteps() - 1);
  }
  EXPECT_GE(made.sigmas.back(), 0);
  EXPECT_GE(made.start_noise, made.start_sigma());
}

// Every rule and scheduler, with samplers that change levels, for any request that is not refused: descending
// levels that a sampler takes, a timestep inside the table for each.
TEST(Denoise, GivesLevelsThatSamplersTakeForAnyRequest) {
  for (const DenoiseRuleRow& rule : denoise_rules())
    for (const SchedulerRow& scheduler : schedulers())
      for (const Sampler sampler :
           {Sampler::euler, Sampler::dpm2, Sampler::dpmpp_2m, Sampler::ddim, Sampler::lcm})
        for (const int steps : {1, 2, 20})
          for (const double denoise : {0.05, 0.35, 0.999, 1.0}) {
            const bool refused = rule.rule == DenoiseRule::diffusers && denoise * steps < 1;
            if (refused) continue;
            SCOPED_TRACE(rule.name + " " + scheduler.name + " " + describe(sampler).name + " " +
                         std::to_string(steps) + " " + std::to_string(denoise));
            expect_fine(
                denoise_steps(rule.rule, denoise, steps, scheduler.scheduler, kNoise, {.sampler = sampler}));
          }
}

// diffusers: the base runs timesteps from round(T - T share) on, the refiner those below.
TEST(IsRefiners, AsA1111AndDiffusers) {
  for (int tenth = 0; tenth <= 10; ++tenth) {
    const double share = tenth / 10.0;
    const auto cutoff = static_cast<int>(std::round(1000 - 1000 * share));
    for (int t = 0; t < 1000; ++t) EXPECT_EQ(is_refiners(t, share), t < cutoff) << t << ' ' << share;
  }
  EXPECT_TRUE(is_refiners(199.4, 0.8));
  EXPECT_FALSE(is_refiners(199.6, 0.8));
}

}  // namespace
}  // namespace upbench
