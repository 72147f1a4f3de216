#include "reports/statistics/paired.h"

#include <cmath>
#include <limits>

#include "reports/statistics/descriptive.h"
#include "reports/statistics/proportion.h"
#include "reports/statistics/signed_rank.h"

namespace upbench {
namespace {

constexpr double kNone = std::numeric_limits<double>::quiet_NaN();

// Equal differences differ in their last digits, which is no spread.
double spread_of(std::span<const double> differences) {
  const double spread = standard_deviation(differences);
  return spread > 1e-12 * std::abs(mean(differences)) ? spread : 0;
}

}  // namespace

PairedComparison compare_paired(std::span<const double> differences, const BootstrapOptions& options) {
  PairedComparison result;
  result.pictures = differences.size();
  result.mean = bootstrap(differences, Average::mean, options);
  result.median = bootstrap(differences, Average::median, options);
  const SignedRank ranks = signed_rank_test(differences);
  result.signed_rank_p = ranks.p;
  result.exact = ranks.exact;
  const double rank_sum = ranks.positive + ranks.negative;
  result.rank_biserial = rank_sum > 0 ? (ranks.positive - ranks.negative) / rank_sum : kNone;
  const Signs signs = sign_test(differences);
  result.sign_p = signs.p;
  result.wins = signs.positive;
  result.losses = signs.negative;
  result.ties = signs.zero;
  result.standardised = standardised_mean(differences);
  result.win_rate = differences.empty()
                        ? Interval{kNone, kNone}
                        : wilson_interval(signs.positive, differences.size(), options.confidence);
  return result;
}

double standardised_mean(std::span<const double> differences) {
  const double spread = spread_of(differences);
  return spread > 0 ? mean(differences) / spread : kNone;
}

double mean_test(std::span<const double> differences) {
  if (differences.size() < 2) return kNone;
  const auto n = static_cast<double>(differences.size());
  const double centre = mean(differences), error = spread_of(differences) / std::sqrt(n);
  if (error == 0) return centre == 0 ? 1 : 0;
  return 2 * student_cdf(-std::abs(centre) / error, n - 1);
}

double equivalence_test(std::span<const double> differences, double margin) {
  if (differences.size() < 2) return kNone;
  const auto n = static_cast<double>(differences.size());
  const double centre = mean(differences), error = spread_of(differences) / std::sqrt(n);
  if (error == 0) return std::abs(centre) < margin ? 0 : 1;
  const double above_low = 1 - student_cdf((centre + margin) / error, n - 1),
               below_high = student_cdf((centre - margin) / error, n - 1);
  return std::max(above_low, below_high);
}

}  // namespace upbench
