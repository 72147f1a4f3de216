#include <algorithm>
#include <cmath>
#include <functional>
#include <map>

#include <fmt/format.h>

#include "reports/plots/kinds.h"
#include "reports/plots/vega_lite.h"
#include "reports/render/format.h"
#include "reports/statistics/descriptive.h"

namespace upbench {
namespace {

namespace vl = vega_lite;
using nlohmann::json;

constexpr std::size_t kMostLines = 14;  // cells: more lines cannot be told apart
constexpr std::size_t kMostSizes = 60;  // of a cell; above it neighbours are joined
constexpr double kLeastGrowth = 1.1;    // greatest over least size, that there is growth to see

using Costs = std::map<double, std::vector<double>>;  // by megapixels of the output

// Of each cell, from its finished trials.
std::vector<Costs> costs_of(const RunData& data, const std::function<double(const RunData::Trial&)>& cost) {
  std::vector<Costs> costs(data.plan.cells.size());
  for (const RunData::Trial& trial : data.trials) {
    if (trial.same_as != kNoTrial || trial.width <= 0 || trial.height <= 0) continue;
    if (const double value = cost(trial); value > 0 && std::isfinite(value))
      costs[trial.cell][static_cast<double>(trial.width) * trial.height / 1e6].push_back(value);
  }
  return costs;
}

// Neighbouring sizes joined where there are too many.
Costs joined(const Costs& costs) {
  if (costs.size() <= kMostSizes) return costs;
  const double first = std::log(costs.begin()->first), last = std::log(costs.rbegin()->first);
  std::map<std::size_t, std::pair<std::vector<double>, std::vector<double>>> bins;  // sizes and costs
  for (const auto& [size, values] : costs) {
    const auto bin = static_cast<std::size_t>(static_cast<double>(kMostSizes - 1) * (std::log(size) - first) /
                                              (last - first));
    bins[bin].first.push_back(size);
    bins[bin].second.insert(bins[bin].second.end(), values.begin(), values.end());
  }
  Costs made;
  for (const auto& [bin, content] : bins) made[median(content.first)] = content.second;
  return made;
}

struct Kind {
  const char *name, *title, *axis, *told;
  double unit;  // of what is drawn
  Table::Kind kind;
  std::function<double(const RunData::Trial&)> cost;
};

std::optional<Plot> plot_growth(const Analysis& analysis, const Kind& kind) {
  json rows = json::array(), cells = json::array();
  double smallest = std::numeric_limits<double>::infinity(), largest = 0, least = smallest, most = 0;
  std::size_t drawn = 0, left_out = 0, trials = 0;
  const std::vector<Costs> all = costs_of(*analysis.data, kind.cost);
  for (const std::uint32_t cell : analysis.ranking) {
    if (drawn == kMostLines) {
      ++left_out;
      continue;
    }
    const Costs costs = joined(all[cell]);
    if (costs.size() < 2) continue;
    ++drawn;
    const std::string name = clean_text(analysis.cells[cell].name);
    cells.push_back(name);
    for (const auto& [size, values] : costs) {
      const double value = median(values);
      trials += values.size();
      smallest = std::min(smallest, size);
      largest = std::max(largest, size);
      least = std::min(least, value / kind.unit);
      most = std::max(most, value / kind.unit);
      rows.push_back({{"cell", name},
                      {"megapixels", size},
                      {"cost", value / kind.unit},
                      {"shown", format_value({.id = {}, .title = {}, .kind = kind.kind}, value)},
                      {"n", values.size()}});
    }
  }
  if (drawn == 0 || largest < kLeastGrowth * smallest) return {};
  Plot plot{.name = kind.name, .title = kind.title, .caption = {}, .spec = {}};
  plot.caption = fmt::format(
      "One point a size: median over the cell's pictures of that size. Both axes are logarithmic: a line "
      "that rises as steeply as the plot's diagonal of equal decades grows in proportion to the picture.{}",
      left_out > 0 ? fmt::format(" {} cells further down the ranking are left out.", left_out) : "");
  plot.spec = vl::frame(plot.title, fmt::format("{} cells, n = {} pictures", drawn, trials), std::move(rows));
  plot.spec["height"] = 300;
  plot.spec["encoding"] = {
      {"x", vl::logarithmic("megapixels", "size of the output [megapixels]", smallest, largest)},
      {"y", vl::logarithmic("cost", kind.axis, least, most)}};
  const json colour = vl::coloured("cell", "cell", cells), shape = vl::shaped("cell", "cell", cells);
  json& layers = plot.spec["layer"];
  layers.push_back({{"mark", {{"type", "line"}, {"strokeWidth", 1.5}, {"aria", false}}},
                    {"encoding", {{"color", colour}}}});
  layers.push_back(
      {{"mark", {{"type", "point"}, {"filled", true}, {"size", 60}, {"opacity", 1}}},
       {"encoding",
        {{"color", colour},
         {"shape", shape},
         {"tooltip",
          vl::tooltip(
              {{"cell", "cell"}, {"megapixels", "megapixels"}, {"shown", kind.told}, {"n", "pictures"}})}}}});
  return plot;
}

}  // namespace

std::vector<Plot> plot_cost_growth(const Analysis& analysis) {
  const Kind model{"growth_time",
                   "How time grows with the picture",
                   "model time [s]",
                   "time",
                   1,
                   Table::Kind::seconds,
                   [](const RunData::Trial& trial) { return trial.model_seconds; }},
      sweep{"growth_time",
            "How time grows with the picture",
            "sweep time [s]",
            "time",
            1,
            Table::Kind::seconds,
            [](const RunData::Trial& trial) { return trial.sweep_seconds; }},
      memory{"growth_memory",
             "How memory grows with the picture",
             "peak memory [MiB]",
             "peak memory",
             1 << 20,
             Table::Kind::bytes,
             [](const RunData::Trial& trial) { return static_cast<double>(trial.peak_bytes); }};
  std::vector<Plot> plots;
  // The model time is often measured on pictures of one size alone.
  std::optional<Plot> time = plot_growth(analysis, model);
  if (!time) time = plot_growth(analysis, sweep);
  for (std::optional<Plot> plot : {std::move(time), plot_growth(analysis, memory)})
    if (plot) plots.push_back(std::move(*plot));
  return plots;
}

}  // namespace upbench
