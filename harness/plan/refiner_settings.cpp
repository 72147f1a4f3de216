#include "harness/plan/refiner_settings.h"

#include <fmt/format.h>

#include "harness/plan/diffusion_settings.h"
#include "models/diffusion/sampling/denoise.h"

namespace upbench {
namespace {

constexpr double kUsualShare = 0.8;  // A1111's and diffusers' examples

bool has_any_step(const nlohmann::json& settings) {
  const double share = settings.at("refiner-at");
  for (const char* levels : {"levels", "seam-levels"})
    if (settings.contains(levels) && settings.at(levels).contains("timesteps"))
      for (const double timestep : settings.at(levels).at("timesteps"))
        if (is_refiners(timestep, share)) return true;
  return false;
}

}  // namespace

std::vector<ParameterKind> refiner_parameters() {
  return {
      {.name = "refiner",
       .type = ParameterKind::Type::checkpoint,
       .help = "a diffusion model of the same latents that makes the last steps (SDXL's refiner)",
       .optional = true,
       .may_be_none = true},
      {.name = "refiner-at",
       .type = ParameterKind::Type::number,
       .default_value = kUsualShare,
       .least = 0,
       .most = 1,
       .help = "share of the noise schedule, from its greatest level down, after which it takes over: "
               "A1111's \"switch at\", diffusers' denoising_end"},
  };
}

nlohmann::json refiner_model(const nlohmann::json& settings) {
  if (!settings.contains("refiner") || !is_given(settings.at("refiner"))) return nullptr;
  return {{"diffusion", {{"checkpoint", settings.at("refiner")}}}};
}

void settle_refiner(SettledStage& stage, const StageKind::FindModel& find_model) {
  const nlohmann::json model = refiner_model(stage.values);
  const bool acts = !model.is_null() && has_steps(stage.values) && has_any_step(stage.values);
  if (!acts) {
    set_default(stage, "refiner", nullptr,
                has_steps(stage.values) ? "where no step is left for it" : "where no step is made");
    set_default(stage, "refiner-at", kUsualShare, "without a refiner");
    return;
  }
  const ModelFacts& own = find_model(refine_model(stage.values));
  const ModelFacts& second = find_model(model);
  stage.models.push_back(
      {{"parameter", "refiner"},
       {"scale", 1},
       {"identity", {{"weights", second.tensor_hash.hex()}, {"version", second.version}}}});
  if (!stage.refusal.empty()) return;
  const std::string name = stage.values.at("refiner").get<std::string>();
  if (!second.diffusion)
    stage.refusal = fmt::format("refiner: {} is no diffusion model", name);
  else if (!second.diffusion->refusal.empty())
    stage.refusal = fmt::format("refiner: {}", second.diffusion->refusal);
  else if (const std::string why = latent_mismatch(own.diffusion->latents, second.diffusion->latents);
           !why.empty())
    stage.refusal = fmt::format("refiner {}: {}; a stage of its own does that", name, why);
}

void add_refiner_effect(const nlohmann::json& stage, StageEffect& what) {
  const nlohmann::json* second = model_of_parameter(stage, "refiner");
  if (second == nullptr) return;
  what.settings["refiner"] = second->at("identity");
  what.settings["refiner-at"] = stage.at("settings").at("refiner-at");
}

}  // namespace upbench
