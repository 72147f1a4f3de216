#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include <fmt/format.h>

#include "reports/statistics/race.h"
#include "reports/statistics/random.h"
#include "tests/reports/statistics/simulations.h"

namespace upbench::test {
namespace {

constexpr std::size_t kPictures = 100;

using Scores = std::vector<std::vector<double>>;  // by cell and picture

// Pictures differ by 3 dB; what a cell gains on each picture has a mean of its own and a deviation of
// `noise`.
Scores draw(Random& random, const std::vector<double>& means, double noise) {
  Scores scores(means.size(), std::vector<double>(kPictures));
  for (std::size_t picture = 0; picture < kPictures; ++picture) {
    const double level = 30 + 3 * random.normal();
    for (std::size_t cell = 0; cell < means.size(); ++cell)
      scores[cell][picture] = level + means[cell] + noise * random.normal();
  }
  return scores;
}

double mean(const std::vector<double>& values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

struct Raced {
  double share = 0;      // of the trials of the full sweep
  bool at_most = false;  // the winner is at most the margin worse than the full sweep's
};

Raced race_once(const std::vector<RaceCell>& cells, const Scores& scores, const RaceRules& rules) {
  Race race(cells, kPictures, rules);
  std::size_t trials = 0;
  for (auto wanted = race.wanted(); !wanted.empty(); wanted = race.wanted()) {
    for (const auto& [cell, picture] : wanted) race.score(cell, picture, scores[cell][picture]);
    trials += wanted.size();
    race.look();
  }
  double best = -std::numeric_limits<double>::infinity();
  for (const auto& row : scores) best = std::max(best, mean(row));
  return {static_cast<double>(trials) / static_cast<double>(cells.size() * kPictures),
          best - mean(scores[race.leader()]) <= rules.margin};
}

void simulate(std::vector<Simulated>& all, int repeats, const std::string& truth,
              const std::vector<RaceCell>& cells, const std::vector<double>& means, double noise,
              double margin, double most_trials) {
  double share = 0;
  int at_most = 0;
  for (int i = 0; i < repeats; ++i) {
    const auto seed = static_cast<std::uint64_t>(i);
    Random random(2026, seed);
    const Raced raced = race_once(cells, draw(random, means, noise), {.margin = margin, .seed = seed});
    share += raced.share / repeats;
    at_most += raced.at_most;
  }
  constexpr double kNone = std::numeric_limits<double>::quiet_NaN();
  all.push_back({"adaptive sweep", truth, "winner within the margin of the full sweep's",
                 static_cast<double>(at_most) / repeats, kNone, 0.95, 1});
  all.push_back({"adaptive sweep", truth, "trials run", share, kNone, 0, most_trials});
}

// Greatest at `best`, falling by `depth` at a distance of 6.
std::vector<double> curve(std::size_t settings, double best, double depth) {
  std::vector<double> means;
  for (std::size_t i = 0; i < settings; ++i)
    means.push_back(-depth * std::pow((static_cast<double>(i) - best) / 6, 2));
  return means;
}

std::vector<RaceCell> along_one_setting(std::size_t settings) {
  std::vector<RaceCell> cells;
  for (std::size_t i = 0; i < settings; ++i) cells.push_back({.group = 0, .setting = static_cast<double>(i)});
  return cells;
}

}  // namespace

void simulate_races(std::vector<Simulated>& all, int repeats) {
  constexpr std::size_t kUpscalers = 12;
  const std::vector<RaceCell> upscalers(kUpscalers);
  std::vector<double> spread(kUpscalers), one_better(kUpscalers, 0);
  for (std::size_t i = 0; i < kUpscalers; ++i) spread[i] = 0.15 * static_cast<double>(i);
  one_better.back() = 0.0501;
  simulate(all, repeats, "12 cells 0.15 dB apart, noise 0.2 dB, margin 0.05 dB, 100 pictures", upscalers,
           spread, 0.2, 0.05, 0.4);
  simulate(all, repeats, "12 cells all alike, noise 0.1 dB, margin 0.05 dB, 100 pictures", upscalers,
           std::vector<double>(kUpscalers, 0), 0.1, 0.05, 0.4);
  // The hardest: the others are worse than one by just more than the margin.
  simulate(all, repeats, "11 of 12 cells 0.0501 dB worse, noise 0.05 dB, margin 0.05 dB, 100 pictures",
           upscalers, one_better, 0.05, 0.05, 1);
  simulate(all, repeats, "11 of 12 cells 0.0501 dB worse, noise 0.3 dB, margin 0.05 dB, 100 pictures",
           upscalers, one_better, 0.3, 0.05, 1);
  constexpr std::size_t kStrengths = 19;
  simulate(all, repeats,
           "19 settings, best at the 8th, 0.3 dB deep, noise 0.15 dB, margin 0.03 dB, 100 pictures",
           along_one_setting(kStrengths), curve(kStrengths, 7.3, 0.3), 0.15, 0.03, 0.4);
}

}  // namespace upbench::test
