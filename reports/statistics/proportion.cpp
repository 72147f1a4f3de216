#include "reports/statistics/proportion.h"

#include <algorithm>
#include <cmath>

namespace upbench {
namespace {

// The probability at which P(X <= successes) is `target`.
double probability_at(double successes, double trials, double target) {
  double low = 0, high = 1;
  for (int step = 0; step < 100; ++step) {
    const double middle = (low + high) / 2;
    (binomial_cdf(successes, trials, middle) > target ? low : high) = middle;
  }
  return (low + high) / 2;
}

}  // namespace

Interval wilson_interval(std::size_t successes, std::size_t trials, double confidence) {
  const auto n = static_cast<double>(trials);
  const double p = static_cast<double>(successes) / n, z = normal_quantile((1 + confidence) / 2),
               zz = z * z / n;
  const double centre = (p + zz / 2) / (1 + zz),
               half = z * std::sqrt(p * (1 - p) / n + zz / (4 * n)) / (1 + zz);
  return {successes == 0 ? 0 : std::max(0.0, centre - half),
          successes == trials ? 1 : std::min(1.0, centre + half)};
}

Interval clopper_pearson_interval(std::size_t successes, std::size_t trials, double confidence) {
  const double tail = (1 - confidence) / 2;
  const auto k = static_cast<double>(successes), n = static_cast<double>(trials);
  return {successes == 0 ? 0 : probability_at(k - 1, n, 1 - tail),
          successes == trials ? 1 : probability_at(k, n, tail)};
}

double mcnemar_test(std::size_t only_first, std::size_t only_second) {
  const auto fewer = static_cast<double>(std::min(only_first, only_second));
  return std::min(1.0, 2 * binomial_cdf(fewer, static_cast<double>(only_first + only_second), 0.5));
}

}  // namespace upbench
