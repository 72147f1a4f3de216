#include "reports/statistics/roc.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>

namespace upbench {
namespace {

constexpr double kNone = std::numeric_limits<double>::quiet_NaN();

std::vector<double> sorted(std::span<const double> values) {
  std::vector<double> result(values.begin(), values.end());
  std::ranges::sort(result);
  return result;
}

// Of ascending values: how many are larger.
double above(const std::vector<double>& values, double threshold) {
  return static_cast<double>(values.end() - std::ranges::upper_bound(values, threshold));
}

}  // namespace

double area_under_roc(std::span<const double> defective, std::span<const double> clean) {
  if (defective.empty() || clean.empty()) return kNone;
  const std::vector<double> all = sorted(clean);
  double wins = 0;
  for (const double value : defective) {
    const auto [first, last] = std::ranges::equal_range(all, value);
    wins += static_cast<double>(first - all.begin()) + static_cast<double>(last - first) / 2;
  }
  return wins / static_cast<double>(defective.size()) / static_cast<double>(clean.size());
}

double average_precision(std::span<const double> defective, std::span<const double> clean) {
  if (defective.empty()) return kNone;
  const std::vector<double> bad = sorted(defective), good = sorted(clean);
  double sum = 0;
  for (std::size_t i = bad.size(); i > 0;) {
    const double value = bad[i - 1];
    std::size_t equal = 0;
    while (i > 0 && bad[i - 1] == value) {
      --i;
      ++equal;
    }
    const auto found = static_cast<double>(bad.size() - i);
    const auto wrong = static_cast<double>(good.end() - std::ranges::lower_bound(good, value));
    sum += static_cast<double>(equal) * found / (found + wrong);
  }
  return sum / static_cast<double>(bad.size());
}

double sensitivity_at(double false_positive_rate, std::span<const double> defective,
                      std::span<const double> clean) {
  if (defective.empty() || clean.empty()) return kNone;
  const std::vector<double> bad = sorted(defective);
  std::vector<double> good = sorted(clean);
  const auto allowed =
      static_cast<std::size_t>(std::floor(false_positive_rate * static_cast<double>(good.size()) + 1e-9));
  const double threshold =
      allowed >= good.size() ? -std::numeric_limits<double>::infinity() : good[good.size() - 1 - allowed];
  return above(bad, threshold) / static_cast<double>(bad.size());
}

}  // namespace upbench
