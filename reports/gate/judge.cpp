#include "reports/gate/judge.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <optional>
#include <stdexcept>

#include <fmt/format.h>

#include "reports/gate/changes.h"
#include "reports/statistics/descriptive.h"
#include "reports/statistics/signed_rank.h"

namespace upbench {
namespace {

constexpr std::size_t kWorstShown = 5;
constexpr double kNone = std::numeric_limits<double>::quiet_NaN();

// What both sides have: indices into each.
struct Pairing {
  struct Pair {
    std::size_t base, now;
  };
  std::vector<Pair> cells, pictures, metrics;
};

template <class Item, class Name>
std::vector<Pairing::Pair> pair_up(const std::vector<Item>& base, const std::vector<Item>& now, Name name,
                                   const char* what, GateResult& result) {
  std::map<std::string, std::size_t> places;
  for (std::size_t i = 0; i < now.size(); ++i) places.emplace(name(now[i]), i);
  std::vector<Pairing::Pair> pairs;
  for (std::size_t i = 0; i < base.size(); ++i) {
    const auto found = places.find(name(base[i]));
    if (found == places.end()) {
      result.missing.push_back(fmt::format("{} {}", what, name(base[i])));
      continue;
    }
    pairs.push_back({i, found->second});
    places.erase(found);
  }
  for (const auto& [left, place] : places) result.added.push_back(fmt::format("{} {}", what, left));
  return pairs;
}

void check_references(const GateSide& base, const GateSide& now, const std::vector<Pairing::Pair>& pictures) {
  for (const auto& [b, n] : pictures)
    if (base.pictures[b].reference != now.pictures[n].reference)
      throw std::invalid_argument(
          fmt::format("picture {}: its reference is not the same in {} ({}) and {} ({}); scores against "
                      "different references cannot be "
                      "compared",
                      base.pictures[b].name, base.source, base.pictures[b].reference.substr(0, 12),
                      now.source, now.pictures[n].reference.substr(0, 12)));
}

Pairing pair_sides(const GateSide& base, const GateSide& now, GateResult& result) {
  Pairing pairing;
  pairing.cells = pair_up(base.cells, now.cells, [](const auto& cell) { return cell.label; }, "cell", result);
  pairing.pictures = pair_up(
      base.pictures, now.pictures, [](const auto& picture) { return picture.name; }, "picture", result);
  pairing.metrics =
      pair_up(base.metrics, now.metrics, [](const auto& metric) { return metric.name; }, "metric", result);
  check_references(base, now, pairing.pictures);
  if (pairing.cells.empty() || pairing.pictures.empty())
    throw std::invalid_argument(fmt::format("{} and {} have no {} in common", base.source, now.source,
                                            pairing.cells.empty() ? "cell" : "picture"));
  return pairing;
}

// Trials of a cell and picture that both sides have, by seed.
template <class Visit>
void for_each_seed(const GateSide& base, const GateSide& now, Pairing::Pair cell, Pairing::Pair picture,
                   Visit visit) {
  const auto begin = base.trials.lower_bound({cell.base, picture.base, 0});
  for (auto it = begin; it != base.trials.end(); ++it) {
    const auto& [c, p, seed] = it->first;
    if (c != cell.base || p != picture.base) break;
    const auto found = now.trials.find({cell.now, picture.now, seed});
    visit(it->second, found == now.trials.end() ? nullptr : &found->second, seed);
  }
}

void note_trials(const GateSide& base, const GateSide& now, const Pairing& pairing, GateResult& result) {
  for (const auto& cell : pairing.cells)
    for (const auto& picture : pairing.pictures)
      for_each_seed(
          base, now, cell, picture,
          [&](const GateSide::Trial& was, const GateSide::Trial* is, std::uint64_t seed) {
            if (!was.finished || was.status != Status::ok) return;
            const std::string name = fmt::format("{}, {}, seed {}", base.cells[cell.base].label,
                                                 base.pictures[picture.base].name, seed);
            if (!is || !is->finished)
              result.missing.push_back("trial " + name);
            else if (is->status != Status::ok)
              result.failures.push_back(fmt::format("{}: {}: {}", name, to_string(is->status), is->reason));
          });
}

struct Scores {
  std::vector<double> worsening, base, now;  // a picture each
  std::vector<std::string> names;
  std::vector<std::string> lost;  // pictures with a score in the base and none now
};

bool has_value(const GateSide::Score& score) {
  return score.flag == ValueFlag::ok || score.flag == ValueFlag::inf;
}

// Differences of one metric, seeds of a picture averaged first. Both infinite (identical to the reference) is
// no change; an infinity on one side only counts as a picture whose score is lost.
Scores collect(const GateSide& base, const GateSide& now, Pairing::Pair cell, Pairing::Pair metric,
               const Pairing& pairing) {
  const double sign = base.metrics[metric.base].higher_is_better ? 1 : -1;
  Scores scores;
  for (const auto& picture : pairing.pictures) {
    double before = 0, after = 0;
    std::size_t seeds = 0;
    bool lost = false;
    for_each_seed(base, now, cell, picture,
                  [&](const GateSide::Trial& was, const GateSide::Trial* is, std::uint64_t) {
                    if (was.scores.size() <= metric.base || !has_value(was.scores[metric.base])) return;
                    const GateSide::Score& first = was.scores[metric.base];
                    if (!is || is->scores.size() <= metric.now || is->scores[metric.now].flag != first.flag) {
                      lost = true;
                      return;
                    }
                    ++seeds;
                    if (first.flag == ValueFlag::inf) return;
                    before += first.value;
                    after += is->scores[metric.now].value;
                  });
    const std::string& name = base.pictures[picture.base].name;
    if (lost) scores.lost.push_back(name);
    if (lost || seeds == 0) continue;
    const auto n = static_cast<double>(seeds);
    scores.base.push_back(before / n);
    scores.now.push_back(after / n);
    scores.worsening.push_back(sign * (before - after) / n);
    scores.names.push_back(name);
  }
  return scores;
}

std::vector<GateComparison::Picture> worst_of(const Scores& scores) {
  std::vector<GateComparison::Picture> worst;
  for (std::size_t i = 0; i < scores.worsening.size(); ++i)
    if (scores.worsening[i] > 0) worst.push_back({scores.names[i], scores.worsening[i]});
  std::ranges::sort(worst, std::greater<>(), &GateComparison::Picture::worsening);
  if (worst.size() > kWorstShown) worst.resize(kWorstShown);
  return worst;
}

void take(const GateDecision& decision, GateComparison& comparison) {
  comparison.verdict = decision.verdict;
  comparison.worsening = decision.worsening;
  comparison.interval = decision.interval;
  comparison.p = decision.p;
}

GateComparison compare_metric(const GateSide& base, const GateSide& now, Pairing::Pair cell,
                              Pairing::Pair metric, const Pairing& pairing, const GatePolicy& policy) {
  const MetricRow &before = base.metrics[metric.base], &after = now.metrics[metric.now];
  GateComparison comparison{.cell = base.cells[cell.base].label,
                            .metric = before.name,
                            .unit = before.unit,
                            .decimals = before.decimals};
  comparison.required = policy.require_quality;
  if (before.version != after.version || before.border != after.border ||
      before.convention != after.convention) {
    comparison.verdict = GateVerdict::not_comparable;
    comparison.reason = fmt::format("{} is version {}, border {} in the base and version {}, border {} now",
                                    before.name, before.version, before.border, after.version, after.border);
    return comparison;
  }
  const Scores scores = collect(base, now, cell, metric, pairing);
  comparison.pictures = scores.worsening.size();
  comparison.base = mean(scores.base);
  comparison.now = mean(scores.now);
  comparison.limits = limits_of(policy, before, comparison.base);
  comparison.worst = worst_of(scores);
  if (!scores.lost.empty()) {
    comparison.reason = fmt::format("{} of its pictures have no such score any more, {} first",
                                    scores.lost.size(), scores.lost.front());
    return comparison;
  }
  if (scores.worsening.empty()) {
    comparison.reason = "the base has no such score either";
    comparison.required = false;
    return comparison;
  }
  take(decide(scores.worsening, comparison.limits, policy), comparison);
  if (comparison.verdict == GateVerdict::cannot_tell)
    comparison.reason =
        scores.worsening.size() < 2 ? "one picture has no interval" : "the interval holds both harm and none";
  return comparison;
}

// All samples of a cell: each relative to its picture's median in the base, so that pictures of different
// sizes pool.
struct Times {
  std::vector<double> base, now;
};

Times collect_times(const GateSide& base, const GateSide& now, Pairing::Pair cell, const Pairing& pairing) {
  Times times;
  for (const auto& picture : pairing.pictures)
    for_each_seed(base, now, cell, picture,
                  [&](const GateSide::Trial& was, const GateSide::Trial* is, std::uint64_t) {
                    if (!is || was.model_seconds.empty() || is->model_seconds.empty()) return;
                    const double unit = median(was.model_seconds);
                    for (const double seconds : was.model_seconds) times.base.push_back(seconds / unit);
                    for (const double seconds : is->model_seconds) times.now.push_back(seconds / unit);
                  });
  return times;
}

std::optional<GateComparison> compare_time(const GateSide& base, const GateSide& now, Pairing::Pair cell,
                                           const Pairing& pairing, const GatePolicy& policy) {
  const Times times = collect_times(base, now, cell, pairing);
  if (times.base.empty()) return std::nullopt;
  GateComparison comparison{
      .cell = base.cells[cell.base].label, .metric = "model time", .unit = "ratio", .decimals = 3};
  comparison.required = policy.require_time;
  comparison.pictures = times.now.size();
  comparison.base = median(times.base);
  comparison.now = median(times.now);
  comparison.limits = policy.time;
  const std::string other = other_machine(base.environment, now.environment);
  if (!other.empty()) {
    comparison.verdict = GateVerdict::not_comparable;
    comparison.reason = other;
    return comparison;
  }
  take(decide_times(times.base, times.now, policy), comparison);
  if (std::min(times.base.size(), times.now.size()) < kLeastTimes)
    comparison.reason = fmt::format("fewer than {} samples on a side", kLeastTimes);
  return comparison;
}

// One in twenty of many comparisons is off by chance: what that explains is not told.
void control_family(GateResult& result, double family_error) {
  std::vector<double> p;
  for (const GateComparison& comparison : result.comparisons)
    p.push_back(comparison.verdict == GateVerdict::not_comparable || comparison.pictures == 0 ? kNone
                                                                                              : comparison.p);
  const std::vector<double> adjusted = holm(p);
  for (std::size_t i = 0; i < adjusted.size(); ++i) {
    GateComparison& comparison = result.comparisons[i];
    comparison.adjusted_p = adjusted[i];
    const bool change =
        comparison.verdict == GateVerdict::regressed || comparison.verdict == GateVerdict::improved;
    if (!change || adjusted[i] <= family_error) continue;
    comparison.verdict = GateVerdict::cannot_tell;
    comparison.reason = fmt::format("so much may be chance among {} comparisons (adjusted p = {:.2f})",
                                    p.size(), adjusted[i]);
  }
}

}  // namespace

std::string_view to_string(GateCause::Basis basis) {
  switch (basis) {
    case GateCause::Basis::recorded:
      return "recorded";
    case GateCause::Basis::measured:
      return "measured";
    case GateCause::Basis::pictures:
      return "pictures";
    case GateCause::Basis::scores:
      return "scores";
  }
  return "recorded";
}

std::size_t GateResult::count(GateVerdict verdict) const {
  return static_cast<std::size_t>(std::ranges::count(comparisons, verdict, &GateComparison::verdict));
}

GateResult judge(const GateSide& base, const GateSide& now, const GatePolicy& policy) {
  GateResult result;
  const Pairing pairing = pair_sides(base, now, result);
  note_trials(base, now, pairing, result);
  result.changed = changes_between(base, now);
  for (const auto& cell : pairing.cells) {
    for (const auto& metric : pairing.metrics)
      result.comparisons.push_back(compare_metric(base, now, cell, metric, pairing, policy));
    if (auto time = compare_time(base, now, cell, pairing, policy))
      result.comparisons.push_back(std::move(*time));
  }
  control_family(result, policy.family_error);
  return result;
}

int exit_code_of(const GateResult& result) {
  if (result.count(GateVerdict::regressed) > 0 || !result.failures.empty()) return 1;
  const bool untold = std::ranges::any_of(result.comparisons, [](const GateComparison& comparison) {
    return comparison.required && (comparison.verdict == GateVerdict::cannot_tell ||
                                   comparison.verdict == GateVerdict::not_comparable);
  });
  return untold || !result.missing.empty() ? 3 : 0;
}

}  // namespace upbench
