#include <ATen/ATen.h>

#include "harness/stages/diffusion_stage.h"

namespace upbench {
namespace {

class GenerateStage final : public DiffusionStage {
 public:
  GenerateStage(const std::string& id, const nlohmann::json& settings)
      : DiffusionStage(id, settings), size_(parse_size(settings.at("size").get<std::string>())) {}

 private:
  // The noise stands on empty latents.
  Frame make(const DiffusionModel& model, const Frame& input, const StageContext& context,
             nlohmann::json& used) const override {
    const std::int64_t factor = model.coder()->factor();
    const at::Tensor empty =
        at::zeros({1, model.coder()->channels(), size_.height / factor, size_.width / factor},
                  at::TensorOptions(model.device()));
    const Prompts told = prompts(model, size_.height, size_.width, context, used);
    const at::Tensor latents = sampled(model, empty, told, latent_run(), context, used);
    return {.rgb = decoded(model, latents, used), .target = input.target, .latents = kept(model, latents)};
  }

  PictureSize size_;
};

}  // namespace

std::unique_ptr<Stage> make_generate_stage(const std::string& id, const nlohmann::json& settings) {
  return std::make_unique<GenerateStage>(id, settings);
}

}  // namespace upbench
