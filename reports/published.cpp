// Scores that others published, as the spec tells them, beside the run's own.
#include <algorithm>
#include <cmath>

#include <nlohmann/json.hpp>

#include "reports/summary.h"

namespace upbench {
namespace {

using Places = std::vector<std::pair<std::string, std::string>>;  // axis path, value as written

struct PublishedScores {
  Places where;
  std::vector<std::pair<std::string, double>> scores;
  std::string source;
};

// What the store keeps of `published`; a store written by hand may hold anything, which is then left out.
std::vector<PublishedScores> read(const RunData& data) {
  std::vector<PublishedScores> all;
  try {
    const nlohmann::json spec = nlohmann::json::parse(data.plan.run.canonical_spec);
    for (const nlohmann::json& one : spec.value("published", nlohmann::json::array()))
      all.push_back({one.at("where").get<Places>(),
                     one.at("scores").get<std::vector<std::pair<std::string, double>>>(),
                     one.at("source").get<std::string>()});
  } catch (const nlohmann::json::exception&) {
    all.clear();
  }
  return all;
}

bool is_at(const CellRow& cell, const Places& where) {
  return std::all_of(where.begin(), where.end(), [&](const auto& place) {
    return std::find(cell.label.begin(), cell.label.end(), place) != cell.label.end();
  });
}

}  // namespace

Table published_table(const Analysis& analysis) {
  Table table{.id = "published",
              .title = "Published numbers",
              .caption = "Scores that others published, and the means over the pictures of this run.",
              .columns = {},
              .rows = {}};
  table.columns = {{.id = "cell", .title = "cell"},
                   {.id = "metric", .title = "metric"},
                   {.id = "published", .title = "published", .kind = Table::Kind::number},
                   {.id = "here", .title = "here", .kind = Table::Kind::number},
                   {.id = "difference", .title = "difference", .kind = Table::Kind::number},
                   {.id = "n", .title = "n", .kind = Table::Kind::count},
                   {.id = "source", .title = "source"}};
  const RunPlan& plan = analysis.data->plan;
  for (const PublishedScores& published : read(*analysis.data))
    for (std::size_t cell = 0; cell < plan.cells.size(); ++cell) {
      if (!is_at(plan.cells[cell], published.where)) continue;
      for (const auto& [metric, score] : published.scores) {
        const auto found = std::find_if(plan.metrics.begin(), plan.metrics.end(),
                                        [&](const MetricRow& row) { return row.name == metric; });
        if (found == plan.metrics.end()) continue;
        const MetricFigures& figures =
            analysis.cells[cell].metrics[static_cast<std::size_t>(found - plan.metrics.begin())];
        const bool known = std::isfinite(figures.mean);
        table.add({.cells = {text_cell(analysis.cells[cell].name), text_cell(metric), value_cell(score),
                             known ? value_cell(figures.mean) : Table::Cell{.flag = ValueFlag::undefined},
                             known ? value_cell(figures.mean - score) : Table::Cell{},
                             value_cell(static_cast<double>(figures.scored)), text_cell(published.source)}});
      }
    }
  return table;
}

}  // namespace upbench
