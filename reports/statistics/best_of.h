#pragma once

#include <cstddef>
#include <vector>

#include <Eigen/Core>

#include "reports/statistics/ranking.h"

// Which of several cells is best on the same pictures, and which are shown not to be.
namespace upbench {

// One cell beside the one with the best mean.
struct Rival {
  Standing standing;
  Estimate behind;                             // mean of best - this, with the interval of bootstrap()
  double p = 1;                                // Wilcoxon, Pratt zeros, two-sided
  double p_adjusted = 1;                       // over all comparisons, see compare_with_best()
  double standardised = 0;                     // mean / standard deviation of best - this; NaN: no spread
  std::size_t wins = 0, losses = 0, ties = 0;  // pictures where the best is better, worse, equal
  bool equal = false;                          // the best's very scores
  bool worse = false;                          // shown to be worse than the best
};

struct BestOf {
  std::size_t best = 0;         // column with the greatest mean, the first of equals
  std::vector<Rival> cells;     // one a column
  std::size_t distinct = 0;     // columns, equal ones counted once
  std::size_t comparisons = 0;  // pairs of distinct columns
};

// scores: [pictures, cells], finite, greater is better; at least one of both. A cell is worse where its
// adjusted p-value is at most 1 - confidence and both the ranks and the interval of its distance to the best
// say so.
// The best is chosen by the same data, so that a comparison with it is one of all pairs: the p-values are
// adjusted downwards from the smallest as Holm does, each times the number of pairs of the cells not yet
// shown to be worse (the logic of Shaffer, Modified sequentially rejective multiple test procedures, 1986).
// Cells with equal scores on every picture count as one.
BestOf compare_with_best(const Eigen::MatrixXd& scores, const BootstrapOptions& options = {});

// Fewest pictures on which the signed-rank test can show anything when it is one of so many comparisons.
std::size_t fewest_pictures(std::size_t comparisons, double confidence = 0.95);

}  // namespace upbench
