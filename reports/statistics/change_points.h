#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace upbench {

struct ChangePointOptions {
  std::size_t window = 50;  // values looked at together; smaller changes far apart need no more
  double most_p = 0.02;     // of the t-test between the values before and after, times the places looked at
  double least_change = 0;  // relative to the mean before; smaller ones are dropped
};

struct ChangePoint {
  std::size_t first = 0;         // index of the first value after the change
  double before = 0, after = 0;  // means up to the neighbouring change points
  double p = 1;
};

// Where the level of a series changed: windows are split where the divergence between both sides is greatest
// (Matteson, James, A nonparametric approach for multiple change point analysis, 2014), a split counts where
// a t-test with unequal variances tells the sides apart, and weak ones are taken back, as Hunter does
// (Fleming et al., Hunter: using change point detection to hunt for performance regressions, 2023). The
// t-test makes results repeatable; its p-value is multiplied by the number of values (Bonferroni), as the
// split was chosen among so many. Changes nearer than three values to an end or to each other are not seen.
// Values finite.
std::vector<ChangePoint> change_points(std::span<const double> series,
                                       const ChangePointOptions& options = {});

// p-value of the two-sided t-test with unequal variances (Welch, 1947); 1 where a side has fewer than two
// values, 0 where both are constant and differ.
double welch_test(std::span<const double> first, std::span<const double> second);

}  // namespace upbench
