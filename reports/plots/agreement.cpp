#include <fmt/format.h>

#include "reports/plots/kinds.h"
#include "reports/plots/vega_lite.h"
#include "reports/render/format.h"

namespace upbench {
namespace {

namespace vl = vega_lite;
using nlohmann::json;

constexpr std::size_t kMostMetrics = 30;

}  // namespace

std::optional<Plot> plot_agreement(const Analysis& analysis, const Decisions& decisions) {
  // Two metrics are one number, which the table tells.
  if (decisions.agreements.size() < 3) return {};
  json rows = json::array(), order = json::array();
  std::size_t cells = 0, left_out = 0;
  const auto name = [&](std::size_t m) { return clean_text(analysis.metric(m).name); };
  for (std::size_t m = 0; m < std::min(kMostMetrics, analysis.data->plan.metrics.size()); ++m)
    order.push_back(name(m));
  for (const auto& [first, second, count, tau] : decisions.agreements) {
    if (second >= kMostMetrics) {
      ++left_out;
      continue;
    }
    cells = std::max(cells, count);
    for (const auto& [a, b] : {std::pair(first, second), std::pair(second, first)})
      rows.push_back({{"first", name(a)},
                      {"second", name(b)},
                      {"tau", tau},
                      {"shown", fixed(tau, 2)},
                      {"strong", std::abs(tau) > 0.6},
                      {"cells", count}});
  }
  Plot plot;
  plot.name = "agreement";
  plot.title = "Do the metrics agree?";
  plot.caption = fmt::format(
      "Kendall's tau of the order of the cells by two metrics: 1 the same order, 0 unrelated, -1 the "
      "opposite.{}",
      left_out > 0 ? fmt::format(" {} pairs are left out.", left_out) : "");
  plot.spec = vl::frame(plot.title, fmt::format("{} cells", cells), std::move(rows));
  plot.spec["height"] = {{"step", 34}};
  json x = vl::nominal("first", order, ""), y = vl::nominal("second", order, "");
  x["axis"] = {{"labelAngle", -30}};
  plot.spec["encoding"] = {{"x", x}, {"y", y}};
  json& layers = plot.spec["layer"];
  layers.push_back(
      {{"mark", {{"type", "rect"}}},
       {"encoding",
        {{"color",
          {{"field", "tau"},
           {"type", "quantitative"},
           {"title", "tau"},
           {"scale", {{"domain", {-1, 0, 1}}, {"range", {vl::kRed, "#f2f2f2", vl::kBlue}}}}}},
         {"tooltip",
          vl::tooltip({{"first", "metric"}, {"second", "and"}, {"shown", "tau"}, {"cells", "cells"}})}}}});
  layers.push_back(
      {{"mark", {{"type", "text"}, {"aria", false}}},
       {"encoding",
        {{"text", {{"field", "shown"}}},
         {"color",
          {{"condition", {{"test", "datum.strong"}, {"value", "#ffffff"}}}, {"value", "#1c1f23"}}}}}});
  return plot;
}

}  // namespace upbench
