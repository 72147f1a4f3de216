#include "reports/gate/judge.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <limits>

#include <fmt/format.h>

#include "reports/gate/artifacts.h"
#include "reports/gate/changes.h"
#include "reports/gate/costs.h"
#include "reports/gate/pairing.h"
#include "reports/gate/required.h"
#include "reports/statistics/descriptive.h"
#include "reports/statistics/signed_rank.h"

namespace upbench {
namespace {

constexpr std::size_t kWorstShown = 5;
constexpr double kNone = std::numeric_limits<double>::quiet_NaN();

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

// One in twenty of many comparisons is off by chance: what that explains is not told.
void control_family(GateResult& result, double family_error) {
  std::vector<double> p;
  for (const GateComparison& comparison : result.comparisons)
    p.push_back(comparison.verdict == GateVerdict::not_comparable || comparison.pictures == 0 ? kNone
                                                                                              : comparison.p);
  const std::vector<double> adjusted = holm(p);
  const auto family = std::ranges::count_if(p, [](double value) { return !std::isnan(value); });
  for (std::size_t i = 0; i < adjusted.size(); ++i) {
    GateComparison& comparison = result.comparisons[i];
    comparison.adjusted_p = adjusted[i];
    const bool change =
        comparison.verdict == GateVerdict::regressed || comparison.verdict == GateVerdict::improved;
    const bool by_chance = adjusted[i] > family_error;  // not of NaN: nothing about memory is
    if (!change || !by_chance) continue;
    comparison.verdict = GateVerdict::cannot_tell;
    comparison.reason =
        fmt::format("so much may be chance among {} comparisons (adjusted p = {:.2f})", family, adjusted[i]);
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

void take(const GateDecision& decision, GateComparison& comparison) {
  comparison.verdict = decision.verdict;
  comparison.worsening = decision.worsening;
  comparison.interval = decision.interval;
  comparison.p = decision.p;
}

GateResult judge(const GateSide& whole_base, const GateSide& now, const GatePolicy& policy) {
  GateResult result;
  Pairing pairing = pair_sides(whole_base, now, policy, result);
  const bool allows = !policy.may_skip.empty() || !policy.may_fail.empty() || policy.may_not_run;
  const GateSide kept = allows ? without_allowed(whole_base, now, policy, pairing, result) : GateSide{};
  const GateSide& base = allows ? kept : whole_base;
  note_lost_trials(base, now, pairing, result);
  note_required(base, now, policy, pairing, result);
  result.changed = changes_between(base, now);
  for (const auto& cell : pairing.cells) {
    for (const auto& metric : pairing.metrics)
      result.comparisons.push_back(compare_metric(base, now, cell, metric, pairing, policy));
    std::ranges::move(compare_artifacts(base, now, cell, pairing, policy),
                      std::back_inserter(result.comparisons));
    std::ranges::move(compare_costs(base, now, cell, pairing, policy),
                      std::back_inserter(result.comparisons));
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
