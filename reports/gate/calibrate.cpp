#include "reports/gate/calibrate.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <stdexcept>

#include <fmt/format.h>

#include "reports/gate/artifacts.h"
#include "reports/gate/judge.h"
#include "reports/statistics/descriptive.h"
#include "reports/statistics/proportion.h"
#include "reports/statistics/random.h"

namespace upbench {
namespace {

using Sides = std::vector<GateSide>;

void require_repeats(const Sides& sides) {
  if (sides.empty()) throw std::invalid_argument("calibrate: no store given, expected at least one");
  const auto equal = [](const auto& a, const auto& b, auto name) {
    return std::ranges::equal(a, b, {}, name, name);
  };
  for (const GateSide& side : sides)
    if (!equal(side.cells, sides[0].cells, &GateSide::Cell::label) ||
        !equal(side.pictures, sides[0].pictures, &GateSide::Picture::name) ||
        !equal(side.pictures, sides[0].pictures, &GateSide::Picture::reference) ||
        !equal(side.metrics, sides[0].metrics, &MetricRow::name))
      throw std::invalid_argument(fmt::format(
          "{} is no repeat of {}: expected the same cells, pictures and metrics in the same order",
          side.source, sides[0].source));
}

constexpr double kNone = std::numeric_limits<double>::quiet_NaN();
constexpr std::size_t kFewRepeats = 5;

std::vector<double> redrawn(const std::vector<double>& values, Random& random) {
  std::vector<double> drawn;
  for (std::size_t i = 0; i < values.size(); ++i)
    drawn.push_back(values[random.below(static_cast<std::uint32_t>(values.size()))]);
  return drawn;
}

struct Drawn {
  GateSide base, now;
};

GateSide without_trials(const GateSide& side) {
  GateSide copy;
  copy.source = side.source;
  copy.run = side.run;
  copy.environment = side.environment;
  copy.metrics = side.metrics;
  copy.detectors = side.detectors;
  copy.cells = side.cells;
  return copy;
}

// The trials of one drawn picture, in every cell and with every seed.
void copy_picture(const GateSide& first, const GateSide& second, std::size_t picture, bool swap,
                  Random& random, Drawn& drawn) {
  const std::size_t place = drawn.base.pictures.size();
  GateSide::Picture named = first.pictures[picture];
  named.name = fmt::format("{} (draw {})", named.name, place);
  drawn.base.pictures.push_back(named);
  drawn.now.pictures.push_back(named);
  for (std::size_t cell = 0; cell < first.cells.size(); ++cell)
    for (auto it = first.trials.lower_bound({cell, picture, 0}); it != first.trials.end(); ++it) {
      const auto& [c, p, seed] = it->first;
      if (c != cell || p != picture) break;
      const auto other = second.trials.find(it->first);
      if (other == second.trials.end()) continue;
      GateSide::Trial a = it->second, b = other->second;
      if (swap) std::swap(a, b);
      a.model_seconds = redrawn(it->second.model_seconds, random);
      b.model_seconds = redrawn(other->second.model_seconds, random);
      drawn.base.trials.emplace(GateSide::Key{cell, place, seed}, std::move(a));
      drawn.now.trials.emplace(GateSide::Key{cell, place, seed}, std::move(b));
    }
}

Drawn draw(const Sides& sides, const RunDrift& drift, Random& random) {
  const auto count = static_cast<std::uint32_t>(sides.size());
  const std::size_t a = random.below(count);
  const std::size_t b = count > 1 ? (a + 1 + random.below(count - 1)) % count : a;
  const GateSide &first = sides[a], &second = sides[b];
  Drawn drawn{without_trials(first), without_trials(second)};
  const auto pictures = static_cast<std::uint32_t>(first.pictures.size());
  for (std::uint32_t i = 0; i < pictures; ++i) {
    const std::size_t picture = random.below(pictures);
    copy_picture(first, second, picture, random.uniform() < 0.5, random, drawn);
  }
  scale_times(drawn.now, drift.draw_ratios(drawn.now.cells.size(), random));
  return drawn;
}

// A picture's score: the mean over its seeds. NaN: it has none.
double score_of(const GateSide& side, std::size_t cell, std::size_t picture, std::size_t metric) {
  std::vector<double> values;
  for (auto it = side.trials.lower_bound({cell, picture, 0}); it != side.trials.end(); ++it) {
    if (std::get<0>(it->first) != cell || std::get<1>(it->first) != picture) break;
    if (metric < it->second.scores.size() && it->second.scores[metric].flag == ValueFlag::ok)
      values.push_back(it->second.scores[metric].value);
  }
  return mean(values);
}

// Differences of one picture between any two repeats; {0} with one repeat.
struct Noise {
  std::vector<double> differences, levels;
};

Noise score_noise(const Sides& sides, std::size_t cell, std::size_t metric) {
  Noise noise;
  for (std::size_t picture = 0; picture < sides[0].pictures.size(); ++picture) {
    std::vector<double> scores;
    for (const GateSide& side : sides)
      if (const double score = score_of(side, cell, picture, metric); std::isfinite(score))
        scores.push_back(score);
    if (scores.empty()) continue;
    noise.levels.push_back(mean(scores));
    if (scores.size() == 1) noise.differences.push_back(0);
    for (std::size_t a = 0; a < scores.size(); ++a)
      for (std::size_t b = 0; b < scores.size(); ++b)
        if (a != b) noise.differences.push_back(scores[a] - scores[b]);
  }
  return noise;
}

// The samples of each repeat, relative to their trial's median over all repeats.
std::vector<std::vector<double>> relative_times(const Sides& sides, std::size_t cell) {
  std::vector<std::vector<double>> times(sides.size());
  for (const auto& [key, trial] : sides[0].trials) {
    if (std::get<0>(key) != cell) continue;
    std::vector<double> all;
    for (const GateSide& side : sides)
      if (const auto found = side.trials.find(key); found != side.trials.end())
        all.insert(all.end(), found->second.model_seconds.begin(), found->second.model_seconds.end());
    if (all.empty()) continue;
    const double unit = median(all);
    for (std::size_t s = 0; s < sides.size(); ++s)
      if (const auto found = sides[s].trials.find(key); found != sides[s].trials.end())
        for (const double seconds : found->second.model_seconds) times[s].push_back(seconds / unit);
  }
  std::erase_if(times, [](const auto& samples) { return samples.size() < kLeastTimes; });
  return times;
}

// The least change, by bisection, that is found often enough, which rises with it. NaN: not even one of
// kMost times `start` (> 0) is.
double least_found(double start, const std::function<bool(double)>& found) {
  constexpr double kMost = 4096;
  double low = 0, high = start;
  while (!found(high)) {
    if (high >= kMost * start) return kNone;
    low = high;
    high *= 2;
  }
  while (high - low > 0.02 * high) {
    const double middle = (low + high) / 2;
    (found(middle) ? high : low) = middle;
  }
  return high;
}

// What a detector decides of a cell's pictures in repeats of a run.
struct Flips {
  std::size_t pictures = 0;
  double rate = 0;    // over pictures and repeats
  double change = 0;  // chance that a picture's decision differs between two repeats

  // One picture's decisions in a run and in a later one, where the rate has risen by so much.
  void draw(double rise, Random& random, PairedCounts& counts) const {
    const bool before = random.uniform() < rate;
    // Flips both ways are as frequent, so that the rate stays: change / 2 of all pictures each.
    const double appears = rate < 1 ? (change / 2 + rise) / (1 - rate) : 0,
                 clears = rate > 0 ? change / 2 / rate : 0;
    const bool after = before ? random.uniform() >= clears : random.uniform() < appears;
    ++(before ? (after ? counts.both : counts.only_before) : after ? counts.only_after : counts.neither);
  }
};

Flips flips_of(const Sides& sides, std::size_t cell, std::size_t detector) {
  Flips flips;
  double changes = 0, pairs = 0, yes = 0, decisions = 0;
  for (std::size_t picture = 0; picture < sides[0].pictures.size(); ++picture) {
    std::vector<bool> said;
    for (const GateSide& side : sides)
      if (const auto decision = artifact_of(side, cell, picture, detector)) said.push_back(*decision);
    if (said.empty()) continue;
    ++flips.pictures;
    const auto count = static_cast<double>(said.size()),
               with = static_cast<double>(std::ranges::count(said, true));
    yes += with;
    decisions += count;
    changes += with * (count - with);
    pairs += count * (count - 1) / 2;
  }
  flips.rate = decisions > 0 ? yes / decisions : 0;
  flips.change = pairs > 0 ? changes / pairs : 0;
  return flips;
}

// What all simulations of one calibration share.
class Simulation {
 public:
  Simulation(const GatePolicy& policy, const GateCalibrationOptions& options, std::size_t comparisons)
      : policy_(policy), options_(options), comparisons_(static_cast<double>(comparisons)) {
    policy_.resamples = options.resamples;
  }

  // spread: standard deviation of the change over pictures, relative to its mean.
  double least_worsening(const Noise& noise, const GateLimits& limits, double spread) const {
    const auto found = [&](double change) {
      return is_found(options_.power, comparisons_, [&](Random& random) {
        std::vector<double> worsening;
        for (std::size_t i = 0; i < noise.levels.size(); ++i)
          worsening.push_back(
              noise.differences[random.below(static_cast<std::uint32_t>(noise.differences.size()))] +
              change * (1 + spread * random.normal()));
        return decide(worsening, limits, policy_);
      });
    };
    return least_found(std::max(limits.tolerance, 1e-9), found);
  }

  // The drift is drawn anew for each simulation, as two other runs would have it.
  double least_ratio(const std::vector<std::vector<double>>& times, const RunDrift& drift) const {
    const auto count = static_cast<std::uint32_t>(times.size());
    const auto found = [&](double more) {
      return is_found(options_.time_power, comparisons_, [&](Random& random) {
        const std::vector<double> base = redrawn(times[random.below(count)], random);
        std::vector<double> now = redrawn(times[random.below(count)], random);
        const double ratio = (1 + more) * drift.draw_ratios(1, random)[0];
        for (double& value : now) value *= ratio;
        return decide_times(base, now, policy_);
      });
    };
    return 1 + least_found(std::max(policy_.time.tolerance - 1, 1e-3), found);
  }

  // One comparison more than others, as those of rates that hardly change are not among them.
  double least_rise(const Flips& flips, const GateLimits& limits) const {
    const auto found = [&](double rise) {
      return is_found(options_.power, comparisons_ + 1, [&](Random& random) {
        PairedCounts counts;
        for (std::size_t i = 0; i < flips.pictures; ++i) flips.draw(rise, random, counts);
        return decide_rates(counts, limits, policy_);
      });
    };
    return flips.pictures == 0 ? kNone : least_found(1.0 / static_cast<double>(flips.pictures), found);
  }

 private:
  // In a share of simulations of at least `power`; stops as soon as that is settled. Bonferroni's correction
  // in place of Holm's, as the other comparisons are not there.
  bool is_found(double power, double comparisons, const std::function<GateDecision(Random&)>& once) const {
    const int needed = static_cast<int>(std::ceil(power * options_.simulations - 1e-9));
    int found = 0;
    for (int i = 0; i < options_.simulations && found < needed; ++i) {
      if (found + options_.simulations - i < needed) return false;
      Random random(options_.seed + 1, static_cast<std::uint64_t>(i));
      const GateDecision decision = once(random);
      found += decision.verdict == GateVerdict::regressed && decision.p * comparisons <= policy_.family_error;
    }
    return found >= needed;
  }

  GatePolicy policy_;
  const GateCalibrationOptions& options_;
  double comparisons_;
};

void add_artifacts(const Sides& sides, std::size_t cell, const GatePolicy& policy,
                   const Simulation& simulation, GateCalibration& result) {
  for (std::size_t d = 0; d < sides[0].detectors.size(); ++d) {
    const GateSide::Detector& detector = sides[0].detectors[d];
    const Flips flips = detector.calibrated ? flips_of(sides, cell, d) : Flips{};
    if (flips.pictures == 0) continue;
    const GateLimits limits = artifact_limits(policy, detector.name);
    result.rows.push_back({.cell = sides[0].cells[cell].label,
                           .metric = "artifact " + detector.name,
                           .unit = "rate",
                           .decimals = 2,
                           .pictures = flips.pictures,
                           .noise = flips.change,
                           .tolerance = limits.tolerance,
                           .smallest = simulation.least_rise(flips, limits),
                           .smallest_alike = kNone,
                           .rate = flips.rate});
  }
}

void measure_power(const Sides& sides, const GatePolicy& policy, const GateCalibrationOptions& options,
                   std::size_t comparisons, GateCalibration& result) {
  const Simulation simulation(policy, options, comparisons);
  const GateSide& first = sides.front();
  for (std::size_t cell = 0; cell < first.cells.size(); ++cell) {
    for (std::size_t m = 0; m < first.metrics.size(); ++m) {
      const MetricRow& metric = first.metrics[m];
      const Noise noise = score_noise(sides, cell, m);
      if (noise.levels.empty()) continue;
      const GateLimits limits = limits_of(policy, metric, mean(noise.levels));
      result.rows.push_back(
          {first.cells[cell].label, metric.name, metric.unit, metric.decimals, noise.levels.size(),
           sides.size() > 1 ? standard_deviation(noise.differences) : 0, limits.tolerance,
           simulation.least_worsening(noise, limits, 1), simulation.least_worsening(noise, limits, 0)});
    }
    add_artifacts(sides, cell, policy, simulation, result);
    const std::vector<std::vector<double>> times = relative_times(sides, cell);
    if (times.empty()) continue;
    std::vector<double> all;
    for (const auto& samples : times) all.insert(all.end(), samples.begin(), samples.end());
    result.rows.push_back({first.cells[cell].label, "model time", "ratio", 3, times.front().size(),
                           standard_deviation(all), policy.time.tolerance,
                           simulation.least_ratio(times, result.drift), kNone});
  }
}

}  // namespace

GateCalibration calibrate(const Sides& repeats, const GatePolicy& policy,
                          const GateCalibrationOptions& options) {
  require_repeats(repeats);
  GateCalibration result{.comparisons = options.comparisons, .family_error = policy.family_error};
  Sides sides = repeats;
  result.drift = take_out_drift(sides);
  GatePolicy quick = policy;
  quick.resamples = options.resamples;
  std::size_t made = 0;
  for (int i = 0; i < options.comparisons; ++i) {
    Random random(options.seed, static_cast<std::uint64_t>(i));
    const Drawn drawn = draw(sides, result.drift, random);
    const GateResult judged = judge(drawn.base, drawn.now, quick);
    const int code = exit_code_of(judged);
    result.false_alarms += code == 1 ? 1 : 0;
    result.untold += code == 3 ? 1 : 0;
    made = static_cast<std::size_t>(std::ranges::count_if(judged.comparisons, [](const auto& comparison) {
      return !std::isnan(comparison.p);  // in the family that is corrected for
    }));
  }
  result.alarm_rate = wilson_interval(static_cast<std::size_t>(result.false_alarms),
                                      static_cast<std::size_t>(result.comparisons));
  measure_power(sides, policy, options, std::max<std::size_t>(made, 1), result);
  if (sides.size() == 1)
    result.notes.emplace_back(
        "one repeat: scores are taken to repeat exactly, times to differ as samples of one run do; give the "
        "stores of more runs of the same version to measure both");
  else if (result.drift.repeats >= 2 && result.drift.repeats < kFewRepeats)
    result.notes.push_back(fmt::format(
        "{} repeats say little about how runs drift apart: the interval of the drift shows how little",
        result.drift.repeats));
  return result;
}

}  // namespace upbench
