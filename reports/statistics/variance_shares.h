#pragma once

#include <cstddef>
#include <vector>

namespace upbench {

// A share of the differences between cells that one axis explains, or two axes together beyond what both do
// alone.
struct VarianceShare {
  std::size_t first = 0, second = 0;  // axes; equal: the axis alone
  double share = 0;                   // of the sum of squares of the cells' means, 0 .. 1
};

// levels[cell][axis]: which value of the axis the cell has. means[cell]: finite. Sums of squares of type II:
// an axis beyond all other axes, a pair beyond all axes alone (Langsrud, ANOVA for unbalanced data, 2003), so
// cells may be missing; in a full grid the shares are the classical ones and what they leave is of higher
// order. All pairs, axes first; empty where all means are equal.
std::vector<VarianceShare> variance_shares(const std::vector<std::vector<std::size_t>>& levels,
                                           const std::vector<double>& means);

}  // namespace upbench
