#pragma once

#include <span>

#include "reports/statistics/bootstrap.h"

// Samples without pairs: repeated timings.
namespace upbench {

struct RankSum {
  double u = 0;       // of the second sample: pairs in which its value is the greater, ties counting half
  double p = 1;       // two-sided
  bool exact = true;  // else normal approximation with correction for ties and continuity
};

// Mann and Whitney, On a test of whether one of two random variables is stochastically larger than the other,
// 1947. Exact without ties while first.size() * second.size() <= 400. Both need at least one value.
RankSum rank_sum_test(std::span<const double> first, std::span<const double> second);

// Median of all differences second - first with the interval that inverts the rank-sum test (Hodges and
// Lehmann, Estimates of location based on rank tests, 1963).
Estimate shift(std::span<const double> first, std::span<const double> second, double confidence = 0.95);

// median(second) / median(first), both resampled, percentile interval. Values > 0.
Estimate ratio_of_medians(std::span<const double> first, std::span<const double> second,
                          const BootstrapOptions& options = {});

}  // namespace upbench
