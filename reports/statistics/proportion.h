#pragma once

#include <cstddef>

#include "reports/statistics/distributions.h"

// Rates k of n.
namespace upbench {

// Wilson, Probable inference, the law of succession, and statistical inference, 1927. trials > 0.
Interval wilson_interval(std::size_t successes, std::size_t trials, double confidence = 0.95);

// Clopper and Pearson, The use of confidence or fiducial limits, 1934: never covers less than it says. trials
// > 0.
Interval clopper_pearson_interval(std::size_t successes, std::size_t trials, double confidence = 0.95);

// Two-sided exact p-value that two paired rates are equal, from the pairs in which only the one or only the
// other holds (McNemar, Note on the sampling error of the difference between correlated proportions, 1947).
double mcnemar_test(std::size_t only_first, std::size_t only_second);

}  // namespace upbench
