#include <algorithm>
#include <cmath>
#include <set>

#include <fmt/format.h>

#include "reports/history.h"
#include "reports/plots/history_plots.h"
#include "reports/plots/vega_lite.h"
#include "reports/render/format.h"

namespace upbench {
namespace {

namespace vl = vega_lite;
using nlohmann::json;

constexpr std::size_t kMostLines = 12;    // cells that a reader can tell apart
constexpr std::size_t kMostPoints = 150;  // of a cell; above it the mean, least and greatest of so many runs

std::string value_text(const HistorySeries& series, double value) {
  return fmt::format("{}{}", fixed(value, series.decimals),
                     series.unit.empty() ? "" : " " + clean_text(series.unit));
}

// Neighbouring runs joined where there are too many.
void add_points(const HistoryReport& report, const HistorySeries& series, const std::string& cell, json& rows) {
  const std::size_t count = series.values.size(), points = std::min(count, kMostPoints);
  for (std::size_t p = 0; p < points; ++p) {
    const std::size_t first = p * count / points, last = (p + 1) * count / points;
    double sum = 0, least = series.values[first], most = least;
    for (std::size_t i = first; i < last; ++i) {
      sum += series.values[i];
      least = std::min(least, series.values[i]);
      most = std::max(most, series.values[i]);
    }
    const double value = sum / static_cast<double>(last - first);
    const std::string run = clean_text(report.labels[series.runs[first]]);
    rows.push_back({{"cell", cell},
                    {"run", series.runs[first] + 1},
                    {"value", value},
                    {"low", least},
                    {"high", most},
                    {"shown", value_text(series, value)},
                    {"label", last - first == 1 ? run : run + " … " + clean_text(report.labels[series.runs[last - 1]])},
                    {"n", series.pictures}});
  }
}

json change_rows(const HistoryReport& report, const std::vector<const HistorySeries*>& lines) {
  json rows = json::array();
  for (const HistorySeries* series : lines)
    for (const HistorySeries::Change& change : series->changes)
      rows.push_back({{"at", static_cast<double>(change.first) + 0.5},
                      {"cell", clean_text(series->cell)},
                      {"label", clean_text(report.labels[change.first])},
                      {"shown", fmt::format("{} to {}", value_text(*series, change.before),
                                            value_text(*series, change.after))},
                      {"kind", change.worsening > 0 ? "worse" : "better"}});
  return rows;
}

Plot history_plot(const HistoryReport& report, const std::string& metric,
                  const std::vector<const HistorySeries*>& all) {
  const std::vector<const HistorySeries*> lines(
      all.begin(), all.begin() + static_cast<std::ptrdiff_t>(std::min(all.size(), kMostLines)));
  const HistorySeries& first = *lines.front();
  json rows = json::array(), cells = json::array();
  for (const HistorySeries* series : lines) {
    cells.push_back(clean_text(series->cell));
    add_points(report, *series, clean_text(series->cell), rows);
  }
  const bool joined = std::ranges::any_of(
      lines, [](const HistorySeries* series) { return series->values.size() > kMostPoints; });
  Plot plot{.name = vl::file_name("history_" + metric),
            .title = fmt::format("{} over the runs", clean_text(metric)),
            .caption = {},
            .wide = true,
            .spec = {}};
  plot.caption = fmt::format(
      "Mean over the pictures that every run has.{}{}{}",
      joined ? " Each point stands for several runs, bar: least to greatest." : "",
      all.size() > lines.size() ? fmt::format(" {} cells are left out.", all.size() - lines.size()) : "",
      std::ranges::any_of(lines, [](const HistorySeries* series) { return !series->changes.empty(); })
          ? " Vertical line: from this run on the level is another one."
          : "");
  plot.spec = vl::frame(plot.title,
                        fmt::format("{} runs, {} cells, n = {} pictures", report.labels.size(), lines.size(), first.pictures),
                        std::move(rows));
  plot.spec["height"] = 260;
  const std::string title = fmt::format("{}{}, {} is better", clean_text(metric),
                                        first.unit.empty() ? "" : " [" + clean_text(first.unit) + "]",
                                        first.higher_is_better ? "higher" : "lower");
  json x = vl::quantitative("run", "run, oldest first");
  x["axis"] = {{"tickMinStep", 1}, {"format", "d"}};
  json colour = {{"field", "cell"},
                 {"type", "nominal"},
                 {"title", "cell"},
                 {"scale", {{"domain", cells}, {"range", vl::kColours}}}};
  json shape = colour, at = x;
  shape["scale"]["range"] = vl::kShapes;
  at["field"] = "at";
  json& layers = plot.spec["layer"];
  const json changes = change_rows(report, lines);
  if (!changes.empty())
  layers.push_back(
      {{"data", {{"values", changes}}},
       {"mark", {{"type", "rule"}, {"strokeDash", {5, 4}}, {"strokeWidth", 2}}},
       {"encoding",
        {{"x", at},
         {"color",
          {{"condition", {{"test", "datum.kind === 'worse'"}, {"value", vl::kRed}}}, {"value", vl::kGreen}}},
         {"tooltip", vl::tooltip({{"cell", "cell"}, {"label", "from"}, {"shown", "level"}, {"kind", "it is"}})}}}});
  if (joined)
    layers.push_back({{"mark", {{"type", "rule"}, {"aria", false}}},
                      {"encoding",
                       {{"x", x}, {"y", vl::quantitative("low", title)}, {"y2", {{"field", "high"}}}, {"color", colour}}}});
  layers.push_back({{"mark", {{"type", "line"}, {"strokeWidth", 1.5}, {"aria", false}}},
                    {"encoding", {{"x", x}, {"y", vl::quantitative("value", title)}, {"color", colour}}}});
  layers.push_back({{"mark", {{"type", "point"}, {"filled", true}, {"size", 60}, {"opacity", 1}}},
                    {"encoding",
                     {{"x", x},
                      {"y", vl::quantitative("value", title)},
                      {"color", colour},
                      {"shape", shape},
                      {"tooltip", vl::tooltip({{"cell", "cell"}, {"label", "run"}, {"shown", "mean"}, {"n", "pictures"}})}}}});
  return plot;
}

}  // namespace

std::vector<Plot> history_plots(const HistoryReport& report) {
  std::vector<std::string> metrics;  // as they come
  for (const HistorySeries& series : report.series)
    if (std::ranges::find(metrics, series.metric) == metrics.end()) metrics.push_back(series.metric);
  std::vector<Plot> plots;
  for (const std::string& metric : metrics) {
    std::vector<const HistorySeries*> lines;
    for (const HistorySeries& series : report.series)
      if (series.metric == metric && series.values.size() >= 2) lines.push_back(&series);
    if (!lines.empty()) plots.push_back(history_plot(report, metric, lines));
  }
  return plots;
}

}  // namespace upbench
