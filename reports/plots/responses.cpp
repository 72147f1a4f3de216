// Every metric along one setting in one plot: each curve as a share of its own range, so that decibels and
// shares can stand on one scale. Over a start sigma the tools' strengths are a second scale above the curves.
#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

#include <fmt/format.h>

#include "reports/decision/start_sigma.h"
#include "reports/plots/kinds.h"
#include "reports/plots/vega_lite.h"
#include "reports/render/format.h"

namespace upbench {
namespace {

namespace vl = vega_lite;
using nlohmann::json;

constexpr std::size_t kMostCurves = 14;          // metrics
constexpr double kFirstTool = 1.12, kRow = 0.2;  // where the rows of the tools stand, in shares
constexpr double kNameAbove = 0.09;              // its name above a row
constexpr double kLeastGap = 0.055;              // between two strengths of a tool, of the plot's width
constexpr int kHeight = 240, kRowHeight = 42;    // px

struct Strength {
  double sigma = 0, denoise = 0;
};

struct ToolRow {
  std::string name;
  std::vector<Strength> strengths;  // ascending
};

// From the worst of curve and settings (0) to their best (1). Scores are turned so that greater is better.
class Share {
 public:
  Share(const SweetSpot& spot, bool higher_is_better) {
    std::vector<double> values = spot.response.curve;
    for (const double score : spot.means) values.push_back(higher_is_better ? score : -score);
    const auto [least, most] = std::ranges::minmax(values);
    least_ = least;
    range_ = most - least;
    size_ = std::max(std::abs(least), std::abs(most));
  }
  // Nothing but the last digits of the arithmetic.
  bool is_level() const { return !(range_ > 1e-9 * size_); }
  double of_turned(double value) const { return (value - least_) / range_; }

 private:
  double least_ = 0, range_ = 0, size_ = 0;
};

Share share_of(const Analysis& analysis, const SweetSpot& spot) {
  return {spot, analysis.metric(spot.metric).higher_is_better};
}

// What noise alone may have drawn is told apart.
std::string effect_of(const SweetSpot& spot) {
  return spot.response.verdict == ResponseVerdict::no_effect ? "no effect" : "effect";
}

json curve_rows(const Analysis& analysis, const std::vector<const SweetSpot*>& spots) {
  json rows = json::array();
  for (const SweetSpot* spot : spots) {
    const Share share = share_of(analysis, *spot);
    for (std::size_t i = 0; i < spot->response.at.size(); i += 4)
      rows.push_back({{"metric", clean_text(analysis.metric(spot->metric).name)},
                      {"setting", spot->response.at[i]},
                      {"effect", effect_of(*spot)},
                      {"share", share.of_turned(spot->response.curve[i])}});
  }
  return rows;
}

json point_rows(const Analysis& analysis, const std::vector<const SweetSpot*>& spots) {
  json rows = json::array();
  for (const SweetSpot* spot : spots) {
    const Share share = share_of(analysis, *spot);
    const MetricRow& metric = analysis.metric(spot->metric);
    const double sign = metric.higher_is_better ? 1 : -1;
    for (std::size_t i = 0; i < spot->settings.size(); ++i)
      rows.push_back({{"metric", clean_text(metric.name)},
                      {"setting", spot->settings[i]},
                      {"share", share.of_turned(sign * spot->means[i])},
                      {"at", spot->shown(spot->settings[i])},
                      {"shown", vl::shown(metric, spot->means[i])},
                      {"effect", effect_of(*spot)},
                      {"n", spot->pictures}});
  }
  return rows;
}

// Strengths of each tool whose start lies within the settings, of the context that most cells have; crowded
// ones are left out.
std::vector<ToolRow> tool_rows(const Analysis& analysis, const SweetSpot& spot, std::string& context) {
  const DenoiseStarts starts = denoise_starts(analysis, spot.axis);
  std::map<std::string, std::pair<std::size_t, DenoiseContext>> contexts;
  for (const auto& start : starts)
    if (start) {
      const auto name =
          fmt::format("{} steps, {}", start->context.steps, clean_text(start->context.scheduler));
      auto& [count, kept] = contexts[name];
      if (++count == 1) kept = start->context;
    }
  const auto most =
      std::ranges::max_element(contexts, {}, [](const auto& entry) { return entry.second.first; });
  if (most == contexts.end()) return {};
  context = most->first;
  std::map<std::string, std::map<double, double>> found;  // rule -> sigma -> strength
  for (const auto& start : starts)
    if (start && start->context == most->second.second)
      for (const DenoiseStart::Tool& tool : start->tools)
        if (tool.start_sigma >= spot.settings.front() && tool.start_sigma <= spot.settings.back())
          found[tool.rule].try_emplace(tool.start_sigma, tool.denoise);
  const double range = std::log(spot.settings.back() / spot.settings.front());
  std::vector<ToolRow> rows;
  for (const auto& [rule, strengths] : found) {
    ToolRow row{.name = tool_name(rule), .strengths = {}};
    for (const auto& [sigma, denoise] : strengths)
      if (row.strengths.empty() || std::log(sigma / row.strengths.back().sigma) >= kLeastGap * range)
        row.strengths.push_back({sigma, denoise});
    const auto same = std::ranges::find_if(rows, [&](const ToolRow& other) {
      return std::ranges::equal(other.strengths, row.strengths, [](const Strength& a, const Strength& b) {
        return a.sigma == b.sigma && a.denoise == b.denoise;
      });
    });
    if (same == rows.end())
      rows.push_back(std::move(row));
    else
      same->name += ", " + row.name;
  }
  return rows;
}

json strength_rows(const std::vector<ToolRow>& tools) {
  json rows = json::array();
  for (std::size_t i = 0; i < tools.size(); ++i)
    for (const auto& [sigma, denoise] : tools[i].strengths)
      rows.push_back({{"setting", sigma},
                      {"row", kFirstTool + kRow * static_cast<double>(i)},
                      {"shown", fixed(denoise, 2)},
                      {"at", fixed(sigma, 3)},
                      {"tool", tools[i].name}});
  return rows;
}

// Above the row of a tool its name.
json name_rows(const std::vector<ToolRow>& tools, double at) {
  json rows = json::array();
  for (std::size_t i = 0; i < tools.size(); ++i)
    rows.push_back({{"setting", at},
                    {"row", kFirstTool + kRow * static_cast<double>(i) + kNameAbove},
                    {"name", tools[i].name}});
  return rows;
}

// Shares as percent; nothing where the rows of the tools are.
json share_axis(std::size_t tools) {
  json y = vl::quantitative("share", "share of the metric's range, 100 % is best");
  const double top =
      tools == 0 ? 1.04 : kFirstTool + kRow * static_cast<double>(tools - 1) + kNameAbove + kRow / 3;
  y["scale"] = {{"domain", {-0.1, top}}, {"nice", false}};
  y["axis"] = {{"values", {0, 0.25, 0.5, 0.75, 1}}, {"format", ".0%"}, {"titleAnchor", "start"}};
  return y;
}

json response_layers(const Analysis& analysis, const std::vector<const SweetSpot*>& spots, const json& x,
                     const std::vector<ToolRow>& tools) {
  json names = json::array(), layers = json::array();
  for (const SweetSpot* spot : spots) names.push_back(clean_text(analysis.metric(spot->metric).name));
  const json y = share_axis(tools.size()), colour = vl::coloured("metric", "metric", names);
  const json dash = {{"field", "effect"},
                     {"type", "nominal"},
                     {"legend", nullptr},
                     {"scale", {{"domain", {"effect", "no effect"}}, {"range", json{{1, 0}, {4, 4}}}}}};
  layers.push_back({{"mark", {{"type", "line"}, {"strokeWidth", 2}, {"aria", false}}},
                    {"encoding", {{"x", x}, {"y", y}, {"color", colour}, {"strokeDash", dash}}}});
  layers.push_back({{"data", {{"values", point_rows(analysis, spots)}}},
                    {"mark", {{"type", "point"}, {"filled", true}, {"size", 70}, {"opacity", 1}}},
                    {"encoding",
                     {{"x", x},
                      {"y", y},
                      {"color", colour},
                      {"shape", vl::shaped("metric", "metric", names)},
                      {"tooltip", vl::tooltip({{"metric", "metric"},
                                               {"at", "setting"},
                                               {"shown", "mean"},
                                               {"effect", "of the setting"},
                                               {"n", "pictures"}})}}}});
  if (tools.empty()) return layers;
  json row = y;
  row["field"] = "row";
  layers.push_back(
      {{"data", {{"values", strength_rows(tools)}}},
       {"mark", {{"type", "text"}, {"fontSize", 11}}},
       {"encoding",
        {{"x", x},
         {"y", row},
         {"text", {{"field", "shown"}}},
         {"tooltip", vl::tooltip({{"tool", "tool"}, {"shown", "denoise"}, {"at", "start sigma"}})}}}});
  layers.push_back({{"data", {{"values", name_rows(tools, spots.front()->settings.front())}}},
                    {"mark",
                     {{"type", "text"},
                      {"fontSize", 11},
                      {"align", "left"},
                      {"dx", -8},
                      {"fontStyle", "italic"},
                      {"aria", false}}},
                    {"encoding", {{"x", x}, {"y", row}, {"text", {{"field", "name"}}}}}});
  return layers;
}

}  // namespace

std::optional<Plot> plot_responses(const Analysis& analysis, const std::vector<const SweetSpot*>& all) {
  std::vector<const SweetSpot*> spots;
  for (const SweetSpot* spot : all)
    if (spots.size() < kMostCurves && !share_of(analysis, *spot).is_level()) spots.push_back(spot);
  if (spots.size() < 2) return {};
  const SweetSpot& first = *spots.front();
  std::string context;
  const std::vector<ToolRow> tools =
      first.over_sigma ? tool_rows(analysis, first, context) : std::vector<ToolRow>();
  const std::string axis =
      clean_text(analysis.axes[first.axis].title) + (first.over_sigma ? " (start sigma)" : "");
  Plot plot;
  plot.name = vl::file_name(fmt::format("responses_{}{}{}", analysis.axes[first.axis].path,
                                        first.group.empty() ? "" : "_", first.group));
  plot.title =
      fmt::format("Every metric along {}{}", axis, first.group.empty() ? "" : ", " + clean_text(first.group));
  plot.wide = true;
  plot.caption =
      "Each metric from its own worst (0 %) to its own best (100 %), so curves compare in where they are "
      "best "
      "and not in how much; points: means of the settings. Dashed: no effect is shown, the curve may be "
      "noise.";
  if (!tools.empty())
    plot.caption +=
        fmt::format(" Numbers above the curves: what a sigma is in each tool's denoise ({}).", context);
  if (all.size() > spots.size())
    plot.caption += fmt::format(" {} metrics are left out: level, or too many.", all.size() - spots.size());
  plot.spec = vl::frame(plot.title, fmt::format("n = {} pictures, {} metrics", first.pictures, spots.size()),
                        curve_rows(analysis, spots));
  plot.spec["height"] = kHeight + kRowHeight * static_cast<int>(tools.size());
  plot.spec["layer"] = response_layers(analysis, spots, setting_axis(first, axis), tools);
  return plot;
}

}  // namespace upbench
