#include "reports/gate/decide.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "reports/statistics/bootstrap.h"
#include "reports/statistics/paired.h"
#include "reports/statistics/two_sample.h"

namespace upbench {
namespace {

constexpr double kConfidence = 0.9;  // of intervals: both ends at 5 %

// values: of one resample. Few are drawn sooner than a second thread starts.
BootstrapOptions resampling(const GatePolicy& policy, std::size_t values) {
  constexpr std::size_t kFew = 200'000;
  const bool few = values * static_cast<std::size_t>(policy.resamples) < kFew;
  return {
      .resamples = policy.resamples, .confidence = kConfidence, .seed = policy.seed, .threads = few ? 1 : 0};
}

// Only one direction raises an alarm.
double one_sided(double two_sided_p) {
  return two_sided_p < 1 ? two_sided_p / 2 : 1;
}

GateVerdict verdict_of(const Interval& interval, const GateLimits& limits, double improved_limit) {
  if (interval.low > limits.tolerance) return GateVerdict::regressed;
  if (interval.high < improved_limit) return GateVerdict::improved;
  return interval.high < limits.margin ? GateVerdict::no_worse : GateVerdict::cannot_tell;
}

}  // namespace

std::string_view to_string(GateVerdict verdict) {
  switch (verdict) {
    case GateVerdict::regressed:
      return "regressed";
    case GateVerdict::improved:
      return "improved";
    case GateVerdict::no_worse:
      return "no worse";
    case GateVerdict::cannot_tell:
      return "cannot tell";
    case GateVerdict::not_comparable:
      return "not comparable";
  }
  return "cannot tell";
}

GateDecision decide(std::span<const double> worsening, const GateLimits& limits, const GatePolicy& policy) {
  const bool unchanged = std::ranges::all_of(worsening, [](double value) { return value == 0; });
  const Estimate estimate = unchanged
                                ? Estimate{0, {0, 0}}
                                : bootstrap(worsening, Average::mean, resampling(policy, worsening.size()));
  return {verdict_of(estimate.interval, limits, -limits.tolerance), estimate.value, estimate.interval,
          one_sided(mean_test(worsening))};
}

GateDecision decide_times(std::span<const double> base, std::span<const double> now,
                          const GatePolicy& policy) {
  const Estimate ratio = ratio_of_medians(base, now, resampling(policy, base.size() + now.size()));
  const bool enough = std::min(base.size(), now.size()) >= kLeastTimes;
  return {
      enough ? verdict_of(ratio.interval, policy.time, 1 / policy.time.tolerance) : GateVerdict::cannot_tell,
      ratio.value, ratio.interval, one_sided(rank_sum_test(base, now).p)};
}

GateDecision decide_rates(const PairedCounts& counts, const GateLimits& limits, const GatePolicy& policy) {
  const PairedCounts reversed{counts.both, counts.only_after, counts.only_before, counts.neither};
  const auto changed = static_cast<double>(counts.only_before + counts.only_after);
  const Interval interval = rate_increase_interval(counts, kConfidence);
  GateDecision decision{verdict_of(interval, limits, -limits.tolerance), rate_increase(counts), interval,
                        std::min(rate_increase_test(counts), rate_increase_test(reversed))};
  if (std::exp2(-changed) <= policy.family_error) return decision;
  decision.p = std::numeric_limits<double>::quiet_NaN();
  if (decision.verdict == GateVerdict::improved) decision.verdict = GateVerdict::no_worse;
  if (decision.verdict == GateVerdict::regressed) decision.verdict = GateVerdict::cannot_tell;
  return decision;
}

GateDecision decide_memory(double base, double now, const GatePolicy& policy) {
  const double ratio = now / base;
  const Interval exactly{ratio, ratio};
  // At the tolerance itself nothing is worse, also where the margin is no larger.
  const GateVerdict verdict =
      verdict_of(exactly, {policy.memory.tolerance, INFINITY}, 1 / policy.memory.tolerance);
  return {verdict, ratio, exactly, std::numeric_limits<double>::quiet_NaN()};
}

}  // namespace upbench
