#pragma once

#include <cstddef>

// How many pictures a question needs, before they are computed.
namespace upbench {

struct PowerOptions {
  double alpha = 0.05;  // two-sided
  double power = 0.8;
};

// Pictures for a paired comparison to find a mean difference, given the standard deviation of the differences
// over pictures (from an earlier store): the t-test's normal approximation with Guenther's correction (Sample
// size formulas for normal theory t tests, 1981). difference != 0, deviation >= 0. At least 2.
std::size_t pictures_for_difference(double difference, double deviation, const PowerOptions& options = {});

// The smallest mean difference that so many pictures find with this power. pictures >= 2.
double difference_found(std::size_t pictures, double deviation, const PowerOptions& options = {});

// Pictures for each of two cells to tell two rates apart, on separate pictures (Fleiss, Statistical methods
// for rates and proportions, 1981, without continuity correction). On the same pictures fewer do. Rates in
// (0, 1), different.
std::size_t pictures_for_rates(double first, double second, const PowerOptions& options = {});

// Pictures for two cells on the same pictures, of which a share is flagged in one cell alone (discordant): at
// least the difference of the rates, for independent flags first (1 - second) + second (1 - first). McNemar's
// test (Connor, Sample size for testing differences in proportions for the paired-sample design, 1987).
// Difference != 0, discordant in [|difference|, 1].
std::size_t pictures_for_paired_rates(double difference, double discordant, const PowerOptions& options = {});

}  // namespace upbench
