#include <cmath>

#include <fmt/format.h>

#include "reports/decision/tables.h"
#include "reports/plots/kinds.h"
#include "reports/plots/vega_lite.h"
#include "reports/render/format.h"

namespace upbench {
namespace {

namespace vl = vega_lite;
using nlohmann::json;

json curve_rows(const SweetSpot& spot, double sign) {
  json rows = json::array();
  for (std::size_t i = 0; i < spot.response.at.size(); ++i)
    rows.push_back({{"setting", spot.response.at[i]},
                    {"score", sign * spot.response.curve[i]},
                    {"low", sign * spot.response.low[i]},
                    {"high", sign * spot.response.high[i]}});
  return rows;
}

json stretch(double from, double to) {
  json rows = json::array();
  rows.push_back({{"from", from}, {"to", to}});
  return rows;
}

// Over the whole height.
json stretch_layer(const Interval& interval, const json& x, const char* colour, double opacity) {
  json from = x;
  from["field"] = "from";
  return {{"data", {{"values", stretch(interval.low, interval.high)}}},
          {"mark", {{"type", "rect"}, {"color", colour}, {"opacity", opacity}, {"aria", false}}},
          {"encoding", {{"x", from}, {"x2", {{"field", "to"}}}}}};
}

json setting_rows(const SweetSpot& spot, const MetricRow& metric) {
  json rows = json::array();
  for (std::size_t i = 0; i < spot.settings.size(); ++i) {
    rows.push_back(
        {{"setting", spot.settings[i]},
         {"score", spot.means[i]},
         {"shown", vl::shown(metric, spot.means[i])},
         {"plateau", spot.response.plateau[i] ? "as good as the best" : "not shown to be as good"}});
    if (!spot.over_sigma) continue;
    rows.back()["sigma"] = spot.shown(spot.settings[i]);
    rows.back()["denoise"] = spot.in_tools[i].empty() ? "none near it" : clean_text(spot.in_tools[i]);
  }
  return rows;
}

}  // namespace

json setting_axis(const SweetSpot& spot, const std::string& title) {
  if (spot.over_sigma) return vl::logarithmic("setting", title, spot.settings.front(), spot.settings.back());
  json x = vl::quantitative("setting", title);
  x["scale"] = {{"zero", false}, {"nice", false}, {"padding", 12}};
  if (spot.logarithmic) x["scale"]["type"] = "log";
  return x;
}

std::optional<Plot> plot_sweet_spot(const Analysis& analysis, const SweetSpot& spot) {
  const MetricRow& metric = analysis.metric(spot.metric);
  const std::string score = vl::axis_title(metric),
                    axis = clean_text(analysis.axes[spot.axis].title) +
                           (spot.over_sigma ? " (start sigma)" : "") +
                           (spot.group.empty() ? "" : ", " + clean_text(spot.group));
  const bool told = spot.response.verdict != ResponseVerdict::no_effect;
  const Interval plateau = plateau_of(spot);
  const bool wide = told && plateau.low < plateau.high;
  Plot plot;
  plot.name = vl::file_name(fmt::format("sweet-spot_{}_{}{}{}", analysis.axes[spot.axis].path, metric.name,
                                        spot.group.empty() ? "" : "_", spot.group));
  plot.title = fmt::format("{} along {}: {}", clean_text(metric.name), axis, verdict_text(spot));
  plot.caption = fmt::format(
      "Smoothed mean curve; band: holds the whole curve's shape with 95 % confidence; points: means of the "
      "settings{}.{}{}",
      spot.over_sigma ? ", what they are in each tool's denoise beside them" : "",
      told ? " Red: 95 % interval of the best setting." : "",
      wide ? fmt::format(" Green: settings as good as the best to within {}.", vl::shown(metric, spot.margin))
           : "");
  plot.spec = vl::frame(fmt::format("{} along {}", clean_text(metric.name), axis),
                        fmt::format("n = {} pictures; {}", spot.pictures, verdict_text(spot)),
                        curve_rows(spot, metric.higher_is_better ? 1 : -1));
  plot.spec["height"] = 240;
  const json x = setting_axis(spot, axis);
  json& layers = plot.spec["layer"];
  if (wide) layers.push_back(stretch_layer(plateau, x, vl::kGreen, 0.15));
  if (told) layers.push_back(stretch_layer(spot.response.best_interval, x, vl::kRed, 0.25));
  layers.push_back(
      {{"mark", {{"type", "area"}, {"color", vl::kSky}, {"opacity", 0.35}, {"aria", false}}},
       {"encoding", {{"x", x}, {"y", vl::quantitative("low", score)}, {"y2", {{"field", "high"}}}}}});
  layers.push_back({{"mark", {{"type", "line"}, {"color", vl::kBlue}, {"aria", false}}},
                    {"encoding", {{"x", x}, {"y", vl::quantitative("score", score)}}}});
  layers.push_back(
      {{"data", {{"values", setting_rows(spot, metric)}}},
       {"mark", {{"type", "point"}, {"filled", true}, {"size", 80}, {"opacity", 1}, {"color", vl::kBlue}}},
       {"encoding",
        {{"x", x},
         {"y", vl::quantitative("score", score)},
         {"tooltip",
          spot.over_sigma
              ? vl::tooltip({{"sigma", "start sigma"},
                             {"denoise", "denoise"},
                             {"shown", "mean"},
                             {"plateau", "plateau"}})
              : vl::tooltip({{"setting", "setting"}, {"shown", "mean"}, {"plateau", "plateau"}})}}}});
  return plot;
}

}  // namespace upbench
