#include "reports/statistics/descriptive.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include <Eigen/Core>

namespace upbench {
namespace {

constexpr double kNone = std::numeric_limits<double>::quiet_NaN();

Eigen::Map<const Eigen::ArrayXd> array(std::span<const double> values) {
  return {values.data(), static_cast<Eigen::Index>(values.size())};
}

}  // namespace

double mean(std::span<const double> values) {
  return values.empty() ? kNone : array(values).mean();
}

double standard_deviation(std::span<const double> values) {
  if (values.size() < 2) return kNone;
  // Two passes: the sum of squares alone loses all digits where the spread is small beside the mean.
  return std::sqrt((array(values) - mean(values)).square().sum() / static_cast<double>(values.size() - 1));
}

double quantile(std::span<const double> values, double p) {
  if (values.empty()) return kNone;
  std::vector<double> sorted(values.begin(), values.end());
  std::sort(sorted.begin(), sorted.end());
  const double position = p * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<std::size_t>(position);
  const std::size_t above = std::min(below + 1, sorted.size() - 1);
  return std::lerp(sorted[below], sorted[above], position - static_cast<double>(below));
}

double median(std::span<const double> values) {
  return quantile(values, 0.5);
}

double partial_median(std::span<double> values) {
  if (values.empty()) return kNone;
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  if (values.size() % 2 == 1) return *middle;
  return (*std::max_element(values.begin(), middle) + *middle) / 2;
}

}  // namespace upbench
