#pragma once

#include <cstddef>
#include <span>
#include <vector>

// Tests of paired differences against zero, and the correction for making many. All p-values are two-sided.
namespace upbench {

struct SignedRank {
  double positive = 0, negative = 0;  // sums of the ranks of positive and of negative differences
  double p = 1;                       // 1 where every difference is zero
  bool exact = true;                  // else by the normal approximation with correction for ties
};

constexpr std::size_t kMostExact = 50;  // differences up to which the distribution is enumerated

// Wilcoxon's signed-rank test with Pratt's treatment of zeros: they take part in the ranking and then drop
// out (Pratt, Remarks on zeros and ties in the Wilcoxon signed rank procedures, 1959). The exact distribution
// is that of the ranks at hand, ties included; above kMostExact differences a normal approximation without
// continuity correction.
SignedRank signed_rank_test(std::span<const double> differences);

struct Signs {
  std::size_t positive = 0, negative = 0, zero = 0;
  double p = 1;  // of the sign test, zeros left out
};
Signs sign_test(std::span<const double> differences);

// p-values adjusted for all comparisons together (Holm, A simple sequentially rejective multiple test
// procedure, 1979): an adjusted value <= alpha is rejected at family-wise level alpha. NaN (no test was made)
// stays NaN and is not counted.
std::vector<double> holm(std::span<const double> p);

// Ranks from 1, equal values sharing the mean of theirs.
std::vector<double> mid_ranks(std::span<const double> values);

}  // namespace upbench
