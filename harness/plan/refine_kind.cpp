#include <fmt/format.h>

#include "harness/plan/control_settings.h"
#include "harness/plan/diffusion_settings.h"
#include "harness/plan/kinds.h"
#include "harness/plan/refine_tiles.h"
#include "harness/plan/refiner_settings.h"

// img2img: encode, add noise, sample, decode; of the whole picture or by tiles.
namespace upbench {
namespace {

using Type = ParameterKind::Type;

// With the noise levels of seam passes, where there are any.
SettledStage settle_levels(const nlohmann::json& parameters, const StageKind::FindModel& find_model) {
  nlohmann::json values = parameters;
  std::string refusal;
  const ModelFacts& facts = find_model(refine_model(parameters));
  if (fixes_seams(parameters) && facts.diffusion) {
    require_strength("refine", parameters, "tile.seam-denoise");
    try {
      values["seam-levels"] = noise_levels(parameters, parameters.at("tile.seam-denoise"), *facts.diffusion);
    } catch (const std::invalid_argument& error) {
      refusal = fmt::format("tile.seam-denoise: {}", error.what());
    }
  }
  SettledStage stage = settle_diffusion(values, parameters.at("denoise"), find_model);
  if (stage.refusal.empty()) stage.refusal = refusal;
  return stage;
}

SettledStage settle(const nlohmann::json& parameters, const StageKind::FindModel& find_model) {
  require_strength("refine", parameters);
  SettledStage stage = settle_levels(parameters, find_model);
  settle_tiles(stage, stage.models.at(0).at("factor"));
  settle_control(stage);
  return stage;
}

int extended(int side, int multiple) {
  return (side + multiple - 1) / multiple * multiple;
}

StageKind::Outcome outcome(const nlohmann::json& stage) {
  const nlohmann::json& settings = stage.at("settings");
  const int multiple = stage.at("models").at(0).at("factor");
  return [=, times = evaluations(settings), refuses = settings.at("edges") == "refuse"](PictureSize input,
                                                                                        PictureSize) {
    StageOutcome made;
    made.output = input;
    const PictureSize inside{extended(input.width, multiple), extended(input.height, multiple)};
    if (refuses && inside != input)
      made.refusal = fmt::format("{} x {} is no multiple of {} (edges: mirror would extend it)", input.width,
                                 input.height, multiple);
    made.variant = {inside.width, inside.height};
    if (is_tiled(settings)) {
      made.variant = {inside.width, inside.height, input.width, input.height};
      add_tile_work(settings, multiple, input, inside, made);
      return made;
    }
    made.evaluations = times;
    made.pixels_read = inside.pixels() * times;
    made.pixels_coded = inside.pixels();
    made.largest_piece = inside.pixels();
    return made;
  };
}

StageEffect effect(const nlohmann::json& stage, const StageOutcome& made) {
  const nlohmann::json& settings = stage.at("settings");
  StageEffect what = diffusion_effect(stage);
  for (const char* name : {"posterior", "colour-fix"}) what.settings[name] = settings.at(name);
  if (has_steps(settings)) {
    add_control_effect(settings, what);
    what.notes.push_back({"denoise", fmt::format("the same noise levels from sigma {:.4f}",
                                                 settings.at("levels").at("start_sigma").get<double>())});
  } else {
    what.notes.push_back({"denoise", "no step is made: the picture only passes through the autoencoder"});
  }
  what.settings["edges"] = made.output == PictureSize{made.variant[0], made.variant[1]}
                               ? nlohmann::json(nullptr)
                               : settings.at("edges");
  if (is_tiled(settings)) {
    const PictureSize inside{made.variant[0], made.variant[1]};
    nlohmann::json tiles =
        tile_effect(settings, stage.at("models").at(0).at("factor"), made.output, inside, what.notes);
    if (!tiles.is_null()) what.settings["tile"] = std::move(tiles);
  }
  what.uses_seed = what.uses_seed || settings.at("posterior") == "sample";
  return what;
}

// What becomes of the picture itself.
std::vector<ParameterKind> picture_parameters() {
  return {
      posterior_parameter(),
      {.name = "edges",
       .type = Type::choice,
       .default_value = "mirror",
       .choices = {"mirror", "refuse"},
       .help = "pictures whose sides are no multiples of the autoencoder's factor, 8: extended and cut "
               "again, or refused"},
      {.name = "colour-fix",
       .type = Type::choice,
       .default_value = "none",
       .choices = {"none", "lab-histogram", "adain", "wavelet"},
       .help = "brings colours back to those of the input"},
  };
}

}  // namespace

StageKind refine_kind() {
  StageKind kind;
  kind.name = "refine";
  const auto add = [&](const std::vector<ParameterKind>& group) { append(kind.parameters, group); };
  add(model_parameters());
  add({{.name = "denoise",
        .type = Type::number,
        .least = 0,
        .most = 1000,
        .help = "strength from 0 to 1 in the sense of `as`; with as: sigma the noise level to start from"},
       rule_parameter()});
  add(schedule_parameters());
  add(prompt_parameters(
      {.name = "prompt",
       .type = Type::text,
       .default_value = "",
       .help = "what the picture shows: a text; sidecar: that of NAME.txt beside the picture NAME.png (of a "
               "generated one its own prompt); png-metadata: what A1111 or ComfyUI wrote into its PNG; none: "
               "nothing. These three words alone can be no texts"}));
  add(refiner_parameters());
  add(control_parameters());
  add(tile_parameters());
  add({noise_parameter()});
  add(picture_parameters());
  add(coder_parameters());
  kind.settle = settle;
  kind.outcome = outcome;
  kind.effect = effect;
  return kind;
}

}  // namespace upbench
