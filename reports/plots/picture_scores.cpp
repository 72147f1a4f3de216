#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "reports/plots/kinds.h"
#include "reports/plots/vega_lite.h"
#include "reports/render/format.h"
#include "reports/statistics/descriptive.h"

namespace upbench {
namespace {

namespace vl = vega_lite;
using nlohmann::json;

constexpr std::size_t kMostLines = 60;    // cells that a reader can tell apart
constexpr std::size_t kMostTicks = 2000;  // above it quantiles

json picture_rows(const Analysis& analysis, const std::vector<std::uint32_t>& cells, std::size_t m) {
  json rows = json::array();
  for (const std::uint32_t c : cells) {
    const MetricFigures& figures = analysis.cells[c].metrics[m];
    for (std::size_t picture = 0; picture < figures.of_picture.size(); ++picture)
      if (const double value = figures.of_picture[picture]; std::isfinite(value))
        rows.push_back({{"cell", clean_text(analysis.cells[c].name)},
                        {"value", value},
                        {"shown", vl::shown(analysis.metric(m), value)},
                        {"picture", clean_text(analysis.data->plan.images[picture].name)}});
  }
  return rows;
}

json quantile_rows(const Analysis& analysis, const std::vector<std::uint32_t>& cells, std::size_t m) {
  json rows = json::array();
  for (const std::uint32_t c : cells) {
    std::vector<double> values = analysis.cells[c].metrics[m].of_picture;
    std::erase_if(values, [](double value) { return !std::isfinite(value); });
    rows.push_back({{"cell", clean_text(analysis.cells[c].name)},
                    {"p5", quantile(values, 0.05)},
                    {"p25", quantile(values, 0.25)},
                    {"value", median(values)},
                    {"p75", quantile(values, 0.75)},
                    {"p95", quantile(values, 0.95)},
                    {"shown", vl::shown(analysis.metric(m), median(values))}});
  }
  return rows;
}

json picture_layers(bool each, const std::string& x, json means) {
  json layers = json::array();
  if (!each) {
    layers.push_back({{"mark", {{"type", "rule"}, {"color", vl::kGrey}, {"aria", false}}},
                      {"encoding", {{"x", vl::quantitative("p5", x)}, {"x2", {{"field", "p95"}}}}}});
    layers.push_back({{"mark", {{"type", "bar"}, {"height", 8}, {"color", vl::kSky}, {"aria", false}}},
                      {"encoding", {{"x", vl::quantitative("p25", x)}, {"x2", {{"field", "p75"}}}}}});
  }
  layers.push_back(
      {{"mark", {{"type", "tick"}, {"thickness", 2}, {"color", vl::kBlue}, {"opacity", 0.65}}},
       {"encoding",
        {{"x", vl::quantitative("value", x)},
         {"tooltip", each ? vl::tooltip({{"cell", "cell"}, {"picture", "picture"}, {"shown", "score"}})
                          : vl::tooltip({{"cell", "cell"}, {"shown", "median"}})}}}});
  layers.push_back(
      {{"data", {{"values", std::move(means)}}},
       {"mark",
        {{"type", "point"}, {"shape", "diamond"}, {"filled", true}, {"size", 70}, {"color", vl::kRed}}},
       {"encoding",
        {{"x", vl::quantitative("value", x)},
         {"tooltip", vl::tooltip({{"cell", "cell"}, {"shown", "mean"}})}}}});
  return layers;
}

}  // namespace

std::optional<Plot> plot_picture_scores(const Analysis& analysis, std::size_t m) {
  const MetricRow& metric = analysis.metric(m);
  std::vector<std::uint32_t> cells;
  std::size_t ticks = 0;
  for (const std::uint32_t c : analysis.ranking)
    if (analysis.cells[c].metrics[m].scored > 0) cells.push_back(c);
  const auto mean_of = [&](std::uint32_t c) { return analysis.cells[c].metrics[m].mean; };
  std::stable_sort(cells.begin(), cells.end(), [&](std::uint32_t a, std::uint32_t b) {
    return analysis.better(m, mean_of(a), mean_of(b));
  });
  if (cells.empty()) return {};
  const std::size_t cut = cells.size() - std::min(cells.size(), kMostLines);
  cells.resize(cells.size() - cut);
  json order = json::array(), means = json::array();
  for (const std::uint32_t c : cells) {
    order.push_back(clean_text(analysis.cells[c].name));
    ticks += analysis.cells[c].metrics[m].scored;
    means.push_back({{"cell", clean_text(analysis.cells[c].name)},
                     {"value", mean_of(c)},
                     {"shown", vl::shown(metric, mean_of(c))},
                     {"picture", "mean"}});
  }
  const bool each = ticks <= kMostTicks;
  Plot plot;
  plot.wide = true;
  plot.name = vl::file_name("pictures_" + metric.name);
  plot.title = fmt::format("{} of each picture", clean_text(metric.name));
  plot.caption =
      fmt::format("{}{}",
                  each ? "Tick: one picture; diamond: mean."
                       : "Line: 5 % to 95 % of the pictures; bar: 25 % to 75 %; tick: median; diamond: mean.",
                  cut > 0 ? fmt::format(" The {} cells with the lowest rank are left out.", cut) : "");
  plot.spec = vl::frame(plot.title,
                        fmt::format("{} cells, n = {} pictures, best mean on top", cells.size(),
                                    analysis.data->plan.images.size()),
                        each ? picture_rows(analysis, cells, m) : quantile_rows(analysis, cells, m));
  plot.spec["height"] = {{"step", 22}};
  json y = vl::nominal("cell", order, "");
  y["axis"] = {{"labelLimit", 360}, {"grid", true}};
  plot.spec["encoding"] = {{"y", y}};
  plot.spec["layer"] = picture_layers(each, vl::axis_title(metric), std::move(means));
  return plot;
}

}  // namespace upbench
