#include <cmath>
#include <string>
#include <vector>

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "datasets/image.h"
#include "datasets/resample.h"
#include "harness/plan/kinds.h"
#include "models/diffusion/latent_resize.h"
#include "models/diffusion/model_latents.h"
#include "models/diffusion/prompt_conditioning.h"
#include "models/diffusion/sampling/noise_source.h"
#include "tests/harness/diffusion_stages.h"

namespace upbench::test {
namespace {

using ::testing::HasSubstr;

// The tiny model has 2 pixels to a latent.
constexpr std::int64_t kFactor = 2;
constexpr std::uint64_t kSeed = 7;

class HiresStages : public DiffusionStages {
 protected:
  HiresStages()
      : DiffusionStages(hires_kind(),
                        {{"checkpoint", "tiny"}, {"guidance", 1.0}, {"steps", 3}, {"denoise", 0.6}}) {}

  // After a pass of `model` whose latents are these; undefined: after a picture.
  Frame run(const nlohmann::json& asked, const at::Tensor& picture, const at::Tensor& latents = {}) {
    nlohmann::json settings = defaults_;
    settings.update(asked);
    PassBefore before{.parameters = nlohmann::json::object()};
    if (latents.defined())
      before = {.parameters = {{"checkpoint", "tiny"}, {"lora", nullptr}}, .leaves_latents = true};
    settings = kind_.inherit(settings, before);
    const SettledStage made = kind_.settle(settings, [&](const nlohmann::json& value) -> const ModelFacts& {
      ModelFacts& facts = known_[value.dump()];
      if (value.contains("diffusion")) facts = diffusion_model_facts(value, search());
      return facts;
    });
    EXPECT_EQ(made.refusal, "");
    Frame input{.rgb = picture, .target = {}};
    if (latents.defined())
      input.latents = {.values = latents, .space = latent_space(model()->facts()), .model = model()->hash()};
    const StageContext context{.models = models_,
                               .device = "cpu",
                               .planned = planned_,
                               .seed = kSeed,
                               .input = {},
                               .diffusion = &diffusion_,
                               .stage_input = sha256(std::to_string(picture.sum().item<double>())),
                               .latents = &latents_,
                               .prompts = &prompts_};
    used_ = nlohmann::json::object();
    return make_stage("hires", "hires", made.values)->run(input, context, used_);
  }

  std::shared_ptr<const DiffusionModel> model(const char* name = "tiny") {
    return diffusion_.get({{"diffusion", {{"checkpoint", name}}}}, "cpu", Precision::fp32);
  }

  // Slow, by the description: euler steps written out, noise of the seed at the shape of these latents.
  at::Tensor sampled_by_hand(const at::Tensor& latents, const char* name = "tiny") {
    return sampled_by_hand(
        latents, model(name), [](const UNetInput&) { return std::vector<at::Tensor>(); },
        [](const at::Tensor& noise, const at::Tensor&, double) { return noise; });
  }

  // control: of the network's input; fix: of what it predicts, x (unit variance) and sigma.
  template <class Control, class Fix>
  at::Tensor sampled_by_hand(const at::Tensor& latents, const std::shared_ptr<const DiffusionModel>& network,
                             Control control, Fix fix) {
    const DenoiseSteps steps =
        denoise_steps(DenoiseRule::a1111_hires, 0.6, 3, Scheduler::uniform,
                      NoiseSchedule::scaled_linear(0.00085, 0.012), {.sampler = Sampler::euler});
    const Conditioning nothing = prompt_conditioning(*network, nullptr, {.guided = false});
    at::Tensor x = latents + NoiseSource(NoiseKind::philox, kSeed).draw(latents.sizes()) * steps.sigmas[0];
    for (std::size_t i = 0; i + 1 < steps.sigmas.size(); ++i) {
      const double sigma = steps.sigmas[i];
      UNetInput input;
      input.latents = x / std::sqrt(sigma * sigma + 1);
      input.timesteps = at::full({1}, steps.timesteps[i], at::kFloat);
      input.context = nothing.cond;
      input.control = control(input);
      const at::Tensor noise = fix(network->unet()(input), input.latents, sigma);
      x = x + noise * (steps.sigmas[i + 1] - sigma);
    }
    return x;
  }

  std::unordered_map<std::string, ModelFacts> known_;
};

at::Tensor picture_of(std::int64_t height, std::int64_t width) {
  at::Generator random = at::detail::createCPUGenerator(3);
  return at::rand({3, height, width}, random);
}

// What an 8-bit level keeps of each value, one at a time.
at::Tensor cut_to_levels(const at::Tensor& picture) {
  at::Tensor levels = picture.clamp(0, 1).contiguous().clone();
  float* values = levels.data_ptr<float>();
  for (std::int64_t i = 0; i < levels.numel(); ++i)
    values[i] = static_cast<float>(static_cast<int>(values[i] * 255.0F)) / 255.0F;
  return levels;
}

double largest_difference(const at::Tensor& a, const at::Tensor& b) {
  return (a - b).abs().max().item<double>();
}

// The network of a few layers adds in another order than the loop here.
constexpr double kRounding = 2e-5;

TEST_F(HiresStages, APictureIsTruncatedEnlargedByLanczosEncodedNoisedSampledAndDecoded) {
  const at::Tensor picture = picture_of(12, 16);
  const Frame made = run({{"upscaler", "none"}, {"scale", 2.0}}, picture);
  const Image enlarged = resample(cut_to_levels(picture), 24, 32, "pil-lanczos");
  const at::Tensor latents = encode_picture(*model(), {}, enlarged.unsqueeze(0)).result;
  ASSERT_EQ(latents.sizes(), at::IntArrayRef({1, 4, 12, 16}));
  const at::Tensor expected = decode_latents(*model(), {}, sampled_by_hand(latents)).result.squeeze(0);
  ASSERT_EQ(made.rgb.sizes(), expected.sizes());
  EXPECT_LT(largest_difference(made.rgb, expected), kRounding);
  EXPECT_EQ(used_["evaluations"], 3) << "as many steps as asked for, whatever denoise says";
  EXPECT_EQ(used_["tensor_hash"], model()->hash().hex());
}

TEST_F(HiresStages, RoundingInThePlaceOfTruncationIsAnotherPicture) {
  const at::Tensor picture = picture_of(12, 16);
  const Frame truncated = run({{"upscaler", "none"}, {"scale", 2.0}}, picture);
  const Frame rounded = run({{"upscaler", "none"}, {"scale", 2.0}}, quantized(picture));
  EXPECT_GT(largest_difference(truncated.rgb, rounded.rgb), 10 * kRounding);
}

TEST_F(HiresStages, LatentsOfTheFirstPassAreEnlargedAsTheyAre) {
  at::Generator random = at::detail::createCPUGenerator(5);
  const at::Tensor first = at::randn({1, 4, 6, 8}, random);
  const at::Tensor unrelated = at::zeros({3, 12, 16});  // never looked at
  for (const LatentResizeRow& row : latent_resizes()) {
    const Frame made = run({{"upscaler", row.name}, {"scale", 1.5}}, unrelated, first);
    const at::Tensor expected =
        decode_latents(*model(), {}, sampled_by_hand(resize_latents(first, 9, 12, row.mode)))
            .result.squeeze(0);
    ASSERT_EQ(made.rgb.sizes(), expected.sizes());
    EXPECT_LT(largest_difference(made.rgb, expected), kRounding) << row.name;
    EXPECT_EQ(used_["latents_of"], model()->hash().hex());
  }
}

// In latent mode nothing is encoded, so the second checkpoint gets the first one's latents.
TEST_F(HiresStages, AnotherCheckpointSamplesAndDecodesTheLatentsOfTheFirst) {
  write_ldm_checkpoint(folder_ / "other.safetensors", 2);
  at::Generator random = at::detail::createCPUGenerator(5);
  const at::Tensor first = at::randn({1, 4, 6, 8}, random);
  const Frame made = run({{"upscaler", "latent"}, {"checkpoint", "other"}}, at::zeros({3, 12, 16}), first);
  const at::Tensor enlarged = resize_latents(first, 12, 16, LatentResize::bilinear);
  const at::Tensor expected =
      decode_latents(*model("other"), {}, sampled_by_hand(enlarged, "other")).result.squeeze(0);
  EXPECT_LT(largest_difference(made.rgb, expected), kRounding);
  EXPECT_EQ(used_["tensor_hash"], model("other")->hash().hex());
  EXPECT_EQ(used_["latents_of"], model()->hash().hex());
}

// In pixel mode the autoencoder of the second checkpoint encodes.
TEST_F(HiresStages, AnotherCheckpointEncodesThePictureOfTheFirst) {
  write_ldm_checkpoint(folder_ / "other.safetensors", 2);
  const at::Tensor picture = picture_of(12, 16);
  const Frame made = run({{"upscaler", "none"}, {"checkpoint", "other"}}, picture, at::randn({1, 4, 6, 8}));
  const Image enlarged = resample(cut_to_levels(picture), 24, 32, "pil-lanczos");
  const at::Tensor latents = encode_picture(*model("other"), {}, enlarged.unsqueeze(0)).result;
  const at::Tensor expected =
      decode_latents(*model("other"), {}, sampled_by_hand(latents, "other")).result.squeeze(0);
  EXPECT_LT(largest_difference(made.rgb, expected), kRounding);
}

// 16 x 12 for 20 x 20: 26 x 20 covers it, (26 - 20) / 2 = 3 latents are cut, one at the left and two at the
// right.
TEST_F(HiresStages, WhatCoversTheSizeIsCutInLatents) {
  const at::Tensor picture = picture_of(12, 16);
  const Frame made = run({{"upscaler", "none"}, {"resize-x", 20}, {"resize-y", 20}}, picture);
  const Image enlarged = resample(cut_to_levels(picture), 20, 26, "pil-lanczos");
  const at::Tensor latents =
      encode_picture(*model(), {}, enlarged.unsqueeze(0)).result.slice(3, 1, 26 / kFactor - 2).contiguous();
  const at::Tensor expected = decode_latents(*model(), {}, sampled_by_hand(latents)).result.squeeze(0);
  ASSERT_EQ(made.rgb.sizes(), at::IntArrayRef({3, 20, 20}));
  ASSERT_EQ(made.rgb.sizes(), expected.sizes());
  EXPECT_LT(largest_difference(made.rgb, expected), kRounding);
}

TEST_F(HiresStages, WithoutAStepThePictureOnlyPassesThroughTheAutoencoder) {
  const at::Tensor picture = picture_of(12, 16);
  const Frame made = run({{"upscaler", "none"}, {"as", "comfy"}, {"denoise", 0.0}}, picture);
  const Image enlarged = resample(cut_to_levels(picture), 24, 32, "pil-lanczos");
  const at::Tensor latents = encode_picture(*model(), {}, enlarged.unsqueeze(0)).result;
  EXPECT_TRUE(at::equal(made.rgb, decode_latents(*model(), {}, latents).result.squeeze(0)));
}

TEST_F(HiresStages, StrengthsShareTheEnlargedPictureAndItsLatents) {
  const at::Tensor picture = picture_of(12, 16);
  run({{"upscaler", "none"}, {"denoise", 0.3}}, picture);
  const std::size_t once = latents_.made();
  run({{"upscaler", "none"}, {"denoise", 0.6}}, picture);
  EXPECT_EQ(latents_.made(), once);
}

// It sees the enlarged picture; colours are held over twice the variation, at whole timesteps.
TEST_F(HiresStages, ATileControlNetAndItsPreprocessors) {
  write_safetensors(folder_ / "control.safetensors", tiny_control_net(4));
  const auto steered = diffusion_.get({{"diffusion", {{"checkpoint", "tiny"}, {"control-net", "control"}}}},
                                      "cpu", Precision::fp32);
  const NoiseSchedule& levels = steered->facts().noise;
  const at::Tensor picture = picture_of(12, 16);
  const at::Tensor enlarged = resample(cut_to_levels(picture), 24, 32, "pil-lanczos").unsqueeze(0);
  const at::Tensor latents = encode_picture(*steered, {}, enlarged).result;
  const auto by_hand = [&](const at::Tensor& hint, const std::optional<ColourAnchor>& anchor) {
    const auto control = [&](const UNetInput& input) {
      std::vector<at::Tensor> residuals = steered->control_net()(input, hint);
      for (at::Tensor& residual : residuals) residual = residual * 0.8;
      return residuals;
    };
    const auto fix = [&](const at::Tensor& noise, const at::Tensor& x, double sigma) {
      if (!anchor) return noise;
      const double whole = levels.sigma_at(std::round(levels.timestep_at(sigma)));
      return anchored(noise, x, latents, whole, Prediction::epsilon, Branches::cond, *anchor);
    };
    return decode_latents(*steered, {}, sampled_by_hand(latents, steered, control, fix)).result.squeeze(0);
  };
  const nlohmann::json asked = {{"upscaler", "none"}, {"control-net", "control"}, {"control-weight", 0.8}};
  const auto made = [&](const nlohmann::json& more) {
    nlohmann::json settings = asked;
    settings.update(more);
    return run(settings, picture).rgb;
  };
  EXPECT_LT(largest_difference(made(nlohmann::json::object()), by_hand(enlarged, {})), kRounding);
  EXPECT_LT(largest_difference(made({{"control-rate", 2.0}}), by_hand(resampled_hint(enlarged, 2), {})),
            kRounding);
  EXPECT_LT(largest_difference(made({{"control-preprocessor", "blur-gaussian"}, {"control-blur", 2.0}}),
                               by_hand(blurred_hint(enlarged, 2), {})),
            kRounding);
  EXPECT_LT(largest_difference(made({{"control-preprocessor", "tile-colorfix"}, {"control-variation", 3}}),
                               by_hand(enlarged, ColourAnchor{.latents = {}, .radius = 6, .weight = 0.8})),
            10 * kRounding)
      << "two divisions by small noise";
  EXPECT_GT(largest_difference(by_hand(enlarged, {}),
                               by_hand(enlarged, ColourAnchor{.latents = {}, .radius = 6, .weight = 0.8})),
            100 * kRounding);
}

TEST_F(HiresStages, LatentsOfAnotherSpaceAreRefusedAtRunTimeToo) {
  nlohmann::json settings = defaults_;
  settings["upscaler"] = "latent";
  settings = kind_.inherit(settings, {.parameters = nlohmann::json::object()});
  const SettledStage made = kind_.settle(settings, [&](const nlohmann::json& value) -> const ModelFacts& {
    return known_[value.dump()] = diffusion_model_facts(value, search());
  });
  Frame input{.rgb = at::zeros({3, 12, 16}), .target = {}};
  input.latents = {
      .values = at::zeros({1, 4, 6, 8}), .space = {.scale = 0.13025, .family = "sdxl"}, .model = {}};
  const StageContext context{
      .models = models_, .device = "cpu", .planned = planned_, .diffusion = &diffusion_};
  nlohmann::json used;
  try {
    make_stage("hires", "hires", made.values)->run(input, context, used);
    ADD_FAILURE() << "accepted";
  } catch (const std::runtime_error& error) {
    EXPECT_THAT(error.what(), HasSubstr("latents of sdxl"));
  }
}

}  // namespace
}  // namespace upbench::test
