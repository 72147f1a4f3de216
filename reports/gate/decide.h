#pragma once

#include <span>
#include <string_view>

#include "reports/gate/policy.h"
#include "reports/statistics/distributions.h"
#include "reports/statistics/paired_rates.h"

namespace upbench {

enum class GateVerdict { regressed, improved, no_worse, cannot_tell, not_comparable };
std::string_view to_string(GateVerdict verdict);

// What the values of one comparison say by themselves, before the correction for all comparisons together.
struct GateDecision {
  GateVerdict verdict = GateVerdict::cannot_tell;
  double worsening = 0;  // positive is worse: mean difference, of rates too; of times and memory a ratio
  Interval interval;     // of 90 %
  double p = 1;          // one-sided, that there is no change at all
};

// worsening: a picture each, finite; at least one. One picture has no interval and cannot be told, unless it
// did not change.
GateDecision decide(std::span<const double> worsening, const GateLimits& limits, const GatePolicy& policy);

// Samples > 0, at least one on each side; fewer than kLeastTimes on either cannot be told. By policy.time.
inline constexpr std::size_t kLeastTimes = 5;
GateDecision decide_times(std::span<const double> base, std::span<const double> now,
                          const GatePolicy& policy);

// Of the rate of an artifact. Where so few pictures changed that even all to one side would be chance (their
// exact test cannot give `family_error`), p is NaN: nothing can be called worse, and no other comparison is
// held back by this one (Tarone, A modified Bonferroni method for discrete data, 1990). At least one picture.
GateDecision decide_rates(const PairedCounts& counts, const GateLimits& limits, const GatePolicy& policy);

// Of peak memory; both > 0. An exact number, so its interval is itself and nothing about it is chance: p is
// NaN. By policy.memory, whose margin is never needed.
GateDecision decide_memory(double base, double now, const GatePolicy& policy);

}  // namespace upbench
