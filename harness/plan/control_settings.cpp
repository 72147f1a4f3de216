#include "harness/plan/control_settings.h"

#include <algorithm>
#include <string>

#include "harness/plan/diffusion_settings.h"

namespace upbench {
namespace {

using Type = ParameterKind::Type;

constexpr const char* kPreprocessor = "control-preprocessor";

constexpr const char* kAlways[] = {"control-weight", "control-start", "control-end", kPreprocessor};

struct OwnSetting {
  const char* name;
  std::vector<std::string> preprocessors;  // with which it matters
};

const std::vector<OwnSetting>& own_settings() {
  static const std::vector<OwnSetting> list = {
      {"control-rate", {"tile-resample"}},
      {"control-blur", {"blur-gaussian"}},
      {"control-variation", {"tile-colorfix", "tile-colorfix-sharp"}},
      {"control-sharpness", {"tile-colorfix-sharp"}},
  };
  return list;
}

const nlohmann::json& default_of(const char* name) {
  static const std::vector<ParameterKind> parameters = control_parameters();
  return std::ranges::find(parameters, name, &ParameterKind::name)->default_value;
}

}  // namespace

std::vector<ParameterKind> control_parameters() {
  return {
      {.name = "control-net",
       .type = Type::checkpoint,
       .help = "a ControlNet that sees the picture (tile)",
       .optional = true,
       .may_be_none = true},
      {.name = "control-weight",
       .type = Type::number,
       .default_value = 1.0,
       .least = 0,
       .most = 2,
       .help = "of the ControlNet"},
      {.name = "control-start",
       .type = Type::number,
       .default_value = 0.0,
       .least = 0,
       .most = 1,
       .help = "share of the steps after which the ControlNet acts"},
      {.name = "control-end",
       .type = Type::number,
       .default_value = 1.0,
       .least = 0,
       .most = 1,
       .help = "share of the steps up to which it acts"},
      {.name = kPreprocessor,
       .type = Type::choice,
       .default_value = "tile-resample",
       .choices = {"tile-resample", "tile-colorfix", "tile-colorfix-sharp", "blur-gaussian"},
       .help = "what the ControlNet sees of the picture, and whether coarse colours are held (colorfix); as "
               "sd-webui-controlnet"},
      {.name = "control-rate",
       .type = Type::number,
       .default_value = 1.0,
       .least = 1,
       .most = 8,
       .help = "down-sampling of what it sees, with tile-resample; below 1.1 none"},
      {.name = "control-blur",
       .type = Type::number,
       .default_value = 9.0,
       .least = 0.01,
       .most = 64,
       .help = "deviation in pixels, with blur-gaussian"},
      {.name = "control-variation",
       .type = Type::integer,
       .default_value = 8,
       .least = 3,
       .most = 32,
       .help = "latents to each side over which colours are averaged, with tile-colorfix; twice as many in "
               "hires"},
      {.name = "control-sharpness",
       .type = Type::number,
       .default_value = 1.0,
       .least = 0,
       .most = 2,
       .help = "with tile-colorfix-sharp"},
  };
}

void settle_control(SettledStage& stage) {
  const bool acts = is_given(stage.values.at("control-net")) && has_steps(stage.values);
  const char* const why = has_steps(stage.values) ? "without control-net" : "where no step is made";
  if (!acts)
    for (const char* name : kAlways) set_default(stage, name, default_of(name), why);
  const std::string preprocessor = stage.values.at(kPreprocessor);
  for (const auto& [name, preprocessors] : own_settings())
    if (!acts || std::ranges::find(preprocessors, preprocessor) == preprocessors.end())
      set_default(stage, name, default_of(name), acts ? "with this control-preprocessor" : why);
}

void add_control_effect(const nlohmann::json& settings, StageEffect& what) {
  for (const char* name : kAlways) what.settings[name] = settings.at(name);
  for (const OwnSetting& own : own_settings()) what.settings[own.name] = settings.at(own.name);
}

}  // namespace upbench
