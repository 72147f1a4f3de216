#include <algorithm>

#include <fmt/format.h>

#include "reports/plots/kinds.h"
#include "reports/plots/vega_lite.h"
#include "reports/render/format.h"

namespace upbench {
namespace {

namespace vl = vega_lite;
using nlohmann::json;

constexpr std::size_t kMostLines = 60;

}  // namespace

std::optional<Plot> plot_ranks(const Analysis& analysis, const Verdict& verdict) {
  if (verdict.contenders.size() < 3 || verdict.pictures < 2) return {};
  const std::string metric = clean_text(analysis.metric(verdict.metric).name);
  const std::size_t lines = std::min(verdict.contenders.size(), kMostLines),
                    cut = verdict.contenders.size() - lines;
  json rows = json::array(), order = json::array();
  for (std::size_t i = 0; i < lines; ++i) {
    const auto& [cell, rival, same] = verdict.contenders[i];
    const std::string name = clean_text(analysis.cells[cell].name);
    order.push_back(name);
    rows.push_back({{"cell", name},
                    {"rank", rival.standing.rank},
                    {"low", rival.standing.ranks.low},
                    {"high", rival.standing.ranks.high},
                    {"shown", fmt::format("{} [{}, {}]", exact(rival.standing.rank),
                                          exact(rival.standing.ranks.low), exact(rival.standing.ranks.high))},
                    {"first", fixed(100 * rival.standing.best_share, 0) + " %"}});
  }
  Plot plot;
  plot.wide = true;
  plot.name = vl::file_name("ranks_" + analysis.metric(verdict.metric).name);
  plot.title = fmt::format("{}: how stable the ranks are", metric);
  plot.caption = fmt::format(
      "Point: rank by the mean; bar: 95 % of the ranks, and at the right the share of first places, over "
      "resampled "
      "pictures.{}",
      cut > 0 ? fmt::format(" The {} cells with the lowest rank are left out.", cut) : "");
  plot.spec = vl::frame(plot.title, fmt::format("n = {} pictures", verdict.pictures), std::move(rows));
  plot.spec["height"] = {{"step", 22}};
  json y = vl::nominal("cell", order, ""), x = vl::quantitative("rank", "rank, 1 is the best");
  y["axis"] = {{"labelLimit", 360}, {"grid", true}};
  x["axis"] = {{"tickMinStep", 1}, {"format", "d"}};
  x["scale"] = {{"zero", false}, {"nice", false}, {"padding", 24}};
  json low = x;
  low["field"] = "low";
  plot.spec["encoding"] = {{"y", y}};
  json& layers = plot.spec["layer"];
  layers.push_back({{"mark", {{"type", "rule"}, {"color", vl::kSky}, {"strokeWidth", 5}, {"aria", false}}},
                    {"encoding", {{"x", low}, {"x2", {{"field", "high"}}}}}});
  layers.push_back(
      {{"mark", {{"type", "point"}, {"filled", true}, {"size", 80}, {"opacity", 1}, {"color", vl::kBlue}}},
       {"encoding",
        {{"x", x},
         {"tooltip", vl::tooltip({{"cell", "cell"}, {"shown", "rank"}, {"first", "first places"}})}}}});
  json end = x;
  end["field"] = "high";
  layers.push_back({{"mark", {{"type", "text"}, {"align", "left"}, {"dx", 8}, {"aria", false}}},
                    {"encoding", {{"x", end}, {"text", {{"field", "first"}}}}}});
  return plot;
}

}  // namespace upbench
