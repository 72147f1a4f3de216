#include <algorithm>
#include <stdexcept>

#include <fmt/format.h>

#include "harness/plan/control_settings.h"
#include "harness/plan/diffusion_settings.h"
#include "harness/plan/hires_size.h"
#include "harness/plan/kinds.h"
#include "harness/plan/refiner_settings.h"
#include "models/diffusion/sampling/latent_resize_rows.h"

// The second pass of hires fix: enlarge, encode, add noise, sample, decode.
namespace upbench {
namespace {

using Type = ParameterKind::Type;

constexpr int kMostSide = 16384;        // pixels
constexpr int kStepsAfterPicture = 20;  // with steps 0 and no pass before
constexpr const char* kLatentsOf = "latents-of";

bool enlarges_latents(const nlohmann::json& settings) {
  const nlohmann::json& upscaler = settings.at("upscaler");
  return upscaler.is_string() && is_latent_resize(upscaler.get_ref<const std::string&>());
}

// What the pass has from the one before where it says nothing itself.
std::vector<ParameterKind> inherited_parameters() {
  std::vector<ParameterKind> list;
  for (const ParameterKind& one : schedule_parameters())
    if (one.name != "steps") list.push_back(one);
  append(list, prompt_parameters({.name = "prompt",
                                  .type = Type::text,
                                  .default_value = "",
                                  .help = "what the picture shows, as refine takes it"}));
  append(list, {noise_parameter()});
  append(list, coder_parameters());
  return list;
}

// Parameters that were not given from the pass before; without one, as refine has them.
nlohmann::json inherit(nlohmann::json parameters, const PassBefore& before) {
  const nlohmann::json& there = before.parameters;
  const auto value = [&](const std::string& name) -> nlohmann::json {
    const std::string other = name == "prompt" && there.contains("prompts") ? "prompts" : name;
    return there.contains(other) ? there.at(other) : nlohmann::json(nullptr);
  };
  const bool own_checkpoint = !parameters.at("checkpoint").is_null();
  if (!own_checkpoint) {
    parameters["checkpoint"] = value("checkpoint");
    if (parameters.at("vae").is_null()) parameters["vae"] = value("vae");
  }
  if (parameters.at("checkpoint").is_null())
    throw std::invalid_argument(
        "hires: no checkpoint, and no stage before it has one: expected hires.checkpoint");
  for (const ParameterKind& one : inherited_parameters()) {
    nlohmann::json& own = parameters[one.name];
    if (own.is_null()) own = value(one.name);
    if (own.is_null()) own = one.default_value;
  }
  if (parameters.at("steps") == 0)
    parameters["steps"] = there.contains("steps") ? there.at("steps") : nlohmann::json(kStepsAfterPicture);
  parameters[kLatentsOf] = before.leaves_latents ? refine_model(there) : nlohmann::json(nullptr);
  return parameters;
}

void settle_latents(SettledStage& stage, const StageKind::FindModel& find_model) {
  const nlohmann::json of = stage.values.at(kLatentsOf);
  if (of.is_null()) return;
  set_default(stage, "posterior", "mean", "where latents are enlarged as they are");
  const ModelFacts& own = find_model(refine_model(stage.values));
  const ModelFacts& first = find_model(of);
  if (!own.diffusion || !first.diffusion || !stage.refusal.empty()) return;
  if (const std::string why = latent_mismatch(first.diffusion->latents, own.diffusion->latents); !why.empty())
    stage.refusal = fmt::format("hires.upscaler {}: {}; a pixel upscaler, such as lanczos, does that",
                                stage.values.at("upscaler").get<std::string>(), why);
}

void settle_upscaler(SettledStage& stage, const StageKind::FindModel& find_model) {
  stage.values[kLatentsOf] = nullptr;
  if (stage.values.at("upscaler") == "none") return;
  const nlohmann::json& model = stage.values.at("upscaler");
  const ModelFacts& facts = find_model(model);
  const ModelFacts& own = find_model(refine_model(stage.values));
  const double ratio = own.macs_per_pixel > 0 ? facts.macs_per_pixel / own.macs_per_pixel : 0;
  stage.models.push_back({{"parameter", "upscaler"},
                          {"scale", facts.scale},
                          {"work", ratio},  // by input pixel, in units of a step's
                          {"identity", model_identity(model, find_model)}});
}

SettledStage settle(const nlohmann::json& parameters, const StageKind::FindModel& find_model) {
  require_strength("hires", parameters);
  SettledStage stage = settle_diffusion(parameters, parameters.at("denoise"), find_model);
  if (enlarges_latents(parameters))
    settle_latents(stage, find_model);
  else
    settle_upscaler(stage, find_model);
  settle_control(stage);
  return stage;
}

std::string size_refusal(const HiresSize& size) {
  const int least = std::min(size.output.width, size.output.height);
  const int most = std::max(size.enlarged.width, size.enlarged.height);
  if (least >= 1 && most <= kMostSide) return {};
  return fmt::format("hires would make {} x {} from {} x {}, expected sides from 1 to {}", size.output.width,
                     size.output.height, size.enlarged.width, size.enlarged.height, kMostSide);
}

StageKind::Outcome outcome(const nlohmann::json& stage) {
  const nlohmann::json& settings = stage.at("settings");
  const int factor = stage.at("models").at(0).at("factor");
  const nlohmann::json* upscaler = model_of_parameter(stage, "upscaler");
  const double upscaler_work = upscaler != nullptr ? upscaler->at("work").get<double>() : 0;
  return [=, times = evaluations(settings), encodes = settings.at(kLatentsOf).is_null()](PictureSize input,
                                                                                         PictureSize) {
    const HiresSize size = hires_size(settings, input, factor);
    StageOutcome made;
    made.refusal = size_refusal(size);
    made.output = size.output;
    made.variant = {size.enlarged.width, size.enlarged.height, size.cut_x, size.cut_y};
    made.pixels_read = size.output.pixels() * times + input.pixels() * upscaler_work;
    made.pixels_coded = (size.output.pixels() + (encodes ? size.coded.pixels() : 0)) / 2;
    made.largest_piece = size.coded.pixels();
    made.pixels_resampled = size.enlarged.pixels();
    return made;
  };
}

StageEffect effect(const nlohmann::json& stage, const StageOutcome& made) {
  const nlohmann::json& settings = stage.at("settings");
  StageEffect what = diffusion_effect(stage);
  const bool encodes = settings.at(kLatentsOf).is_null();
  what.settings["enlarged"] = {made.variant[0], made.variant[1]};
  what.settings["cut"] = {made.variant[2], made.variant[3]};
  what.settings["output"] = {made.output.width, made.output.height};
  const nlohmann::json* upscaler = model_of_parameter(stage, "upscaler");
  what.settings["upscaler"] = upscaler != nullptr ? upscaler->at("identity") : settings.at("upscaler");
  if (!enlarges_latents(settings) || encodes) what.settings["order"] = settings.at("order");
  if (encodes) {
    what.settings["posterior"] = settings.at("posterior");
    what.uses_seed = what.uses_seed || settings.at("posterior") == "sample";
  }
  if (has_steps(settings)) add_control_effect(settings, what);
  for (const char* name : {"scale", "resize-x", "resize-y"})
    what.notes.push_back({name, fmt::format("this {} leads to the same size", name)});
  what.notes.push_back({"denoise", "the same noise levels"});
  return what;
}

std::vector<ParameterKind> size_parameters() {
  return {
      {.name = "upscaler",
       .type = Type::model,
       .default_value = "latent",
       .help = "an upscaler, none (Lanczos alone), or latents enlarged as they are: latent, "
               "latent-antialiased, latent-bicubic, latent-bicubic-antialiased, latent-nearest, "
               "latent-nearest-exact, latent-bislerp",
       .may_be_none = true},
      {.name = "scale",
       .type = Type::number,
       .default_value = 2.0,
       .least = 1,
       .most = 16,
       .help = "of both sides, where resize-x and resize-y are 0"},
      {.name = "resize-x",
       .type = Type::integer,
       .default_value = 0,
       .least = 0,
       .most = kMostSide,
       .help = "wanted width; 0: follows from the other"},
      {.name = "resize-y",
       .type = Type::integer,
       .default_value = 0,
       .least = 0,
       .most = kMostSide,
       .help = "wanted height"},
      {.name = "order",
       .type = Type::choice,
       .default_value = "a1111",
       .choices = {"a1111", "comfy"},
       .help = "whose sizes, rounding to 8 bits and way to a size that the upscaler does not reach"},
  };
}

}  // namespace

StageKind hires_kind() {
  StageKind kind;
  kind.name = "hires";
  kind.leaves_latents = true;
  std::vector<ParameterKind> models = model_parameters();
  models[0].optional = true;
  models[0].help = "another diffusion model for this pass; by default that of the pass before";
  append(kind.parameters, models);
  append(kind.parameters, size_parameters());
  ParameterKind rule = rule_parameter();
  rule.default_value = "a1111-hires";
  append(kind.parameters, {{.name = "denoise",
                            .type = Type::number,
                            .default_value = 0.75,
                            .least = 0,
                            .most = 1000,
                            .help = "strength from 0 to 1 in the sense of `as`"},
                           rule,
                           {.name = "steps",
                            .type = Type::integer,
                            .default_value = 0,
                            .least = 0,
                            .most = 1000,
                            .help = "0: as many as the pass before was asked for, 20 after a picture"}});
  for (ParameterKind& one : inherited_parameters()) {
    one.default_value = nullptr;
    one.optional = true;
    one.help += "; by default as in the pass before";
    kind.parameters.push_back(std::move(one));
  }
  append(kind.parameters, refiner_parameters());
  append(kind.parameters, control_parameters());
  append(kind.parameters, {posterior_parameter()});
  kind.inherit = inherit;
  kind.settle = settle;
  kind.outcome = outcome;
  kind.effect = effect;
  return kind;
}

}  // namespace upbench
