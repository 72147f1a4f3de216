#include "reports/statistics/paired_rates.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "reports/statistics/proportion.h"

namespace upbench {
namespace {

double share(std::size_t part, std::size_t whole) {
  return static_cast<double>(part) / static_cast<double>(whole);
}

// Correlation of before and after, drawn towards 0 where it is positive as few pictures overstate it. 0 where
// a rate is 0 or 1.
double correlation(const PairedCounts& counts) {
  const auto a = static_cast<double>(counts.both), b = static_cast<double>(counts.only_before),
             c = static_cast<double>(counts.only_after), d = static_cast<double>(counts.neither);
  const double margins = (a + b) * (c + d) * (a + c) * (b + d);
  if (margins == 0) return 0;
  double numerator = a * d - b * c;
  if (numerator > 0) numerator = std::max(numerator - (a + b + c + d) / 2, 0.0);
  return numerator / std::sqrt(margins);
}

double log_choose(std::size_t n, std::size_t k) {
  const auto f = [](std::size_t x) { return std::lgamma(static_cast<double>(x) + 1); };
  return f(n) - f(k) - f(n - k);
}

// P(X = k) of n with this probability.
double binomial(std::size_t n, std::size_t k, double probability) {
  if (probability <= 0) return k == 0 ? 1 : 0;
  if (probability >= 1) return k == n ? 1 : 0;
  return std::exp(log_choose(n, k) + static_cast<double>(k) * std::log(probability) +
                  static_cast<double>(n - k) * std::log1p(-probability));
}

// The least number of `changed` pictures that must have worsened for p <= alpha; changed + 1: none is enough.
std::size_t least_appeared(std::size_t changed, double alpha) {
  double tail = 0;
  std::size_t least = changed + 1;
  for (std::size_t k = changed + 1; k-- > 0;) {
    tail += binomial(changed, k, 0.5);
    if (tail > alpha) break;
    least = k;
  }
  return least;
}

}  // namespace

double rate_increase(const PairedCounts& counts) {
  return share(counts.only_after, counts.pictures()) - share(counts.only_before, counts.pictures());
}

Interval rate_increase_interval(const PairedCounts& counts, double confidence) {
  const std::size_t n = counts.pictures();
  const std::size_t before = counts.both + counts.only_before, after = counts.both + counts.only_after;
  const double p = share(before, n), q = share(after, n), phi = correlation(counts);
  const Interval of_p = wilson_interval(before, n, confidence), of_q = wilson_interval(after, n, confidence);
  const auto reach = [&](double x, double y) {
    return std::sqrt(std::max(0.0, x * x - 2 * phi * x * y + y * y));
  };
  return {std::max(-1.0, q - p - reach(q - of_q.low, of_p.high - p)),
          std::min(1.0, q - p + reach(of_q.high - q, p - of_p.low))};
}

double rate_increase_test(const PairedCounts& counts) {
  const auto changed = static_cast<double>(counts.only_before + counts.only_after);
  return counts.only_after == 0 ? 1 : binomial_cdf(static_cast<double>(counts.only_before), changed, 0.5);
}

double rate_increase_power(std::size_t pictures, double cleared, double appeared, double alpha) {
  const double changing = std::min(cleared + appeared, 1.0);
  if (changing <= 0) return 0;
  double power = 0;
  for (std::size_t changed = 1; changed <= pictures; ++changed) {
    const double weight = binomial(pictures, changed, changing);
    if (weight < 1e-15) continue;
    double enough = 0;
    for (std::size_t k = least_appeared(changed, alpha); k <= changed; ++k)
      enough += binomial(changed, k, appeared / changing);
    power += weight * enough;
  }
  return std::min(power, 1.0);
}

double rate_found(std::size_t pictures, double before, double alpha, double power) {
  const auto is_found = [&](double after) {
    return rate_increase_power(pictures, 0, after - before, alpha) >= power;
  };
  if (!is_found(1)) return std::numeric_limits<double>::quiet_NaN();
  double low = before, high = 1;
  while (high - low > 1e-4) {
    const double middle = (low + high) / 2;
    (is_found(middle) ? high : low) = middle;
  }
  return high;
}

}  // namespace upbench
