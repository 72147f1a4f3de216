#pragma once

#include <ATen/core/grad_mode.h>
#include <gtest/gtest.h>

#include "harness/stages/stage.h"
#include "tests/models/diffusion/tiny_diffusion.h"
#include "tests/support/assets.h"

namespace upbench::test {

// Stages of one kind that run the tiny diffusion model "tiny".
class DiffusionStages : public ::testing::Test {
 protected:
  // settings: beside the defaults of the kind's parameters.
  DiffusionStages(StageKind kind, nlohmann::json settings)
      : kind_(std::move(kind)), defaults_(std::move(settings)) {
    for (const ParameterKind& parameter : kind_.parameters)
      if (!defaults_.contains(parameter.name)) defaults_[parameter.name] = parameter.default_value;
  }
  void SetUp() override { write_ldm_checkpoint(folder_ / "tiny.safetensors", 1); }

  // As a plan settles these beside the others.
  SettledStage settled(const nlohmann::json& asked) {
    nlohmann::json settings = defaults_;
    settings.update(asked);
    return kind_.settle(settings, [&](const nlohmann::json& model) -> const ModelFacts& {
      return facts_ = diffusion_model_facts(model, search());
    });
  }
  std::unique_ptr<Stage> stage(const nlohmann::json& asked) {
    const SettledStage made = settled(asked);
    EXPECT_EQ(made.refusal, "");
    return make_stage(kind_.name, kind_.name, made.values);
  }
  ModelSearch search() const { return {.spec_dir = folder_.path(), .model_dirs = {folder_.path()}}; }

  Frame frame_of(const Frame& input, const nlohmann::json& asked, std::uint64_t seed, LatentCache& latents) {
    const StageContext context{.models = models_,
                               .device = "cpu",
                               .planned = planned_,
                               .seed = seed,
                               .input = {},
                               .diffusion = &diffusion_,
                               .stage_input = sha256("picture"),
                               .latents = &latents,
                               .prompts = &prompts_};
    used_ = nlohmann::json::object();
    return stage(asked)->run(input, context, used_);
  }
  at::Tensor run_on(const at::Tensor& picture, const nlohmann::json& asked, std::uint64_t seed,
                    LatentCache& latents) {
    return frame_of({.rgb = picture, .target = {}}, asked, seed, latents).rgb;
  }

  const at::NoGradGuard no_gradients_;
  TemporaryFolder folder_;
  StageKind kind_;
  nlohmann::json defaults_;
  ModelFacts facts_;
  ModelCache models_{ModelSearch{}, 1};
  DiffusionCache diffusion_{search(), 1 << 30};
  LatentCache latents_{1 << 20};
  std::unordered_map<std::string, ModelFacts> planned_;
  PicturePrompts prompts_;
  nlohmann::json used_;
};

}  // namespace upbench::test
