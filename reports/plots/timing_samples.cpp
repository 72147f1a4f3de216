#include <algorithm>
#include <cmath>
#include <numeric>

#include <fmt/format.h>

#include "reports/plots/kinds.h"
#include "reports/plots/vega_lite.h"
#include "reports/render/format.h"
#include "reports/statistics/descriptive.h"

namespace upbench {
namespace {

namespace vl = vega_lite;
using nlohmann::json;

constexpr std::size_t kMostLines = 60;    // that a reader can tell apart
constexpr std::size_t kMostTicks = 2000;  // above it quantiles
constexpr double kWideRange = 20;         // greatest over least: a logarithmic axis from there

struct Line {
  std::string name;
  const std::vector<double>* laps = nullptr;
  double low = 0, high = 0;  // interval of the median; equal: not known
};

std::string time_text(double seconds) {
  return format_value({.id = {}, .title = {}, .kind = Table::Kind::seconds}, seconds);
}

// Best cell first, its pictures in their order.
std::vector<Line> find_lines(const Analysis& analysis) {
  const RunData& data = *analysis.data;
  std::vector<std::size_t> place(analysis.cells.size());
  for (std::size_t i = 0; i < analysis.ranking.size(); ++i) place[analysis.ranking[i]] = i;
  std::vector<std::uint32_t> trials;
  for (const auto& [trial, laps] : data.laps) trials.push_back(trial);
  std::ranges::stable_sort(trials, {}, [&](std::uint32_t t) { return place[data.trials[t].cell]; });
  const bool one_picture = std::ranges::all_of(
      trials, [&](std::uint32_t t) { return data.trials[t].image == data.trials[trials.front()].image; });
  std::vector<Line> lines;
  for (const std::uint32_t t : trials) {
    const RunData::Trial& trial = data.trials[t];
    const ModelTime& time = data.model_times[trial.model_time];
    const bool known = std::isfinite(time.low) && std::isfinite(time.high);
    std::string name = clean_text(analysis.cells[trial.cell].name);
    if (!one_picture) name += ", " + clean_text(data.plan.images[trial.image].name);
    if (std::ranges::find(lines, name, &Line::name) != lines.end()) name += fmt::format(", trial {}", t + 1);
    lines.push_back({std::move(name), &data.laps.at(t), known ? time.low : trial.model_seconds,
                     known ? time.high : trial.model_seconds});
    if (lines.size() == kMostLines) break;
  }
  return lines;
}

json sample_rows(const std::vector<Line>& lines) {
  json rows = json::array();
  for (const Line& line : lines)
    for (std::size_t i = 0; i < line.laps->size(); ++i)
      rows.push_back({{"line", line.name},
                      {"value", (*line.laps)[i]},
                      {"shown", time_text((*line.laps)[i])},
                      {"sample", fmt::format("{} of {}", i + 1, line.laps->size())}});
  return rows;
}

json quantile_rows(const std::vector<Line>& lines) {
  json rows = json::array();
  for (const Line& line : lines)
    for (const double share : {0.05, 0.25, 0.75, 0.95}) {
      const double value = quantile(*line.laps, share);
      rows.push_back({{"line", line.name},
                      {"value", value},
                      {"shown", time_text(value)},
                      {"sample", fmt::format("{:.0f} % of {}", 100 * share, line.laps->size())}});
    }
  return rows;
}

json median_rows(const std::vector<Line>& lines) {
  json rows = json::array();
  for (const Line& line : lines) {
    const double value = median(*line.laps);
    rows.push_back(
        {{"line", line.name},
         {"value", value},
         {"low", line.low},
         {"high", line.high},
         {"shown", fmt::format("{} [{}, {}]", time_text(value), time_text(line.low), time_text(line.high))},
         {"sample", fmt::format("median of {}", line.laps->size())}});
  }
  return rows;
}

}  // namespace

std::optional<Plot> plot_timing_samples(const Analysis& analysis) {
  const std::vector<Line> lines = find_lines(analysis);
  std::size_t samples = 0;
  double least = std::numeric_limits<double>::infinity(), most = 0;
  for (const Line& line : lines) {
    samples += line.laps->size();
    for (const double seconds : *line.laps) {
      least = std::min(least, seconds);
      most = std::max(most, seconds);
    }
  }
  if (samples < 2 || least <= 0) return {};
  const bool each = samples <= kMostTicks;
  const std::size_t cut = analysis.data->laps.size() - lines.size();
  Plot plot{.name = "timing-samples",
            .title = "Every sample of the model time",
            .caption = {},
            .wide = true,
            .spec = {}};
  plot.caption =
      fmt::format("{}; diamond: median, bar: its 95 % interval. Laps of one picture are taken in turns.{}",
                  each ? "Tick: one lap" : "Ticks: 5, 25, 75 and 95 % of the laps",
                  cut > 0 ? fmt::format(" {} measurements of cells further down are left out.", cut) : "");
  plot.spec = vl::frame(
      plot.title, fmt::format("n = {} samples of {} measurements, best cell on top", samples, lines.size()),
      each ? sample_rows(lines) : quantile_rows(lines));
  json order = json::array();
  for (const Line& line : lines) order.push_back(line.name);
  plot.spec["height"] = {{"step", 22}};
  json y = vl::nominal("line", order, "");
  y["axis"] = {{"labelLimit", 360}, {"grid", true}};
  plot.spec["encoding"] = {{"y", y}};
  const auto x = [&](const char* field) {
    return most > kWideRange * least ? vl::logarithmic(field, "model time [s]", least, most)
                                     : vl::quantitative(field, "model time [s]");
  };
  const json tooltip = vl::tooltip({{"line", "cell"}, {"shown", "time"}, {"sample", "sample"}});
  json& layers = plot.spec["layer"];
  layers.push_back({{"mark", {{"type", "tick"}, {"thickness", 2}, {"color", vl::kBlue}, {"opacity", 0.65}}},
                    {"encoding", {{"x", x("value")}, {"tooltip", tooltip}}}});
  const json medians = median_rows(lines);
  layers.push_back({{"data", {{"values", medians}}},
                    {"mark", {{"type", "rule"}, {"color", vl::kRed}, {"strokeWidth", 2}, {"aria", false}}},
                    {"encoding", {{"x", x("low")}, {"x2", {{"field", "high"}}}}}});
  layers.push_back({{"data", {{"values", medians}}},
                    {"mark",
                     {{"type", "point"},
                      {"shape", "diamond"},
                      {"filled", true},
                      {"size", 70},
                      {"color", vl::kRed},
                      {"opacity", 1}}},
                    {"encoding", {{"x", x("value")}, {"tooltip", tooltip}}}});
  return plot;
}

}  // namespace upbench
