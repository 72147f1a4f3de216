#include <cmath>

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "harness/plan/kinds.h"
#include "models/diffusion/prompt_conditioning.h"
#include "models/diffusion/sample_latents.h"
#include "models/diffusion/sampling/noise_source.h"
#include "tests/harness/diffusion_stages.h"
#include "tests/models/diffusion/text/clip_vocabulary.h"

namespace upbench::test {
namespace {

using ::testing::HasSubstr;

class GenerateStages : public DiffusionStages {
 protected:
  GenerateStages()
      : DiffusionStages(generate_kind(), {{"checkpoint", "tiny"},
                                          {"guidance", 1.0},
                                          {"steps", 4},
                                          {"size", "16x12"},
                                          {"prompts", "none"}}) {}

  at::Tensor run(const nlohmann::json& asked, std::uint64_t seed = 0) {
    return run_on(at::zeros({3, 1, 1}), asked, seed, latents_);
  }
};

const nlohmann::json kDefaults = nlohmann::json::object();

// Noise times the first sigma (A1111) or sqrt(1 + sigma^2) (ComfyUI), sampled by hand.
TEST_F(GenerateStages, ThePictureIsNoiseSampledAndDecoded) {
  const auto model = diffusion_.get({{"diffusion", {{"checkpoint", "tiny"}}}}, "cpu", Precision::fp32);
  const NoiseSchedule schedule = NoiseSchedule::scaled_linear(0.00085, 0.012);
  for (const auto& [name, rule] : {std::pair{"a1111", DenoiseRule::a1111}, {"comfy", DenoiseRule::comfy}}) {
    LatentRun by_hand{
        .steps = denoise_steps(rule, 1, 4, Scheduler::uniform, schedule, {.sampler = Sampler::euler}),
        .guidance = 1};
    const double sigma = by_hand.steps.sigmas[0];
    EXPECT_EQ(by_hand.steps.start_noise, rule == DenoiseRule::comfy ? std::sqrt(1 + sigma * sigma) : sigma);
    const std::int64_t factor = model->coder()->factor();
    NoiseSource source(NoiseKind::philox, stream_seed(7));
    at::Tensor noise = source.draw({1, model->coder()->channels(), 12 / factor, 16 / factor});
    Conditioning nothing = prompt_conditioning(*model, nullptr, {.guided = false});
    const at::Tensor latents =
        sample_latents(*model, at::zeros_like(noise), nothing, by_hand, noise, [&] { return noise; }).latents;
    const at::Tensor made = run({{"as", name}}, 7);
    EXPECT_EQ(made.sizes(), at::IntArrayRef({3, 12, 16}));
    EXPECT_TRUE(at::equal(made, decode_latents(*model, {}, latents).result.squeeze(0))) << name;
  }
}

TEST_F(GenerateStages, TheSeedTellsThePicture) {
  const at::Tensor first = run(kDefaults, 1);
  EXPECT_TRUE(at::equal(run(kDefaults, 1), first));
  EXPECT_FALSE(at::equal(run(kDefaults, 2), first));
  EXPECT_EQ(used_["evaluations"], 4);
  EXPECT_EQ(used_["prompt_tokens"], 0);
}

TEST_F(GenerateStages, ThePromptOfTheItemSteersAndWhatIsLostIsSaid) {
  std::filesystem::create_directories(folder_ / "tokenizer");
  write_small_vocabulary(folder_ / "tokenizer");
  const nlohmann::json prompted = {{"prompts", "sidecar"}, {"prompt-dialect", "plain"}};
  const auto with = [&](const std::string& text) {
    prompts_ = {{PromptSource::sidecar, {.text = text, .problem = {}}}};
    return run(prompted);
  };
  const at::Tensor low = with("low"), empty = with("");
  EXPECT_FALSE(at::equal(low, empty));
  EXPECT_TRUE(at::equal(empty, run({{"prompt-dialect", "plain"}})));
  std::string words;
  for (int i = 0; i < 80; ++i) words += "low ";
  with(words);
  EXPECT_EQ(used_["prompt_tokens_lost"], 5) << "75 of 80 fit, which is the dialect's policy";
}

TEST_F(GenerateStages, SizesAreMultiplesOfTheAutoencodersFactor) {
  EXPECT_EQ(settled({{"size", "16x12"}}).refusal, "");
  EXPECT_THAT(settled({{"size", "15x12"}}).refusal,
              HasSubstr("generate.size is 15x12, expected multiples of 2"));
}

}  // namespace
}  // namespace upbench::test
