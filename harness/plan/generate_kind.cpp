#include <algorithm>

#include <fmt/format.h>

#include "harness/plan/diffusion_settings.h"
#include "harness/plan/kinds.h"
#include "harness/plan/refiner_settings.h"

// txt2img: noise, sample, decode.
namespace upbench {
namespace {

constexpr int kMostSide = 16384;  // pixels

std::string size_refusal(PictureSize size, int multiple) {
  if (size.width % multiple == 0 && size.height % multiple == 0 &&
      std::max(size.width, size.height) <= kMostSide)
    return {};
  return fmt::format("generate.size is {}x{}, expected multiples of {} up to {}", size.width, size.height,
                     multiple, kMostSide);
}

// All of the noise: strength 1 of the tools' img2img, whose start is that of their txt2img.
SettledStage settle(const nlohmann::json& parameters, const StageKind::FindModel& find_model) {
  nlohmann::json values = parameters;
  values["prompt"] = parameters.at("prompts");  // where it is found: harness/spec/generate.h
  SettledStage stage = settle_diffusion(values, 1.0, find_model);
  const PictureSize size = parse_size(parameters.at("size").get_ref<const std::string&>());
  if (stage.refusal.empty()) stage.refusal = size_refusal(size, stage.models.at(0).at("factor"));
  return stage;
}

StageKind::Outcome outcome(const nlohmann::json& stage) {
  const nlohmann::json& settings = stage.at("settings");
  StageOutcome made;
  made.output = parse_size(settings.at("size").get_ref<const std::string&>());
  made.evaluations = evaluations(settings);
  made.pixels_read = made.output.pixels() * made.evaluations;
  made.pixels_coded = made.output.pixels() / 2;  // it is decoded alone, which is about half of both
  made.largest_piece = made.output.pixels();
  return [=](PictureSize, PictureSize) { return made; };
}

StageEffect effect(const nlohmann::json& stage, const StageOutcome& made) {
  StageEffect what = diffusion_effect(stage);
  what.settings["size"] = {made.output.width, made.output.height};
  return what;
}

}  // namespace

StageKind generate_kind() {
  StageKind kind;
  kind.name = "generate";
  kind.makes_pictures = true;
  kind.leaves_latents = true;
  const auto add = [&](const std::vector<ParameterKind>& group) { append(kind.parameters, group); };
  add(model_parameters());
  ParameterKind rule = rule_parameter();
  rule.choices = {"a1111", "comfy", "diffusers", "sdcpp"};
  rule.help =
      "the tool whose noise levels these are; the start is noise times the first of them, with comfy "
      "times sqrt(1 + its square)";
  add({{.name = "size",
        .type = ParameterKind::Type::size,
        .default_value = "512x512",
        .help = "of the pictures"},
       rule});
  add(schedule_parameters());
  add(prompt_parameters({.name = "prompts",
                         .type = ParameterKind::Type::text,
                         .help = "what the pictures show: a list of texts, or a file named .txt with one a "
                                 "line; each is an item of its own"}));
  add(refiner_parameters());
  add({noise_parameter()});
  add(coder_parameters());
  kind.settle = settle;
  kind.outcome = outcome;
  kind.effect = effect;
  return kind;
}

}  // namespace upbench
