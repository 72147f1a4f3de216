#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "reports/plots/kinds.h"
#include "reports/plots/vega_lite.h"
#include "reports/render/format.h"

namespace upbench {
namespace {

namespace vl = vega_lite;
using nlohmann::json;

constexpr std::size_t kMostLines = 40;    // cells that a reader can tell apart
constexpr std::size_t kMostTicks = 2000;  // above it means and intervals alone

json mean_rows(const Analysis& analysis, const Verdict& verdict, std::size_t lines) {
  const MetricRow& metric = analysis.metric(verdict.metric);
  json rows = json::array();
  for (std::size_t i = 1; i <= lines; ++i) {
    const auto& [cell, rival, same] = verdict.contenders[i];
    const auto& [low, high] = rival.behind.interval;
    const bool known = std::isfinite(low) && std::isfinite(high);
    rows.push_back({{"cell", clean_text(analysis.cells[cell].name)},
                    {"value", rival.behind.value},
                    {"low", known ? low : rival.behind.value},
                    {"high", known ? high : rival.behind.value},
                    {"shown", vl::shown(metric, rival.behind.value) +
                                  (known ? fmt::format(" [{}, {}]", fixed(low, metric.decimals),
                                                       fixed(high, metric.decimals))
                                         : "")},
                    {"picture", "mean"},
                    {"verdict", rival.worse ? "worse" : "not told apart"}});
  }
  return rows;
}

json picture_rows(const Analysis& analysis, const Verdict& verdict, std::size_t lines) {
  const MetricRow& metric = analysis.metric(verdict.metric);
  const auto& best = analysis.cells[verdict.contenders.front().cell].metrics[verdict.metric].of_picture;
  const double sign = metric.higher_is_better ? 1 : -1;
  json rows = json::array();
  for (std::size_t i = 1; i <= lines; ++i) {
    const CellFigures& cell = analysis.cells[verdict.contenders[i].cell];
    const auto& scores = cell.metrics[verdict.metric].of_picture;
    for (std::size_t picture = 0; picture < scores.size(); ++picture)
      if (const double distance = sign * (best[picture] - scores[picture]); std::isfinite(distance))
        rows.push_back({{"cell", clean_text(cell.name)},
                        {"value", distance},
                        {"shown", vl::shown(metric, distance)},
                        {"picture", clean_text(analysis.data->plan.images[picture].name)}});
  }
  return rows;
}

json mean_layers(const json& means, const std::string& x) {
  const json verdicts = {"worse", "not told apart"};
  const json colour = {{"field", "verdict"},
                       {"type", "nominal"},
                       {"title", "than the best"},
                       {"scale", {{"domain", verdicts}, {"range", {vl::kRed, vl::kGrey}}}}};
  json shape = colour;
  shape["scale"]["range"] = {"diamond", "circle"};
  json layers = json::array();
  layers.push_back(
      {{"data", {{"values", means}}},
       {"mark", {{"type", "rule"}, {"strokeWidth", 3}, {"aria", false}}},
       {"encoding", {{"x", vl::quantitative("low", x)}, {"x2", {{"field", "high"}}}, {"color", colour}}}});
  layers.push_back(
      {{"data", {{"values", means}}},
       {"mark", {{"type", "point"}, {"filled", true}, {"size", 90}, {"opacity", 1}}},
       {"encoding",
        {{"x", vl::quantitative("value", x)},
         {"color", colour},
         {"shape", shape},
         {"tooltip",
          vl::tooltip({{"cell", "cell"}, {"shown", "behind the best"}, {"verdict", "verdict"}})}}}});
  return layers;
}

}  // namespace

std::optional<Plot> plot_distances(const Analysis& analysis, const Verdict& verdict) {
  if (verdict.contenders.size() < 2) return {};
  const MetricRow& metric = analysis.metric(verdict.metric);
  const std::size_t rivals = verdict.contenders.size() - 1, lines = std::min(rivals, kMostLines);
  const bool each = lines * verdict.pictures <= kMostTicks;
  const std::string best = clean_text(analysis.cells[verdict.contenders.front().cell].name);
  const std::string x =
      fmt::format("behind {}{}", best, metric.unit.empty() ? "" : " [" + clean_text(metric.unit) + "]");
  json order = json::array(), zero = json::array();
  zero.push_back({{"value", 0}});
  for (std::size_t i = 1; i <= lines; ++i)
    order.push_back(clean_text(analysis.cells[verdict.contenders[i].cell].name));
  const json means = mean_rows(analysis, verdict, lines);

  Plot plot;
  plot.wide = true;
  plot.name = vl::file_name("distance_" + metric.name);
  plot.title = fmt::format("{}: distance to the best", clean_text(metric.name));
  plot.caption = fmt::format(
      "How much worse than {} each cell is on the same picture. {}Bar: 95 % interval of the mean. Left of 0 "
      "the "
      "cell is the better one.{}",
      best, each ? "Tick: one picture. " : "",
      rivals > lines ? fmt::format(" The {} cells with the lowest rank are left out.", rivals - lines) : "");
  plot.spec = vl::frame(plot.title, fmt::format("n = {} pictures, best mean on top", verdict.pictures),
                        each ? picture_rows(analysis, verdict, lines) : means);
  plot.spec["height"] = {{"step", 24}};
  json y = vl::nominal("cell", order, "");
  y["axis"] = {{"labelLimit", 360}, {"grid", true}};
  json& layers = plot.spec["layer"];
  layers.push_back(
      {{"data", {{"values", zero}}},
       {"mark", {{"type", "rule"}, {"color", vl::kGrey}, {"strokeDash", {4, 3}}, {"aria", false}}},
       {"encoding", {{"x", vl::quantitative("value", x)}}}});
  if (each)
    layers.push_back(
        {{"mark", {{"type", "tick"}, {"thickness", 2}, {"color", vl::kBlue}, {"opacity", 0.6}}},
         {"encoding",
          {{"y", y},
           {"x", vl::quantitative("value", x)},
           {"tooltip",
            vl::tooltip({{"cell", "cell"}, {"picture", "picture"}, {"shown", "behind the best"}})}}}});
  for (json& layer : mean_layers(means, x)) {
    layer["encoding"]["y"] = y;
    layers.push_back(layer);
  }
  return plot;
}

}  // namespace upbench
