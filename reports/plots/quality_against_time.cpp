#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "reports/plots/kinds.h"
#include "reports/plots/vega_lite.h"
#include "reports/render/format.h"
#include "reports/summary.h"

namespace upbench {
namespace {

namespace vl = vega_lite;
using nlohmann::json;

constexpr std::size_t kMostCells = 900;
constexpr std::size_t kMostLabels = 12;  // names written beside frontier points

using Cells = std::vector<std::uint32_t>;

// Without a front (a single cell with score and time) every comparable cell is on it.
Cells frontier(const Analysis& analysis, const Front& front, std::size_t m, const Cells& cells) {
  Cells found;
  for (const Front::Point& point : front.points)
    if (point.efficiency.on_front) found.push_back(point.cell);
  if (front.points.empty())
    for (const std::uint32_t cell : cells)
      if (analysis.cells[cell].metrics[m].comparable) found.push_back(cell);
  return found;
}

// A mean and what of it is uncertain beside the best cell's: its distance to it. Both ends are the mean where
// that is not known.
Interval around_mean(const Analysis& analysis, const Verdict& verdict, std::uint32_t cell) {
  const double mean = analysis.cells[cell].metrics[verdict.metric].mean;
  for (const Contender& contender : verdict.contenders) {
    const Estimate& behind = contender.rival.behind;
    if (contender.cell != cell || !std::isfinite(behind.interval.low)) continue;
    return {mean - (behind.value - behind.interval.low), mean + (behind.interval.high - behind.value)};
  }
  return {mean, mean};
}

json point_rows(const Analysis& analysis, const Verdict& verdict, const Cells& cells, const Cells& best,
                const CellTimes& seconds) {
  const std::size_t m = verdict.metric;
  const MetricRow& metric = analysis.metric(m);
  json rows = json::array();
  for (const std::uint32_t c : cells) {
    const MetricFigures& figures = analysis.cells[c].metrics[m];
    const Interval around = around_mean(analysis, verdict, c);
    rows.push_back(
        {{"cell", clean_text(analysis.cells[c].name)},
         {"row", ranking_row_key(c)},
         {"group",
          analysis.naming.empty() ? "" : clean_text(axis_value(analysis.axes[analysis.naming.front()], c))},
         {"seconds", seconds(c)},
         {"mean", figures.mean},
         {"low", around.low},
         {"high", around.high},
         {"shown", vl::shown(metric, figures.mean) +
                       (std::isnan(figures.spread) ? "" : " ± " + vl::shown(metric, figures.spread))},
         {"time", format_value({.id = {}, .title = {}, .kind = Table::Kind::seconds}, seconds(c))},
         {"n", figures.scored},
         {"frontier", std::count(best.begin(), best.end(), c) > 0}});
  }
  return rows;
}

// Colour and shape say the same, so the legend holds for readers of either.
json point_layer(const json& rows, const std::string& group_title) {
  json groups = json::array();
  for (const json& row : rows)
    if (std::find(groups.begin(), groups.end(), row["group"]) == groups.end()) groups.push_back(row["group"]);
  json layer = {
      {"mark", {{"type", "point"}, {"filled", true}, {"size", 90}, {"opacity", 0.9}}},
      {"encoding",
       {{"tooltip",
         vl::tooltip({{"cell", "cell"}, {"shown", "mean ± sd"}, {"time", "time"}, {"n", "pictures"}})}}}};
  if (groups.size() < 2 || groups.size() > vl::kMostGroups) return layer;
  json group = {
      {"field", "group"}, {"type", "nominal"}, {"title", group_title}, {"scale", {{"domain", groups}}}};
  group["scale"]["range"] = vl::kColours;
  layer["encoding"]["color"] = group;
  group["scale"]["range"] = vl::kShapes;
  layer["encoding"]["shape"] = group;
  return layer;
}

// Names of frontier points, away from the better side, where points are none; each grows towards the middle
// of the plot.
json label_layer(bool right, double middle, bool higher_is_better) {
  return {{"transform",
           {{{"filter", fmt::format("datum.frontier && datum.seconds {} {}", right ? ">" : "<=", middle)}}}},
          {"mark",
           {{"type", "text"},
            {"align", right ? "right" : "left"},
            {"dx", right ? 6 : -6},
            {"dy", higher_is_better ? -11 : 15},
            {"limit", 280},
            {"aria", false}}},
          {"encoding", {{"text", {{"field", "cell"}}}}}};
}

}  // namespace

std::optional<Plot> plot_quality_against_time(const Analysis& analysis, const Decisions& decisions,
                                              std::size_t m) {
  const MetricRow& metric = analysis.metric(m);
  const CellTimes seconds(analysis);
  Cells cells;
  std::copy_if(
      analysis.ranking.begin(), analysis.ranking.end(), std::back_inserter(cells),
      [&](std::uint32_t c) { return seconds(c) > 0 && std::isfinite(analysis.cells[c].metrics[m].mean); });
  if (cells.empty()) return {};
  const std::size_t without = analysis.cells.size() - cells.size(),
                    cut = cells.size() - std::min(cells.size(), kMostCells);
  cells.resize(cells.size() - cut);
  const Cells best = frontier(analysis, decisions.fronts[m], m, cells);
  const auto [least, most] = std::minmax_element(
      cells.begin(), cells.end(), [&](std::uint32_t a, std::uint32_t b) { return seconds(a) < seconds(b); });
  const double shortest = seconds(*least), longest = seconds(*most);

  Plot plot;
  plot.name = vl::file_name("quality-vs-time_" + metric.name);
  plot.title = fmt::format("{} against time", clean_text(metric.name));
  plot.caption = fmt::format(
      "One point a cell: mean over pictures, median {} time of a picture. The line joins cells that no "
      "faster cell matches; bar: 95 % interval of the distance to the best cell, around the mean.{}{}",
      seconds.clock(), without > 0 ? fmt::format(" {} without score or time left out.", without) : "",
      cut > 0 ? fmt::format(" The {} lowest ranked are left out.", cut) : "");
  const json rows = point_rows(analysis, decisions.verdicts[m], cells, best, seconds);
  plot.spec = vl::frame(
      plot.title, fmt::format("{} cells, n = {} pictures", cells.size(), analysis.data->plan.images.size()),
      rows);
  plot.spec["height"] = 300;
  plot.spec["encoding"] = {
      {"x", vl::logarithmic("seconds", fmt::format("{} time per picture [s]", seconds.clock()), shortest,
                            longest)},
      {"y", vl::quantitative("mean", vl::axis_title(metric))}};
  json& layers = plot.spec["layer"];
  layers.push_back({{"transform", {{{"filter", "datum.frontier"}}}},
                    {"mark",
                     {{"type", "line"},
                      {"interpolate", "step-after"},
                      {"color", vl::kGrey},
                      {"strokeWidth", 1.5},
                      {"aria", false}}}});
  layers.push_back(
      {{"mark", {{"type", "rule"}, {"color", vl::kGrey}, {"strokeWidth", 1.5}, {"aria", false}}},
       {"encoding", {{"y", vl::quantitative("low", vl::axis_title(metric))}, {"y2", {{"field", "high"}}}}}});
  layers.push_back(point_layer(
      rows, analysis.naming.empty() ? "" : clean_text(analysis.axes[analysis.naming.front()].title)));
  const double middle = std::sqrt(shortest * longest);
  for (const bool right : {false, true}) {
    const auto named = std::count_if(best.begin(), best.end(),
                                     [&](std::uint32_t c) { return (seconds(c) > middle) == right; });
    if (named > 0 && best.size() <= kMostLabels)
      layers.push_back(label_layer(right, middle, metric.higher_is_better));
  }
  return plot;
}

}  // namespace upbench
