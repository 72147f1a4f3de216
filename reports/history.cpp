#include "reports/history.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <set>
#include <stdexcept>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "reports/gate/changes.h"
#include "reports/statistics/descriptive.h"

namespace upbench {
namespace {

constexpr std::size_t kRevisionShown = 12;

using Entries = std::vector<HistoryEntry>;

template <class Item, class Name>
std::optional<std::size_t> place(const std::vector<Item>& items, const Name& name, Name Item::* member) {
  const auto found = std::ranges::find(items, name, member);
  if (found == items.end()) return std::nullopt;
  return static_cast<std::size_t>(found - items.begin());
}

// Visits the trials of one cell and picture, whichever seeds there are.
template <class Visit>
void for_each_trial_of(const GateSide& side, std::size_t cell, std::size_t picture, Visit visit) {
  for (auto it = side.trials.lower_bound({cell, picture, 0}); it != side.trials.end(); ++it) {
    if (std::get<0>(it->first) != cell || std::get<1>(it->first) != picture) return;
    visit(it->second);
  }
}

// The value of every picture that a run has it of: mean over seeds, of times the median sample.
using Values = std::map<std::string, double>;

Values score_values(const GateSide& side, const GateSide& newest, std::size_t cell, std::size_t metric) {
  Values values;
  for (std::size_t p = 0; p < side.pictures.size(); ++p) {
    const auto same = place(newest.pictures, side.pictures[p].name, &GateSide::Picture::name);
    if (!same || newest.pictures[*same].reference != side.pictures[p].reference) continue;
    std::vector<double> seeds;
    for_each_trial_of(side, cell, p, [&](const GateSide::Trial& trial) {
      if (metric < trial.scores.size() && trial.scores[metric].flag == ValueFlag::ok)
        seeds.push_back(trial.scores[metric].value);
    });
    if (!seeds.empty()) values.emplace(side.pictures[p].name, mean(seeds));
  }
  return values;
}

Values time_values(const GateSide& side, std::size_t cell) {
  Values values;
  for (std::size_t p = 0; p < side.pictures.size(); ++p) {
    std::vector<double> samples;
    for_each_trial_of(side, cell, p, [&](const GateSide::Trial& trial) {
      samples.insert(samples.end(), trial.model_seconds.begin(), trial.model_seconds.end());
    });
    if (!samples.empty()) values.emplace(side.pictures[p].name, median(samples));
  }
  return values;
}

std::vector<std::string> in_all(const std::vector<Values>& runs) {
  std::vector<std::string> names;
  for (const auto& [name, unused] : runs.back())
    if (std::ranges::all_of(runs, [&, &key = name](const Values& run) { return run.contains(key); }))
      names.push_back(name);
  return names;
}

double worsening_of(const HistorySeries& series, double before, double after) {
  if (series.unit == "ratio") return after / before;
  return series.higher_is_better ? before - after : after - before;
}

bool is_more_than(const HistorySeries& series, double worsening, const GateLimits& limits) {
  if (series.unit == "ratio") return worsening > limits.tolerance || worsening < 1 / limits.tolerance;
  return std::abs(worsening) > limits.tolerance;
}

void find_changes(HistorySeries& series, const GateLimits& limits) {
  for (const ChangePoint& point : change_points(series.values)) {
    const double worsening = worsening_of(series, point.before, point.after);
    if (is_more_than(series, worsening, limits))
      series.changes.push_back({series.runs[point.first], series.runs[point.first - 1], point.before,
                                point.after, worsening, point.p});
  }
  if (series.values.size() < 2) return;
  const double newest = worsening_of(series, series.values[series.values.size() - 2], series.values.back());
  series.newest_differs = is_more_than(series, newest, limits);
  series.newest_worsening = newest;
}

std::optional<HistorySeries> score_series(const Entries& entries, std::size_t cell, std::size_t metric,
                                          const GatePolicy& policy, std::set<std::string>& notes) {
  const GateSide& newest = entries.back().side;
  const MetricRow& row = newest.metrics[metric];
  HistorySeries series{.cell = newest.cells[cell].label,
                       .metric = row.name,
                       .unit = row.unit,
                       .decimals = row.decimals,
                       .higher_is_better = row.higher_is_better};
  std::vector<Values> runs;
  for (std::size_t e = 0; e < entries.size(); ++e) {
    const GateSide& side = entries[e].side;
    const auto c = place(side.cells, series.cell, &GateSide::Cell::label);
    const auto m = place(side.metrics, row.name, &MetricRow::name);
    if (!c || !m) continue;
    if (side.metrics[*m].version != row.version || side.metrics[*m].border != row.border ||
        side.metrics[*m].convention != row.convention) {
      notes.insert(fmt::format("{}: runs with another version or convention are left out", row.name));
      continue;
    }
    Values values = score_values(side, newest, *c, *m);
    if (values.empty()) continue;
    series.runs.push_back(e);
    runs.push_back(std::move(values));
  }
  if (runs.empty()) return std::nullopt;
  const std::vector<std::string> names = in_all(runs);
  if (names.size() < runs.back().size())
    notes.insert(fmt::format("{}: {}: {} pictures that not every run has are left out", series.cell, row.name,
                             runs.back().size() - names.size()));
  if (names.empty()) return std::nullopt;
  series.pictures = names.size();
  for (const Values& run : runs) {
    std::vector<double> scores;
    for (const std::string& name : names) scores.push_back(run.at(name));
    series.values.push_back(mean(scores));
  }
  find_changes(series, limits_of(policy, row, series.values.front()));
  return series;
}

std::optional<HistorySeries> time_series(const Entries& entries, std::size_t cell, const GatePolicy& policy,
                                         std::set<std::string>& notes) {
  const GateSide& newest = entries.back().side;
  HistorySeries series{.cell = newest.cells[cell].label,
                       .metric = "model time",
                       .unit = "ratio",
                       .decimals = 3,
                       .higher_is_better = false};
  std::vector<Values> runs;
  for (std::size_t e = 0; e < entries.size(); ++e) {
    const GateSide& side = entries[e].side;
    const auto c = place(side.cells, series.cell, &GateSide::Cell::label);
    Values values = c ? time_values(side, *c) : Values{};
    if (values.empty()) continue;
    if (const std::string other = other_machine(newest.environment, side.environment); !other.empty()) {
      notes.insert("times of some runs are left out: " + other);
      continue;
    }
    series.runs.push_back(e);
    runs.push_back(std::move(values));
  }
  if (runs.empty()) return std::nullopt;
  const std::vector<std::string> names = in_all(runs);
  if (names.empty()) return std::nullopt;
  series.pictures = names.size();
  for (const Values& run : runs) {
    std::vector<double> ratios;
    for (const std::string& name : names) ratios.push_back(run.at(name) / runs.front().at(name));
    series.values.push_back(median(ratios));
  }
  find_changes(series, policy.time);
  return series;
}

}  // namespace

HistoryReport report_history(const Entries& entries, const GatePolicy& policy) {
  if (entries.empty()) throw std::invalid_argument("history: holds no run");
  HistoryReport report;
  for (const HistoryEntry& entry : entries)
    report.labels.push_back(entry.revision.empty() ? entry.added : entry.revision.substr(0, kRevisionShown));
  std::set<std::string> notes;
  const GateSide& newest = entries.back().side;
  for (std::size_t cell = 0; cell < newest.cells.size(); ++cell) {
    for (std::size_t metric = 0; metric < newest.metrics.size(); ++metric)
      if (auto series = score_series(entries, cell, metric, policy, notes))
        report.series.push_back(std::move(*series));
    if (auto series = time_series(entries, cell, policy, notes)) report.series.push_back(std::move(*series));
  }
  report.notes.assign(notes.begin(), notes.end());
  return report;
}

}  // namespace upbench
