#include <algorithm>
#include <cmath>
#include <set>
#include <string_view>

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
constexpr std::size_t kMostPoints = 120;  // of a cell; above it the mean, least and greatest of so many runs

std::string value_text(const HistorySeries& series, double value) {
  return fmt::format("{}{}", fixed(value, series.decimals),
                     series.unit.empty() ? "" : " " + clean_text(series.unit));
}

std::vector<std::string> parts_of(const std::string& label) {
  constexpr std::string_view kBetween = ", ";
  std::vector<std::string> parts;
  std::size_t first = 0;
  for (std::size_t at = label.find(kBetween); at != std::string::npos; at = label.find(kBetween, first)) {
    parts.push_back(label.substr(first, at - first));
    first = at + kBetween.size();
  }
  parts.push_back(label.substr(first));
  return parts;
}

// What tells the cells apart: "lanczos, 64" of "upscale.model = lanczos, upscale.tile = 64"; labels of other
// forms as they are.
std::vector<std::string> short_names(const std::vector<const HistorySeries*>& lines) {
  constexpr std::string_view kIs = " = ";
  std::vector<std::string> names;
  const std::vector<std::string> first = parts_of(lines.front()->cell);
  for (const HistorySeries* series : lines) {
    std::string name;
    const std::vector<std::string> parts = parts_of(series->cell);
    for (std::size_t i = 0; i < parts.size(); ++i) {
      const bool shared = std::ranges::all_of(lines, [&](const HistorySeries* other) {
        const std::vector<std::string> others = parts_of(other->cell);
        return others.size() == first.size() && i < others.size() && others[i] == parts[i];
      });
      const std::size_t is = parts[i].find(kIs);
      if (shared && lines.size() > 1) continue;
      name += (name.empty() ? "" : ", ") +
              (is == std::string::npos ? parts[i] : parts[i].substr(is + kIs.size()));
    }
    names.push_back(clean_text(name.empty() ? series->cell : name));
  }
  const std::set<std::string> distinct(names.begin(), names.end());
  for (std::size_t i = 0; distinct.size() < names.size() && i < names.size(); ++i)
    names[i] = clean_text(lines[i]->cell);
  return names;
}

// Neighbouring runs joined where there are too many.
void add_points(const HistoryReport& report, const HistorySeries& series, const std::string& cell,
                json& rows) {
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
    rows.push_back(
        {{"cell", cell},
         {"run", series.runs[first] + 1},
         {"value", value},
         {"low", least},
         {"high", most},
         {"shown", value_text(series, value)},
         {"label", last - first == 1 ? run : run + " … " + clean_text(report.labels[series.runs[last - 1]])},
         {"n", series.pictures}});
  }
}

json change_rows(const HistoryReport& report, const std::vector<const HistorySeries*>& lines,
                 const std::vector<std::string>& names) {
  json rows = json::array();
  for (std::size_t i = 0; i < lines.size(); ++i)
    for (const HistorySeries::Change& change : lines[i]->changes)
      rows.push_back({{"at", static_cast<double>(change.first) + 0.5},
                      {"cell", names[i]},
                      {"label", clean_text(report.labels[change.first])},
                      {"shown", fmt::format("{} to {}", value_text(*lines[i], change.before),
                                            value_text(*lines[i], change.after))},
                      {"kind", change.worsening > 0 ? "worse" : "better"}});
  return rows;
}

json history_layers(const HistorySeries& first, const json& changes, const json& cells, bool joined) {
  const std::string title = fmt::format("{}{}, {} is better", clean_text(first.metric),
                                        first.unit.empty() ? "" : " [" + clean_text(first.unit) + "]",
                                        first.higher_is_better ? "higher" : "lower");
  json x = vl::quantitative("run", "run, oldest first");
  x["axis"] = {{"tickMinStep", 1}, {"format", "d"}};
  const json y = vl::quantitative("value", title), colour = vl::coloured("cell", "cell", cells);
  json at = x, layers = json::array();
  at["field"] = "at";
  if (!changes.empty())
    layers.push_back(
        {{"data", {{"values", changes}}},
         {"mark", {{"type", "rule"}, {"strokeDash", {5, 4}}, {"strokeWidth", 2}}},
         {"encoding",
          {{"x", at},
           {"color",
            {{"condition", {{"test", "datum.kind === 'worse'"}, {"value", vl::kRed}}},
             {"value", vl::kGreen}}},
           {"tooltip",
            vl::tooltip({{"cell", "cell"}, {"label", "from"}, {"shown", "level"}, {"kind", "it is"}})}}}});
  if (joined)
    layers.push_back({{"mark", {{"type", "rule"}, {"aria", false}}},
                      {"encoding",
                       {{"x", x},
                        {"y", vl::quantitative("low", title)},
                        {"y2", {{"field", "high"}}},
                        {"color", colour}}}});
  layers.push_back({{"mark", {{"type", "line"}, {"strokeWidth", 1.5}, {"aria", false}}},
                    {"encoding", {{"x", x}, {"y", y}, {"color", colour}}}});
  layers.push_back(
      {{"mark", {{"type", "point"}, {"filled", true}, {"size", 60}, {"opacity", 1}}},
       {"encoding",
        {{"x", x},
         {"y", y},
         {"color", colour},
         {"shape", vl::shaped("cell", "cell", cells)},
         {"tooltip",
          vl::tooltip({{"cell", "cell"}, {"label", "run"}, {"shown", "mean"}, {"n", "pictures"}})}}}});
  return layers;
}

Plot history_plot(const HistoryReport& report, std::vector<const HistorySeries*> all) {
  // Cells in which something happened come first.
  std::ranges::stable_partition(
      all, [](const HistorySeries* series) { return !series->changes.empty() || series->newest_differs; });
  const std::vector<const HistorySeries*> lines(
      all.begin(), all.begin() + static_cast<std::ptrdiff_t>(std::min(all.size(), kMostLines)));
  const HistorySeries& first = *lines.front();
  const std::vector<std::string> names = short_names(lines);
  json rows = json::array();
  for (std::size_t i = 0; i < lines.size(); ++i) add_points(report, *lines[i], names[i], rows);
  const json changes = change_rows(report, lines, names);
  const bool joined = std::ranges::any_of(
      lines, [](const HistorySeries* series) { return series->values.size() > kMostPoints; });
  Plot plot{.name = vl::file_name("history_" + first.metric),
            .title = fmt::format("{} over the runs", clean_text(first.metric)),
            .caption = {},
            .wide = true,
            .spec = {}};
  plot.caption = fmt::format(
      "Mean over the pictures that every run has.{}{}{}",
      joined ? " Each point stands for several runs, bar: least to greatest." : "",
      all.size() > lines.size() ? fmt::format(" {} cells are left out.", all.size() - lines.size()) : "",
      changes.empty() ? "" : " Vertical line: from this run on the level is another one.");
  plot.spec = vl::frame(
      plot.title,
      fmt::format("{} runs, {} cells, n = {} pictures", report.labels.size(), lines.size(), first.pictures),
      std::move(rows));
  plot.spec["height"] = 260;
  plot.spec["layer"] = history_layers(first, changes, names, joined);
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
    if (!lines.empty()) plots.push_back(history_plot(report, lines));
  }
  return plots;
}

}  // namespace upbench
