#include "reports/statistics/corrected_rate.h"

#include <algorithm>
#include <cmath>

#include "reports/statistics/proportion.h"

namespace upbench {

double corrected_rate(std::size_t flagged, std::size_t trials, const DetectorCounts& detector) {
  const double se = detector.sensitivity(), sp = detector.specificity();
  const double share = static_cast<double>(flagged) / static_cast<double>(trials);
  return std::clamp((share + sp - 1) / (se + sp - 1), 0.0, 1.0);
}

Interval corrected_rate_interval(std::size_t flagged, std::size_t trials, const DetectorCounts& detector,
                                 double confidence) {
  const double z = normal_quantile((1 + confidence) / 2), zz = z * z;
  // Each share with a little added to both of its sides: no estimate is then 0 or 1.
  const double n = static_cast<double>(trials) + zz, p = (static_cast<double>(flagged) + zz / 2) / n;
  const double of_defective = static_cast<double>(detector.defective) + 2,
               of_clean = static_cast<double>(detector.clean) + 2;
  const double se = (static_cast<double>(detector.found) + 1) / of_defective,
               sp = (static_cast<double>(detector.passed) + 1) / of_clean;
  const double youden = se + sp - 1, rate = (p + sp - 1) / youden;
  const double by_se = se * (1 - se) / of_defective, by_sp = sp * (1 - sp) / of_clean;
  const double centre = rate + 2 * zz * (rate * by_se - (1 - rate) * by_sp);
  const double half = z / std::abs(youden) *
                      std::sqrt(p * (1 - p) / n + rate * rate * by_se + (1 - rate) * (1 - rate) * by_sp);
  return {std::clamp(centre - half, 0.0, 1.0), std::clamp(centre + half, 0.0, 1.0)};
}

double rate_upper_bound(std::size_t flagged, std::size_t trials, double confidence) {
  return clopper_pearson_interval(flagged, trials, 2 * confidence - 1).high;
}

double flagged_rate(double rate, double sensitivity, double specificity) {
  return rate * sensitivity + (1 - rate) * (1 - specificity);
}

}  // namespace upbench
