#include <cmath>

#include <fmt/format.h>

#include "harness/spec/read.h"
#include "reports/plots/kinds.h"
#include "reports/plots/vega_lite.h"
#include "reports/render/format.h"

namespace upbench {
namespace {

namespace vl = vega_lite;
using nlohmann::json;

constexpr std::size_t kMostValues = 500;

// What a plot shows of one axis and one metric.
struct Points {
  json rows = json::array(), order = json::array();
  bool numeric = true;
  std::size_t left_out = 0;
};

Points collect(const Table& table, const ReportAxis& axis, const MetricRow& metric, std::size_t column) {
  Points points;
  for (const Table::Row& row : table.rows) {
    const Table::Cell &cell = row.cells[column], &effect = row.cells[column + 1];
    if (row.cells[0].text != axis.title || !cell.value || !std::isfinite(*cell.value)) continue;
    if (points.rows.size() == kMostValues) {
      ++points.left_out;
      continue;
    }
    const std::string value = clean_text(row.cells[1].text);
    const double spread = cell.spread.value_or(0);
    points.numeric = points.numeric && plain_number(value);
    points.order.push_back(value);
    points.rows.push_back(
        {{"value", value},
         {"mean", *cell.value},
         {"low", *cell.value - spread},
         {"high", *cell.value + spread},
         {"shown", vl::shown(metric, *cell.value) + (cell.spread ? " ± " + vl::shown(metric, spread) : "")},
         {"effect", effect.value ? vl::shown(metric, *effect.value) : "–"}});
  }
  return points;
}

}  // namespace

std::optional<Plot> plot_axis_response(const Analysis& analysis, const Table& axes, const ReportAxis& axis,
                                       std::size_t m) {
  const MetricRow& metric = analysis.metric(m);
  Points points = collect(axes, axis, metric, 3 + 2 * m);
  if (points.rows.size() < 2) return {};
  // Two numbers are two settings; three or more are a curve, and its steps may be uneven.
  const bool curve = points.numeric && points.rows.size() >= 3;
  if (curve)
    for (json& row : points.rows) row["value"] = *plain_number(row["value"].get<std::string>());
  const std::string title = clean_text(axis.title), score = vl::axis_title(metric);
  Plot plot;
  plot.name = vl::file_name(fmt::format("axis_{}_{}", axis.path, metric.name));
  plot.title = fmt::format("{} along {}", clean_text(metric.name), title);
  plot.caption = fmt::format(
      "Mean of all cells with the value; bar: ± one standard deviation over pictures (their difficulty, not "
      "an error of the mean).{}",
      points.left_out > 0 ? fmt::format(" {} values are left out.", points.left_out) : "");
  plot.spec = vl::frame(plot.title, fmt::format("n = {} pictures", analysis.data->plan.images.size()),
                        std::move(points.rows));

  // Numbers run along x as a curve; names stand beside y, where they can be read.
  const std::string along = curve ? "x" : "y", across = curve ? "y" : "x";
  json first = curve ? vl::quantitative("value", title) : vl::nominal("value", points.order, "");
  if (!curve) first["axis"] = {{"labelLimit", 260}, {"grid", true}};
  plot.spec["height"] = curve ? json(220) : json{{"step", 30}};
  plot.spec["encoding"][along] = first;
  json& layers = plot.spec["layer"];
  layers.push_back(
      {{"mark", {{"type", "rule"}, {"color", vl::kGrey}, {"strokeWidth", 2}, {"aria", false}}},
       {"encoding", {{across, vl::quantitative("low", score)}, {across + "2", {{"field", "high"}}}}}});
  if (curve)
    layers.push_back({{"mark", {{"type", "line"}, {"color", vl::kBlue}, {"aria", false}}},
                      {"encoding", {{across, vl::quantitative("mean", score)}}}});
  layers.push_back(
      {{"mark", {{"type", "point"}, {"filled", true}, {"size", 80}, {"opacity", 1}, {"color", vl::kBlue}}},
       {"encoding",
        {{across, vl::quantitative("mean", score)},
         {"tooltip",
          vl::tooltip({{"value", "value"}, {"shown", "mean ± sd"}, {"effect", "Δ to the first"}})}}}});
  return plot;
}

}  // namespace upbench
