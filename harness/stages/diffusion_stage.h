#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>
#include <nlohmann/json.hpp>

#include "harness/stages/stage.h"
#include "models/diffusion/prompt_conditioning.h"
#include "models/diffusion/sampling/noise_source.h"

namespace upbench {

// `levels` or `seam-levels` of settled settings.
DenoiseSteps denoise_steps_of(const nlohmann::json& levels);

// What an inpainting model sees beside the latents [1, 1 + C, h, w]: mask [1, 1, h, w], 1 where the picture
// [1, 3, H, W] is redrawn, and the latents of the picture with grey there. As A1111 does it.
at::Tensor masked_channels(const DiffusionModel& model, const CoderTiles& tiles, const at::Tensor& picture,
                           const at::Tensor& mask);

// What stages that run a diffusion model have in common. settings: those of
// harness/plan/diffusion_settings.h.
class DiffusionStage : public Stage {
 public:
  std::vector<std::shared_ptr<const void>> load(const StageContext& context) const override;
  Frame run(const Frame& input, const StageContext& context, nlohmann::json& used) const final;

 protected:
  DiffusionStage(std::string id, const nlohmann::json& settings);

  // The stage itself, with the model that was planned, in the arithmetic of its precision.
  virtual Frame make(const DiffusionModel& model, const Frame& input, const StageContext& context,
                     nlohmann::json& used) const = 0;

  // What a run is told of the prompts: the stage's model, and the refiner where there is one.
  struct Prompts {
    Conditioning own;
    std::optional<Handover> refiner;
  };
  // For pictures of height x width pixels; for an inpainting model a mask over everything too.
  Prompts prompts(const DiffusionModel& model, std::int64_t height, std::int64_t width,
                  const StageContext& context, nlohmann::json& used) const;
  // From latents and the noise of the trial's seed. start: makes of the first noise drawn what the run starts
  // from; by default that itself.
  at::Tensor sampled(const DiffusionModel& model, const at::Tensor& latents, const Prompts& prompts,
                     const LatentRun& run, const StageContext& context, nlohmann::json& used,
                     const std::function<at::Tensor(const at::Tensor& fresh)>& start = {}) const;
  // A picture [1, 3, H, W] in [0, 1] -> latents: the mean, or a draw of the trial's seed.
  Coded encode(const DiffusionModel& model, const at::Tensor& picture, bool samples_posterior,
               const StageContext& context) const;
  // The same for the picture that `source` stands for; cells that differ in what comes later share them.
  at::Tensor encoded(const DiffusionModel& model, const std::function<at::Tensor()>& picture,
                     const Digest& source, bool samples_posterior, const StageContext& context,
                     nlohmann::json& used) const;
  // Latents [1, C, h, w] -> a picture [3, H, W], not clamped.
  at::Tensor decoded(const DiffusionModel& model, const at::Tensor& latents, nlohmann::json& used) const;
  static FrameLatents kept(const DiffusionModel& model, const at::Tensor& latents);

  const std::string& id() const { return id_; }
  const LatentRun& latent_run() const { return run_; }
  const CoderTiles& tiles() const { return tiles_; }

 private:
  std::shared_ptr<const DiffusionModel> model_of(const nlohmann::json& model,
                                                 const StageContext& context) const;
  nlohmann::json describe_model(const DiffusionModel& model) const;
  void require_planned(const nlohmann::json& value, const DiffusionModel& model,
                       const StageContext& context) const;
  Conditioning conditioning(const DiffusionModel& model, std::int64_t height, std::int64_t width,
                            const StageContext& context, nlohmann::json& used) const;
  Digest latents_key(const DiffusionModel& model, const Digest& source, bool samples_posterior,
                     std::uint64_t seed) const;
  const PicturePrompt* picture_prompt(const StageContext& context) const;

  std::string id_;
  nlohmann::json model_;
  nlohmann::json refiner_;  // null: none
  double refiner_at_;
  std::string precision_;
  NoiseKind noise_;
  CoderTiles tiles_;
  LatentRun run_;
  PromptRequest prompt_;
  std::optional<PromptSource> prompt_source_;  // in the place of prompt_.prompt
};

}  // namespace upbench
