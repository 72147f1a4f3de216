#include "reports/plots/heat_map.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "reports/plots/vega_lite.h"

namespace upbench {
namespace {

namespace vl = vega_lite;
using nlohmann::json;

// From worst to best; both its lightness and its hue change, so that it can be read in grey, too (ends and
// middle of Nuñez, Anderton and Renslow's cividis, 2018).
constexpr const char* kRamp[] = {"#00224e", "#575d6d", "#a59c74", "#fee838"};

}  // namespace

std::optional<Plot> plot_heat_map(const HeatMap& map) {
  json rows = json::array();
  double least = std::numeric_limits<double>::infinity(), most = -least;
  for (const HeatMap::Field& field : map.fields) {
    if (!std::isfinite(field.value)) continue;
    least = std::min(least, field.value);
    most = std::max(most, field.value);
  }
  for (std::size_t j = 0; j < map.y.size(); ++j)
    for (std::size_t i = 0; i < map.x.size(); ++i) {
      const HeatMap::Field& field = map.fields[j * map.x.size() + i];
      if (!std::isfinite(field.value)) continue;
      const double share = most > least ? (field.value - least) / (most - least) : 0.5;
      rows.push_back({{"x", map.x[i]},
                      {"y", map.y[j]},
                      {"value", field.value},
                      {"shown", field.shown},
                      {"told", field.told},
                      {"cells", field.cells},
                      {"n", field.pictures},
                      {"bright", (map.higher_is_better ? share : 1 - share) > 0.6}});
    }
  if (rows.size() < 2) return {};
  Plot plot{.name = vl::file_name(map.name), .title = map.title, .caption = map.caption, .spec = {}};
  plot.spec = vl::frame(map.title, map.subtitle, std::move(rows));
  plot.spec["height"] = {{"step", 34}};
  json x = vl::nominal("x", map.x, map.x_title), y = vl::nominal("y", map.y, map.y_title);
  x["axis"] = {{"labelAngle", map.x.size() > 8 ? -45 : 0}, {"labelLimit", 160}};
  y["axis"] = {{"labelLimit", 220}};
  plot.spec["encoding"] = {{"x", x}, {"y", y}};
  json ramp = json::array();
  for (const char* colour : kRamp) ramp.push_back(colour);
  if (!map.higher_is_better) std::ranges::reverse(ramp);
  json& layers = plot.spec["layer"];
  layers.push_back(
      {{"mark", {{"type", "rect"}}},
       {"encoding",
        {{"color",
          {{"field", "value"},
           {"type", "quantitative"},
           {"title", map.value_title},
           {"scale", {{"range", ramp}, {"zero", false}, {"nice", false}}}}},
         {"tooltip",
          vl::tooltip({{"x", "x"}, {"y", "y"}, {"told", "mean"}, {"cells", "cells"}, {"n", "pictures"}})}}}});
  layers.push_back(
      {{"mark", {{"type", "text"}, {"aria", false}}},
       {"encoding",
        {{"text", {{"field", "shown"}}},
         {"color",
          {{"condition", {{"test", "datum.bright"}, {"value", "#1c1f23"}}}, {"value", "#ffffff"}}}}}});
  json& tooltips = layers[0]["encoding"]["tooltip"];
  tooltips[0]["title"] = map.x_title;
  tooltips[1]["title"] = map.y_title;
  return plot;
}

}  // namespace upbench
