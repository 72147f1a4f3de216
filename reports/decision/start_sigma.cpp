#include "reports/decision/start_sigma.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include "reports/render/format.h"

namespace upbench {
namespace {

using nlohmann::json;
using Tool = DenoiseStart::Tool;

constexpr std::string_view kParameter = "denoise", kLevelItself = "sigma";
constexpr double kFarthest = 1.25;  // as much as the stored translations are off at most
constexpr double kMostSteps = 1e6;

std::optional<double> number_in(const json& object, const char* name) {
  const auto found = object.find(name);
  if (found == object.end() || !found->is_number()) return {};
  const double value = found->get<double>();
  return std::isfinite(value) && value >= 0 ? std::optional(value) : std::nullopt;
}

std::optional<int> steps_in(const json& object) {
  const std::optional<double> steps = number_in(object, "steps");
  return steps && *steps <= kMostSteps ? std::optional(static_cast<int>(*steps)) : std::nullopt;
}

std::string text_in(const json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

// Settings of the stage with that id; null where there is none.
json settings_of_stage(const CellRow& cell, const std::string& id) {
  json stages = json::parse(cell.settings, nullptr, false);
  if (!stages.is_array()) return nullptr;
  for (json& stage : stages)
    if (stage.is_object() && text_in(stage, "id") == id && stage.contains("settings"))
      return std::move(stage["settings"]);
  return nullptr;
}

std::vector<Tool> tools_in(const json& levels) {
  std::vector<Tool> tools;
  const auto translation = levels.find("translation");
  if (translation == levels.end() || !translation->is_object()) return tools;
  for (const auto& [rule, tool] : translation->items()) {
    if (!tool.is_object() || rule == kLevelItself) continue;
    const auto denoise = number_in(tool, "denoise"), sigma = number_in(tool, "start_sigma");
    const std::optional<int> steps = steps_in(tool);
    if (denoise && sigma && steps) tools.push_back({rule, *denoise, *sigma, *steps});
  }
  return tools;
}

std::optional<DenoiseStart> start_in(const json& settings) {
  if (!settings.is_object()) return {};
  const auto levels = settings.find("levels");
  if (levels == settings.end() || !levels->is_object()) return {};
  const std::optional<double> sigma = number_in(*levels, "start_sigma");
  if (!sigma) return {};
  return DenoiseStart{.sigma = *sigma,
                      .context = {.steps = steps_in(settings).value_or(0),
                                  .scheduler = text_in(settings, "scheduler"),
                                  .sampler = text_in(settings, "sampler")},
                      .tools = tools_in(*levels)};
}

// What is known of one tool: start sigma -> strength and steps. `steps` as set in the tool.
std::optional<double> denoise_at(double sigma, const std::map<double, Tool>& known, int steps) {
  const auto above = known.lower_bound(sigma);
  if (above != known.begin() && above != known.end()) {
    const Tool &low = std::prev(above)->second, &high = above->second;
    // A tool that runs the end of a fixed schedule has a strength for every whole step, others make all steps
    // at every strength.
    const bool nothing_between = high.steps == low.steps + 1 && high.steps <= steps;
    if (!nothing_between) {
      const double share = std::log(sigma / low.start_sigma) / std::log(high.start_sigma / low.start_sigma);
      return std::round(std::lerp(low.denoise, high.denoise, share) * 100) / 100;
    }
  }
  const auto away = [&](auto entry) { return std::abs(std::log(entry->first / sigma)); };
  auto nearest = above;
  if (above == known.end() || (above != known.begin() && away(std::prev(above)) <= away(above)))
    nearest = known.empty() ? known.end() : std::prev(above);
  if (nearest == known.end() || away(nearest) > std::log(kFarthest)) return {};
  return nearest->second.denoise;
}

DenoiseTranslation translate_in(const DenoiseContext& context, double sigma, const DenoiseStarts& starts) {
  std::map<std::string, std::map<double, Tool>> known;  // by rule
  for (const std::optional<DenoiseStart>& start : starts)
    if (start && start->context == context)
      for (const Tool& tool : start->tools)
        if (tool.start_sigma > 0) known[tool.rule].try_emplace(tool.start_sigma, tool);
  DenoiseTranslation made{.context = fmt::format("{} step{}, {}", context.steps,
                                                 context.steps == 1 ? "" : "s", context.scheduler),
                          .tools = {}};
  for (const auto& [rule, strengths] : known)
    if (const std::optional<double> denoise = denoise_at(sigma, strengths, context.steps); denoise)
      made.tools.push_back({rule, *denoise});
  return made;
}

bool same_tools(const DenoiseTranslation& a, const DenoiseTranslation& b) {
  return std::ranges::equal(a.tools, b.tools, [](const auto& first, const auto& second) {
    return first.rule == second.rule && first.denoise == second.denoise;
  });
}

}  // namespace

DenoiseStarts denoise_starts(const Analysis& analysis, std::size_t axis) {
  const std::string& path = analysis.axes[axis].path;
  const std::size_t dot = path.rfind('.');
  if (dot == std::string::npos || path.substr(dot + 1) != kParameter) return {};
  DenoiseStarts starts(analysis.cells.size());
  for (std::uint32_t cell = 0; cell < starts.size(); ++cell) {
    if (analysis.axes[axis].of_cell[cell] == kNoValue) continue;
    starts[cell] = start_in(settings_of_stage(analysis.data->plan.cells[cell], path.substr(0, dot)));
    if (!starts[cell]) return {};
  }
  return starts;
}

std::vector<DenoiseTranslation> translate_sigma(double sigma, const DenoiseStarts& starts,
                                                const std::vector<std::uint32_t>& cells) {
  std::vector<DenoiseContext> contexts;
  std::vector<DenoiseTranslation> translations;
  for (const std::uint32_t cell : cells) {
    const DenoiseContext& context = starts[cell]->context;
    if (std::ranges::count(contexts, context) > 0) continue;
    contexts.push_back(context);
    DenoiseTranslation made = translate_in(context, sigma, starts);
    // Most samplers change nothing; those that do are named.
    const auto same = std::ranges::find(translations, made.context, &DenoiseTranslation::context);
    if (same != translations.end() && same_tools(*same, made)) continue;
    if (same != translations.end()) made.context += ", " + context.sampler;
    if (!made.tools.empty()) translations.push_back(std::move(made));
  }
  return translations;
}

std::string tool_name(const std::string& rule) {
  static const std::map<std::string, std::string> kNames = {
      {"a1111", "A1111's img2img"},
      {"a1111-hires", "A1111's hires fix"},
      {"comfy", "ComfyUI"},
      {"diffusers", "diffusers"},
      {"sdcpp", "stable-diffusion.cpp"},
      {"sdcpp-hires", "stable-diffusion.cpp's hires pass"}};
  const auto known = kNames.find(rule);
  return known == kNames.end() ? rule : known->second;
}

std::string tools_text(const DenoiseStart& start) {
  std::vector<DenoiseTranslation::Tool> tools;
  for (const Tool& tool : start.tools) tools.push_back({tool.rule, tool.denoise});
  return tools_text(tools);
}

std::string tools_text(const std::vector<DenoiseTranslation::Tool>& tools) {
  std::vector<std::pair<double, std::vector<std::string>>> by_strength;
  for (const auto& [rule, denoise] : tools) {
    const auto known = std::ranges::find(by_strength, denoise, [](const auto& entry) { return entry.first; });
    if (known == by_strength.end())
      by_strength.push_back({denoise, {tool_name(rule)}});
    else
      known->second.push_back(tool_name(rule));
  }
  std::vector<std::string> texts;
  for (const auto& [denoise, names] : by_strength)
    texts.push_back(fmt::format("{} in {}{}{}", fixed(denoise, 2),
                                fmt::join(names.begin(), names.end() - 1, ", "),
                                names.size() > 1 ? " and " : "", names.back()));
  return fmt::format("{}", fmt::join(texts, ", "));
}

}  // namespace upbench
