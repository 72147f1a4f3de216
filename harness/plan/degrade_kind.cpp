#include <algorithm>
#include <array>
#include <map>
#include <stdexcept>

#include <fmt/format.h>

#include "datasets/degrade.h"
#include "harness/plan/kinds.h"

namespace upbench {

namespace {

// What turns a step on, and with `none` off again in a list of values.
constexpr std::array<std::string_view, 5> kSwitches = {"blur.sigma", "blur.cutoff", "jpeg", "webp",
                                                       "real-esrgan"};

constexpr std::string_view kBlur = "blur.";

bool given(const nlohmann::json& settings, const char* name) {
  const auto value = settings.find(name);
  return value != settings.end() && !value->is_null() && *value != "none";
}

bool is_sinc(const nlohmann::json& settings) {
  return settings.value("blur.kind", nlohmann::json()) == "sinc";
}

// What the blur of these settings cannot be without.
const char* blur_switch(const nlohmann::json& settings) {
  return is_sinc(settings) ? "blur.cutoff" : "blur.sigma";
}

// Why a parameter that the settings name changes nothing.
std::string no_matter(const std::string& name, const nlohmann::json& asked, const DegradeSettings& made) {
  if (name == "kernel")
    return made.real_esrgan ? "kernel does not matter with real-esrgan, which draws its own"
                            : "kernel does not matter without scale";
  if (asked.is_number() && !name.starts_with(kBlur))
    return fmt::format("{} {} does nothing", name, asked.get<double>());
  if (!name.starts_with(kBlur)) return fmt::format("{} does not matter without noise", name);
  if (!made.blur) return fmt::format("{} does not matter without a blur", name);
  if (name == "blur.angle" && made.blur->kind != BlurKind::sinc)
    return "blur.angle does not matter where both sigmas are equal";
  return fmt::format("{} does not matter to this {} blur", name, to_string(made.blur->kind));
}

SettledStage settle(const nlohmann::json& parameters, const StageKind::FindModel&) {
  SettledStage stage{.values = parameters, .models = nlohmann::json::array(), .notes = {}, .refusal = {}};
  DegradeSettings made;
  std::map<std::string, std::string> effective;
  try {
    made = degradation_of(parameters);
    for (auto& [key, text] : canonical_degradation(made)) effective.emplace(std::move(key), std::move(text));
  } catch (const std::invalid_argument& error) {
    stage.refusal = error.what();
    return stage;
  }
  if (does_nothing(made)) effective.clear();
  for (auto& [name, value] : stage.values.items()) {
    if (value.is_null() || effective.contains(name)) continue;
    if (value != "none") stage.notes.push_back({name, no_matter(name, value, made)});
    value = nullptr;
  }
  return stage;
}

// For the estimate: blur, noise or a format takes about as long as resampling this many times the pixels, and
// the chain of Real-ESRGAN as long as four of them (on 1024 x 1024 pixels, to within a factor of two).
constexpr double kStepCost = 8;

int dear_steps(const DegradeSettings& settings) {
  if (settings.real_esrgan) return *settings.real_esrgan > 0 ? 4 : 0;
  const bool gaussian = settings.noise && settings.noise->gaussian > 0,
             poisson = settings.noise && settings.noise->poisson > 0;
  return settings.blur.has_value() + gaussian + poisson + settings.jpeg.has_value() +
         settings.webp.has_value();
}

StageKind::Outcome outcome(const nlohmann::json& stage) {
  return [settings = degradation_of(stage.at("settings"))](PictureSize input, PictureSize) {
    const DegradedSize size = degraded_size(settings, input.height, input.width);
    StageOutcome made;
    made.output = {size.width, size.height};
    if (!does_nothing(settings))
      made.pixels_resampled = kStepCost * dear_steps(settings) * input.pixels() + made.output.pixels();
    return made;
  };
}

bool draws(const DegradeSettings& settings) {
  return settings.real_esrgan || settings.noise || (settings.scale != 1 && settings.kernel == "random");
}

StageEffect effect(const nlohmann::json& stage, const StageOutcome&) {
  const DegradeSettings settings = degradation_of(stage.at("settings"));
  StageEffect made;
  if (does_nothing(settings)) return made;
  for (const auto& [key, text] : canonical_degradation(settings)) made.settings[key] = text;
  made.uses_seed = draws(settings);
  if (made.uses_seed) made.settings["id"] = stage.at("id");  // see degradation_content()
  return made;
}

ParameterKind parameter(const DegradationKey& key) {
  using Type = ParameterKind::Type;
  ParameterKind made{.name = key.name,
                     .type = key.whole ? Type::integer : Type::number,
                     .least = key.least,
                     .most = key.most,
                     .choices = key.words,
                     .help = key.description,
                     .optional = true,
                     .may_be_none = std::ranges::find(kSwitches, key.name) != kSwitches.end()};
  if (!key.words.empty())
    made.type = key.words == std::vector<std::string>{"false", "true"} ? Type::boolean : Type::choice;
  return made;
}

}  // namespace

DegradeSettings degradation_of(const nlohmann::json& settings) {
  const char* const needed = blur_switch(settings);
  const bool blurs = settings.value(needed, nlohmann::json()) != "none";
  DegradeText text;
  for (const auto& [name, value] : settings.items()) {
    if (!given(settings, name.c_str())) continue;
    if (name.starts_with(kBlur) && !blurs) continue;
    if (name == "kernel" && given(settings, "real-esrgan")) continue;
    text.emplace_back(name, value.is_string() ? value.get<std::string>() : value.dump());
  }
  DegradeSettings made = parse_degradation(text);
  if (made.noise && made.noise->gaussian == 0 && made.noise->poisson == 0) made.noise.reset();
  return made;
}

bool does_nothing(const DegradeSettings& settings) {
  if (settings.real_esrgan) return settings.scale == 1 && *settings.real_esrgan == 0;
  return canonical_degradation(settings).empty();
}

Digest degradation_content(const Digest& input, const std::string& stage_id) {
  return Hasher().add_field("degrade").add_field(input).add_field(stage_id).finish();
}

StageKind degrade_kind() {
  StageKind kind;
  kind.name = "degrade";
  kind.version = kDegradationVersion;
  for (const DegradationKey& key : degradation_keys()) kind.parameters.push_back(parameter(key));
  kind.settle = settle;
  kind.outcome = outcome;
  kind.effect = effect;
  return kind;
}

}  // namespace upbench
