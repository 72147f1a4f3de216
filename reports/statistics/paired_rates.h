#pragma once

#include <cstddef>

#include "reports/statistics/distributions.h"

// Two rates on the same pictures: before and after.
namespace upbench {

// Pictures by what holds of them before and after.
struct PairedCounts {
  std::size_t both = 0, only_before = 0, only_after = 0, neither = 0;
  std::size_t pictures() const { return both + only_before + only_after + neither; }
};

// Rate after less rate before, in [-1, 1]. At least one picture.
double rate_increase(const PairedCounts& counts);

// Of rate_increase, from the Wilson intervals of both rates and their correlation (Newcombe, Improved
// confidence intervals for the difference between binomial proportions based on paired data, 1998, method
// 10). Not of length 0 where nothing differs: few pictures say little. At least one picture.
Interval rate_increase_interval(const PairedCounts& counts, double confidence = 0.95);

// One-sided exact p-value that the rate did not rise (McNemar, 1947, on the pictures that changed); 1 where
// none did.
double rate_increase_test(const PairedCounts& counts);

// The probability that rate_increase_test gives at most alpha. cleared, appeared: probability that a picture
// has it only before, only after; their sum at most 1.
double rate_increase_power(std::size_t pictures, double cleared, double appeared, double alpha);

// The least rate after that is found with this power where no picture is cleared, to 1e-4; NaN: not even all
// of them are. before in [0, 1).
double rate_found(std::size_t pictures, double before, double alpha, double power);

}  // namespace upbench
