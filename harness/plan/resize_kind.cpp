#include <algorithm>
#include <charconv>
#include <cmath>

#include <fmt/format.h>

#include "harness/plan/kinds.h"

namespace upbench {

namespace {

const std::vector<std::string> kSizes = {"scale", "megapixels", "long_edge", "size"};

int rounded(double side) {
  return std::max(1, static_cast<int>(std::floor(side + 0.5)));
}

PictureSize multiplied(PictureSize input, double factor) {
  return {rounded(input.width * factor), rounded(input.height * factor)};
}

SettledStage settle(const nlohmann::json& parameters, const StageKind::FindModel&) {
  SettledStage stage{.values = parameters, .models = nlohmann::json::array(), .notes = {}, .refusal = {}};
  for (const std::string& name : kSizes)
    if (!parameters.at(name).is_null())
      stage.notes.push_back({name, fmt::format("this {} gives the same size", name)});
  return stage;
}

StageKind::Outcome outcome(const nlohmann::json& stage) {
  return [settings = stage.at("settings")](PictureSize input, PictureSize) {
    StageOutcome made;
    made.output = resized(settings, input);
    made.variant = {made.output.width, made.output.height};
    made.pixels_resampled = made.output.pixels();
    return made;
  };
}

StageEffect effect(const nlohmann::json& stage, const StageOutcome& made) {
  return {.settings = {{"size", {made.output.width, made.output.height}},
                       {"kernel", stage.at("settings").at("kernel")}},
          .notes = {}};
}

}  // namespace

PictureSize resized(const nlohmann::json& settings, PictureSize input) {
  if (const auto& scale = settings.at("scale"); !scale.is_null())
    return multiplied(input, scale.get<double>());
  if (const auto& megapixels = settings.at("megapixels"); !megapixels.is_null())
    return multiplied(input, std::sqrt(megapixels.get<double>() * 1e6 / input.pixels()));
  if (const auto& edge = settings.at("long_edge"); !edge.is_null())
    return multiplied(input, edge.get<double>() / std::max(input.width, input.height));
  return parse_size(settings.at("size").get_ref<const std::string&>());
}

PictureSize parse_size(const std::string& text) {
  const char* const end = text.data() + text.size();
  PictureSize size;
  const char* const x = std::from_chars(text.data(), end, size.width).ptr;
  std::from_chars(std::min(x + 1, end), end, size.height);
  return size;
}

StageKind resize_kind() {
  using Type = ParameterKind::Type;
  StageKind kind;
  kind.name = "resize";
  kind.parameters = {
      {.name = "scale",
       .type = Type::number,
       .least = 0.01,
       .most = 16,
       .help = "both sides times this",
       .optional = true},
      {.name = "megapixels",
       .type = Type::number,
       .least = 1e-4,
       .most = 1000,
       .help = "to this many pixels (1e6), sides in proportion",
       .optional = true},
      {.name = "long_edge",
       .type = Type::integer,
       .least = 1,
       .most = 65536,
       .help = "the longer side to this many pixels",
       .optional = true},
      {.name = "size",
       .type = Type::size,
       .help = "to WIDTHxHEIGHT, whatever the proportions",
       .optional = true},
      {.name = "kernel",
       .type = Type::text,
       .default_value = "lanczos",
       .help = "see `upbench list kernels`"},
  };
  kind.exactly_one = kSizes;
  kind.settle = settle;
  kind.outcome = outcome;
  kind.effect = effect;
  return kind;
}

}  // namespace upbench
