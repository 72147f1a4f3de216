#include "reports/statistics/distributions.h"

#include <cmath>
#include <limits>
#include <numbers>

#include <unsupported/Eigen/SpecialFunctions>

namespace upbench {
namespace {

// Where a distribution function of values >= 0 is p. By bisection between bounds that hold the answer: exact
// to the last digits, and called a few times a report.
template <class Cdf>
double quantile_of(Cdf cdf, double p) {
  double low = 0, high = 1;
  while (cdf(high) < p) high *= 2;
  for (int step = 0; step < 200 && high - low > 1e-15 * high; ++step) {
    const double middle = (low + high) / 2;
    (cdf(middle) < p ? low : high) = middle;
  }
  return (low + high) / 2;
}

}  // namespace

double normal_cdf(double z) {
  return std::erfc(-z / std::numbers::sqrt2) / 2;
}

double normal_quantile(double p) {
  return Eigen::numext::ndtri(p);
}

// Abramowitz and Stegun, Handbook of mathematical functions, 26.7.1 through the incomplete beta function.
double student_cdf(double t, double degrees) {
  if (std::isinf(t)) return t > 0 ? 1 : 0;
  const double tail = Eigen::numext::betainc(degrees / 2, 0.5, degrees / (degrees + t * t)) / 2;
  return t > 0 ? 1 - tail : tail;
}

double chi_square_quantile(double p, double degrees) {
  return quantile_of([&](double x) { return Eigen::numext::igamma(degrees / 2, x / 2); }, p);
}

double student_quantile(double p, double degrees) {
  if (!(p > 0 && p < 1))
    return p == 0   ? -std::numeric_limits<double>::infinity()
           : p == 1 ? std::numeric_limits<double>::infinity()
                    : std::numeric_limits<double>::quiet_NaN();
  if (p < 0.5) return -student_quantile(1 - p, degrees);
  return quantile_of([&](double t) { return student_cdf(t, degrees); }, p);
}

double binomial_cdf(double successes, double trials, double probability) {
  if (successes < 0) return 0;
  if (successes >= trials) return 1;
  if (probability <= 0) return 1;
  if (probability >= 1) return 0;
  return Eigen::numext::betainc(trials - successes, successes + 1, 1 - probability);
}

}  // namespace upbench
