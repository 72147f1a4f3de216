#include "reports/gate/run_drift.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <numbers>
#include <utility>

#include "reports/gate/decide.h"
#include "reports/statistics/descriptive.h"

namespace upbench {
namespace {

// A run's times of a cell, each relative to its trial's median over all runs.
struct Level {
  double log_median = 0;
  double variance = 0;  // of log_median, by chance alone
};

// Of every trial that all sides have times of: the median over them.
std::map<GateSide::Key, double> units_of(const std::vector<GateSide>& sides) {
  std::map<GateSide::Key, double> units;
  for (const auto& [key, trial] : sides[0].trials) {
    std::vector<double> all;
    bool every = true;
    for (const GateSide& side : sides) {
      const auto found = side.trials.find(key);
      every = every && found != side.trials.end() && !found->second.model_seconds.empty();
      if (every)
        all.insert(all.end(), found->second.model_seconds.begin(), found->second.model_seconds.end());
    }
    if (every) units.emplace(key, median(all));
  }
  return units;
}

// Of the cells with enough times in this side.
std::map<std::size_t, Level> levels_of(const GateSide& side, const std::map<GateSide::Key, double>& units) {
  std::map<std::size_t, std::vector<double>> times;
  for (const auto& [key, unit] : units)
    for (const double seconds : side.trials.at(key).model_seconds)
      times[std::get<0>(key)].push_back(std::log(seconds / unit));
  std::map<std::size_t, Level> levels;
  for (auto& [cell, logs] : times) {
    if (logs.size() < kLeastTimes) continue;
    // The median of normal values varies by sqrt(pi / 2) of what their mean does.
    const double deviation = standard_deviation(logs);
    levels[cell] = {median(logs),
                    std::numbers::pi / 2 * deviation * deviation / static_cast<double>(logs.size())};
  }
  return levels;
}

double variance(const std::vector<double>& values) {
  const double deviation = standard_deviation(values);
  return deviation * deviation;
}

// level[run][cell], every run with the same cells.
using Levels = std::vector<std::map<std::size_t, Level>>;

RunDrift drift_of(const Levels& levels) {
  RunDrift drift{.repeats = levels.size()};
  const auto runs = static_cast<double>(levels.size()), cells = static_cast<double>(levels[0].size());
  std::vector<double> shared;
  double chance = 0;
  for (const auto& run : levels) {
    double sum = 0;
    for (const auto& [cell, level] : run) {
      sum += level.log_median;
      chance += level.variance / (runs * cells);
    }
    shared.push_back(sum / cells);
  }
  double own = 0;  // variance of what is left, over runs
  for (const auto& [cell, unused] : levels[0]) {
    std::vector<double> left;
    for (std::size_t r = 0; r < levels.size(); ++r) left.push_back(levels[r].at(cell).log_median - shared[r]);
    own += variance(left);
  }
  if (cells > 1) own /= cells - 1;
  const double of_shared = std::max(0.0, variance(shared) - std::max(own, chance) / cells);
  drift.all_cells = std::sqrt(of_shared);
  drift.each_cell = std::sqrt(std::max(0.0, own - chance));
  const auto end = [&](double p) {
    return std::sqrt(of_shared * (runs - 1) / chi_square_quantile(p, runs - 1));
  };
  drift.all_cells_interval = {end(0.975), end(0.025)};
  return drift;
}

}  // namespace

std::vector<double> RunDrift::draw_ratios(std::size_t cells, Random& random) const {
  const double shared = std::numbers::sqrt2 * all_cells * random.normal();
  std::vector<double> ratios;
  for (std::size_t cell = 0; cell < cells; ++cell)
    ratios.push_back(std::exp(shared + std::numbers::sqrt2 * each_cell * random.normal()));
  return ratios;
}

RunDrift take_out_drift(std::vector<GateSide>& sides) {
  if (sides.size() < 2) return {.repeats = sides.size()};
  const std::map<GateSide::Key, double> units = units_of(sides);
  Levels levels;
  for (const GateSide& side : sides) levels.push_back(levels_of(side, units));
  for (std::size_t cell = 0; cell < sides[0].cells.size(); ++cell)
    if (!std::ranges::all_of(levels, [&](const auto& run) { return run.contains(cell); }))
      for (auto& run : levels) run.erase(cell);
  if (levels[0].empty()) return {};
  for (std::size_t r = 0; r < sides.size(); ++r) {
    std::vector<double> ratios(sides[r].cells.size(), 1);
    for (const auto& [cell, level] : levels[r]) ratios[cell] = std::exp(-level.log_median);
    scale_times(sides[r], ratios);
  }
  return drift_of(levels);
}

void scale_times(GateSide& side, const std::vector<double>& ratio_of_cell) {
  for (auto& [key, trial] : side.trials)
    for (double& seconds : trial.model_seconds) seconds *= ratio_of_cell[std::get<0>(key)];
}

}  // namespace upbench
