#include "reports/summary.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

#include <fmt/format.h>

#include "reports/statistics/descriptive.h"

namespace upbench {
namespace {

Table::Column metric_column(const MetricRow& metric) {
  return {.id = metric.name,
          .title = fmt::format("{}{} {}", metric.name, metric.unit.empty() ? "" : " [" + metric.unit + "]",
                               metric.higher_is_better ? "↑" : "↓"),
          .kind = metric.unit == "dB" ? Table::Kind::decibel : Table::Kind::number,
          .decimals = metric.decimals,
          .better = metric.higher_is_better ? Table::Better::higher : Table::Better::lower};
}

Table::Column cost_column(std::string id, std::string title, Table::Kind kind = Table::Kind::seconds) {
  return {.id = std::move(id), .title = std::move(title), .kind = kind, .better = Table::Better::lower};
}

Table::Cell mean_cell(const MetricFigures& figures, bool best) {
  Table::Cell cell = optional_cell(figures.mean);
  if (std::isinf(figures.mean)) cell.flag = ValueFlag::inf;
  if (std::isnan(figures.mean)) cell.flag = ValueFlag::undefined;
  if (!std::isnan(figures.spread)) cell.spread = figures.spread;
  if (figures.scored > 0 && figures.infinite > 0) cell.text = fmt::format("without {} ∞", figures.infinite);
  cell.best = best;
  return cell;
}

Table::Cell whole(std::uint64_t number) {
  return value_cell(static_cast<double>(number));
}

// A column of the ranking beside the metrics.
struct Extra {
  Table::Column column;
  Table::Cell (*cell)(const CellFigures&);
  bool always;  // else only where some cell has a value that is not 0
};

std::vector<Extra> extra_columns(const Analysis& analysis) {
  const auto count = [](std::string id, std::string title) {
    return Table::Column{.id = std::move(id), .title = std::move(title), .kind = Table::Kind::count};
  };
  std::vector<Extra> extras = {
      {cost_column("cost_model_s", "model time"),
       [](const CellFigures& cell) { return optional_cell(cell.model_seconds); }, false},
      {cost_column("cost_sweep_s", "sweep time"),
       [](const CellFigures& cell) { return optional_cell(cell.sweep_seconds); }, true},
      {cost_column("cost_peak_bytes", "peak memory", Table::Kind::bytes),
       [](const CellFigures& cell) { return cell.peak_bytes > 0 ? whole(cell.peak_bytes) : Table::Cell{}; },
       false},
      {count("failed", "failed"), [](const CellFigures& cell) { return whole(cell.failed); }, true},
      {count("skipped", "skipped"), [](const CellFigures& cell) { return whole(cell.skipped); }, false},
      {count("pending", "to do"), [](const CellFigures& cell) { return whole(cell.pending); }, false}};
  std::erase_if(extras, [&](const Extra& extra) {
    return !extra.always &&
           std::none_of(analysis.cells.begin(), analysis.cells.end(),
                        [&](const CellFigures& cell) { return extra.cell(cell).value.value_or(0) != 0; });
  });
  return extras;
}

std::string ranking_caption(const Analysis& analysis) {
  const auto& metrics = analysis.data->plan.metrics;
  std::string caption = "No metrics were asked for.";
  if (!metrics.empty())
    caption = fmt::format(
        "Best first by {}. Mean ± standard deviation over n pictures; bold: not shown to be worse than the "
        "best (none where nothing can be told).",
        metrics[0].name);
  std::size_t least = analysis.data->plan.images.size(), most = 0;
  for (const CellFigures& cell : analysis.cells) {
    if (cell.model_timed == 0) continue;
    least = std::min(least, cell.model_timed);
    most = std::max(most, cell.model_timed);
  }
  caption += " Times: median of a picture";
  if (most > 0)
    caption += fmt::format("; model time on {} of {}",
                           least == most ? fmt::format("{}", most) : fmt::format("{} to {}", least, most),
                           analysis.data->plan.images.size());
  return caption + ".";
}

}  // namespace

std::string ranking_row_key(std::uint32_t cell) {
  return fmt::format("cell-{}", cell);
}

Table ranking_table(const Analysis& analysis, const Decisions& decisions) {
  const auto& metrics = analysis.data->plan.metrics;
  std::vector<std::vector<std::uint32_t>> leaders;
  for (const Verdict& verdict : decisions.verdicts)
    leaders.push_back(verdict.tells_anything() ? verdict.leaders() : std::vector<std::uint32_t>());
  Table table{.id = "ranking", .title = "Ranking", .columns = {}, .rows = {}};
  table.caption = ranking_caption(analysis);
  for (const std::size_t i : analysis.naming)
    table.columns.push_back({.id = analysis.axes[i].path, .title = analysis.axes[i].title});
  table.columns.push_back({.id = "n", .title = "n", .kind = Table::Kind::count});
  for (const MetricRow& metric : metrics) {
    table.columns.push_back(metric_column(metric));
    table.columns.back().spread = true;
  }
  const std::vector<Extra> extras = extra_columns(analysis);
  for (const Extra& extra : extras) table.columns.push_back(extra.column);

  for (const std::uint32_t c : analysis.ranking) {
    const CellFigures& cell = analysis.cells[c];
    Table::Row row{.cells = {}, .key = ranking_row_key(c)};
    for (const std::size_t i : analysis.naming)
      row.cells.push_back(text_cell(axis_value(analysis.axes[i], c)));
    std::size_t pictures = 0;
    for (const MetricFigures& figures : cell.metrics)
      pictures = std::max(pictures, figures.scored + figures.infinite);
    row.cells.push_back(value_cell(static_cast<double>(pictures)));
    for (std::size_t m = 0; m < metrics.size(); ++m) {
      const MetricFigures& figures = cell.metrics[m];
      row.cells.push_back(mean_cell(figures, std::ranges::count(leaders[m], c) > 0));
      if (const std::size_t n = figures.scored + figures.infinite; n > 0 && n < pictures)
        row.cells.back().text = fmt::format("n = {}", n);
    }
    for (const Extra& extra : extras) row.cells.push_back(extra.cell(cell));
    if (pictures == 0) row.status = cell.failed > 0 ? Status::failed : Status::skipped;
    table.add(std::move(row));
  }
  return table;
}

namespace {

// Of one metric: per picture the mean over the given cells.
std::vector<double> mean_over_cells(const Analysis& analysis, const std::vector<std::size_t>& cells,
                                    std::size_t m) {
  std::vector<double> means, scores;
  for (std::size_t picture = 0; picture < analysis.data->plan.images.size(); ++picture) {
    scores.clear();
    for (const std::size_t c : cells)
      if (const double score = analysis.cells[c].metrics[m].of_picture[picture]; std::isfinite(score))
        scores.push_back(score);
    if (!scores.empty()) means.push_back(mean(scores));
  }
  return means;
}

std::vector<std::size_t> cells_at(const ReportAxis& axis, std::uint32_t value) {
  std::vector<std::size_t> cells;
  for (std::size_t c = 0; c < axis.of_cell.size(); ++c)
    if (axis.of_cell[c] == value) cells.push_back(c);
  return cells;
}

// Cells at `value` of the axis, each with the cell at the first value that agrees in every other axis.
std::vector<std::pair<std::size_t, std::size_t>> partners(const Analysis& analysis, std::size_t axis,
                                                          std::uint32_t value) {
  const auto others = [&](std::size_t cell) {
    std::vector<std::uint32_t> key;
    for (std::size_t i = 0; i < analysis.axes.size(); ++i)
      key.push_back(i == axis ? 0 : analysis.axes[i].of_cell[cell]);
    return key;
  };
  std::map<std::vector<std::uint32_t>, std::size_t> first;
  for (const std::size_t c : cells_at(analysis.axes[axis], 0)) first.emplace(others(c), c);
  std::vector<std::pair<std::size_t, std::size_t>> pairs;
  for (const std::size_t c : cells_at(analysis.axes[axis], value))
    if (const auto partner = first.find(others(c)); partner != first.end())
      pairs.emplace_back(partner->second, c);
  return pairs;
}

Table::Cell effect_cell(const Analysis& analysis,
                        const std::vector<std::pair<std::size_t, std::size_t>>& pairs, std::size_t m) {
  std::vector<double> all;
  for (const auto& [first, other] : pairs) {
    const std::vector<double> differences =
        paired_differences(analysis.cells[first].metrics[m], analysis.cells[other].metrics[m]);
    all.insert(all.end(), differences.begin(), differences.end());
  }
  return optional_cell(mean(all));
}

Table::Row axis_row(const Analysis& analysis, std::size_t a, std::uint32_t value) {
  const ReportAxis& axis = analysis.axes[a];
  const std::vector<std::size_t> cells = cells_at(axis, value);
  std::vector<std::pair<std::size_t, std::size_t>> pairs;
  if (value > 0) pairs = partners(analysis, a, value);
  Table::Row row;
  row.cells = {text_cell(axis.title), text_cell(axis.values[value]),
               value_cell(static_cast<double>(cells.size()))};
  for (std::size_t m = 0; m < analysis.data->plan.metrics.size(); ++m) {
    const std::vector<double> means = mean_over_cells(analysis, cells, m);
    row.cells.push_back(optional_cell(mean(means)));
    if (means.size() > 1) row.cells.back().spread = standard_deviation(means);
    row.cells.push_back(effect_cell(analysis, pairs, m));
  }
  return row;
}

}  // namespace

Table axes_table(const Analysis& analysis) {
  Table table{.id = "axes", .title = "Axes", .caption = {}, .columns = {}, .rows = {}};
  table.caption =
      "Mean ± standard deviation over pictures of all cells with the value. Δ: mean difference from the "
      "axis's first value on the same "
      "picture, between cells that differ in this axis alone.";
  table.columns = {{.id = "axis", .title = "axis"},
                   {.id = "value", .title = "value"},
                   {.id = "cells", .title = "cells", .kind = Table::Kind::count}};
  for (const MetricRow& metric : analysis.data->plan.metrics) {
    table.columns.push_back(metric_column(metric));
    table.columns.back().spread = true;
    Table::Column effect = metric_column(metric);
    effect.id = metric.name + "_effect";
    effect.title = "Δ " + metric.name;
    table.columns.push_back(effect);
  }
  for (std::size_t a = 0; a < analysis.axes.size(); ++a) {
    const ReportAxis& axis = analysis.axes[a];
    if (!axis.varies()) continue;
    for (std::uint32_t value = 0; value < axis.values.size(); ++value)
      table.add(axis_row(analysis, a, value));
  }
  return table;
}

TrialTable::TrialTable(const Analysis& analysis, For reader)
    : analysis_(analysis), reader_(reader), axes_(analysis.naming) {
  if (reader == For::programs) {
    axes_.resize(analysis.axes.size());
    for (std::size_t i = 0; i < axes_.size(); ++i) axes_[i] = i;
  }
  for (const std::size_t i : axes_)
    columns_.push_back({.id = analysis.axes[i].path, .title = analysis.axes[i].title});
  columns_.push_back({.id = "picture", .title = "picture"});
  columns_.push_back({.id = "seed", .title = "seed"});
  for (const MetricRow& metric : analysis.data->plan.metrics) columns_.push_back(metric_column(metric));
  for (const char* name : {"status", "reason", "flags"}) columns_.push_back({.id = name, .title = name});
  columns_.push_back({.id = "same_as", .title = "same as"});
  columns_.push_back(cost_column("cost_model_s", "model time"));
  columns_.push_back(cost_column("cost_sweep_s", "sweep time"));
  columns_.push_back(cost_column("cost_peak_bytes", "peak memory", Table::Kind::bytes));
  if (reader == For::programs && analysis.data->model_times.size() > 1)
    for (const ModelTimeColumn& column : model_time_columns()) columns_.push_back(column.column);
}

Table::Row TrialTable::row(std::size_t index) const {
  const RunData& data = *analysis_.data;
  const RunData::Trial& trial = data.trials[index];
  Table::Row row{.cells = {}, .status = trial.finished ? trial.status : Status::skipped};
  for (const std::size_t i : axes_) row.cells.push_back(text_cell(axis_value(analysis_.axes[i], trial.cell)));
  row.cells.push_back(text_cell(data.plan.images[trial.image].name));
  row.cells.push_back(text_cell(fmt::format("{}", trial.seed)));
  std::string reason = data.text(trial.reason);
  for (std::size_t m = 0; m < data.plan.metrics.size(); ++m) {
    const RunData::Score& score = data.score(index, m);
    if (trial.finished && score.flag == ValueFlag::ok) {
      row.cells.push_back(value_cell(score.value));
    } else if (trial.finished &&
               score.flag == ValueFlag::inf) {  // whatever number a store keeps beside the flag
      row.cells.push_back(value_cell(std::numeric_limits<double>::infinity(), ValueFlag::inf));
    } else {
      row.cells.push_back({.flag = score.flag});
      // A metric that is skipped everywhere would fill a page for people with one sentence; missing_table()
      // says it once.
      const bool told = reader_ == For::programs || score.flag != ValueFlag::skipped;
      if (trial.finished && told && !data.text(score.reason).empty())
        reason += fmt::format("{}{} {}: {}", reason.empty() ? "" : "; ", data.plan.metrics[m].name,
                              to_string(score.flag), data.text(score.reason));
    }
  }
  row.cells.push_back(text_cell(trial.finished ? std::string(to_string(trial.status)) : "pending"));
  row.cells.push_back(text_cell(std::move(reason)));
  std::string flags = data.text(trial.flags);
  if (const std::uint32_t twin = analysis_.same_pixels[index]; twin != kNoTrial)
    flags += fmt::format("{}same-pixels-as {}", flags.empty() ? "" : "; ",
                         analysis_.cells[data.trials[twin].cell].name);
  row.cells.push_back(text_cell(std::move(flags)));
  std::string same;
  if (trial.same_as < data.trials.size()) {
    const RunData::Trial& other = data.trials[trial.same_as];
    same = fmt::format("{}, {}, seed {}", analysis_.cells[other.cell].name,
                       data.plan.images[other.image].name, other.seed);
  }
  row.cells.push_back(text_cell(std::move(same)));
  row.cells.push_back(optional_cell(trial.model_seconds));
  row.cells.push_back(optional_cell(trial.sweep_seconds));
  row.cells.push_back(trial.peak_bytes > 0 ? value_cell(static_cast<double>(trial.peak_bytes))
                                           : Table::Cell{});
  if (row.cells.size() < columns_.size())
    for (const ModelTimeColumn& column : model_time_columns())
      row.cells.push_back(optional_cell(data.model_times[trial.model_time].*column.value));
  return row;
}

// Columns that say nothing (no seed but one, no flag, no repeat, ...) are for programs only.
Table TrialTable::table(std::size_t most_rows) const {
  Table table{.id = kTrialsId, .title = "Every trial", .caption = {}, .columns = columns_, .rows = {}};
  const std::size_t count = analysis_.data->trials.size();
  for (std::size_t i = 0; i < std::min(count, most_rows); ++i) table.add(row(i));
  table.left_out = count - table.rows.size();
  for (std::size_t i = table.columns.size(); i-- > 0;) {
    const std::string& id = table.columns[i].id;
    const bool dull = std::all_of(table.rows.begin(), table.rows.end(), [&](const Table::Row& row) {
      const Table::Cell& cell = row.cells[i];
      return id == "seed" ? cell.text == table.rows.front().cells[i].text : cell.text.empty() && !cell.value;
    });
    const bool optional =
        id == "seed" || id == "reason" || id == "flags" || id == "same_as" || id.starts_with("cost_");
    if (!optional || !dull) continue;
    table.columns.erase(table.columns.begin() + static_cast<std::ptrdiff_t>(i));
    for (Table::Row& row : table.rows) row.cells.erase(row.cells.begin() + static_cast<std::ptrdiff_t>(i));
  }
  return table;
}

}  // namespace upbench
