#pragma once

#include <cstddef>
#include <span>

#include "reports/statistics/bootstrap.h"

// One metric of two cells on the same pictures.
namespace upbench {

struct PairedComparison {
  std::size_t pictures = 0;
  Estimate mean, median;     // of the differences
  double signed_rank_p = 1;  // Wilcoxon, Pratt zeros
  bool exact = true;         // the p-value's distribution was enumerated
  double sign_p = 1;
  double standardised = 0;  // mean / standard deviation of the differences (Cohen's d_z); NaN: no spread
  double rank_biserial =
      0;  // (positive - negative rank sum) / their sum (Kerby, The simple difference formula, 2014)
  std::size_t wins = 0, losses = 0, ties = 0;  // pictures where the second is better, worse, equal
  Interval win_rate;                           // Wilson, of wins / pictures, a tie counting for neither
};

// differences: of the second cell minus the first, one a picture, finite, positive is better (the caller
// turns the sign of metrics of which less is better). None: figures are NaN, p-values 1.
PairedComparison compare_paired(std::span<const double> differences, const BootstrapOptions& options = {});

// Mean over standard deviation of the differences (Cohen's d_z); NaN: no spread.
double standardised_mean(std::span<const double> differences);

// Two-sided p-value of Student's t-test that the mean difference is zero: 1 where all are zero, 0 where all
// are the same other value; NaN for fewer than two.
double mean_test(std::span<const double> differences);

// Are the means of the two equal to within `margin`? The greater p-value of two one-sided t-tests
// (Schuirmann, A comparison of the two one-sided tests procedure, 1987): at most alpha shows that |mean| <
// margin. margin > 0; NaN for fewer than two differences.
double equivalence_test(std::span<const double> differences, double margin);

}  // namespace upbench
