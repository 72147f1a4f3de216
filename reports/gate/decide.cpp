#include "reports/gate/decide.h"

#include <algorithm>

#include "reports/statistics/bootstrap.h"
#include "reports/statistics/paired.h"
#include "reports/statistics/two_sample.h"

namespace upbench {
namespace {

constexpr double kConfidence = 0.9;  // of intervals: both ends at 5 %

BootstrapOptions resampling(const GatePolicy& policy) {
  return {.resamples = policy.resamples, .confidence = kConfidence, .seed = policy.seed};
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
  const Estimate estimate =
      unchanged ? Estimate{0, {0, 0}} : bootstrap(worsening, Average::mean, resampling(policy));
  return {verdict_of(estimate.interval, limits, -limits.tolerance), estimate.value, estimate.interval,
          one_sided(mean_test(worsening))};
}

GateDecision decide_times(std::span<const double> base, std::span<const double> now,
                          const GatePolicy& policy) {
  const Estimate ratio = ratio_of_medians(base, now, resampling(policy));
  const bool enough = std::min(base.size(), now.size()) >= kLeastTimes;
  return {
      enough ? verdict_of(ratio.interval, policy.time, 1 / policy.time.tolerance) : GateVerdict::cannot_tell,
      ratio.value, ratio.interval, one_sided(rank_sum_test(base, now).p)};
}

}  // namespace upbench
