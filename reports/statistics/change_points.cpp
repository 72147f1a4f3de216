#include "reports/statistics/change_points.h"

#include <algorithm>
#include <cmath>

#include "reports/statistics/descriptive.h"
#include "reports/statistics/distributions.h"

namespace upbench {
namespace {

constexpr std::size_t kLeastSide =
    3;  // with two values a side the t-test mistakes every pair that happens to be close

// Where to split a series: the place of the greatest energy distance between both sides, weighted by their
// lengths; 0 where it is too short. Sums of |a - b| within the left, within the right and across are carried
// from place to place.
std::size_t best_split(std::span<const double> values) {
  const std::size_t n = values.size();
  if (n < 2 * kLeastSide) return 0;
  double within_left = 0, within_right = 0, across = 0;
  for (std::size_t i = 0; i < n; ++i)
    for (std::size_t j = i + 1; j < n; ++j) within_right += std::abs(values[i] - values[j]);
  std::size_t best = 0;
  double greatest = 0;
  for (std::size_t moved = 0; moved + 1 < n; ++moved) {  // values[moved] goes from the right to the left
    double to_left = 0, to_right = 0;
    for (std::size_t i = 0; i < moved; ++i) to_left += std::abs(values[moved] - values[i]);
    for (std::size_t i = moved + 1; i < n; ++i) to_right += std::abs(values[moved] - values[i]);
    within_left += to_left;
    within_right -= to_right;
    across += to_right - to_left;
    const auto left = static_cast<double>(moved + 1), right = static_cast<double>(n - moved - 1);
    if (moved + 1 < kLeastSide || n - moved - 1 < kLeastSide) continue;
    const double distance = 2 * across / (left * right) - 2 * within_left / (left * (left - 1)) -
                            2 * within_right / (right * (right - 1));
    const double weighted = distance * left * right / (left + right);
    if (weighted > greatest) {
      greatest = weighted;
      best = moved + 1;
    }
  }
  return best;
}

// For having chosen among the places of a series.
double corrected(double p, std::size_t values) {
  return std::min(1.0, p * static_cast<double>(values));
}

// Splits [begin, end) as long as a split is significant, most divergent first.
void split(std::span<const double> series, std::size_t begin, std::size_t end, double most_p,
           std::vector<std::size_t>& places) {
  const auto part = series.subspan(begin, end - begin);
  const std::size_t at = best_split(part);
  if (at == 0 || corrected(welch_test(part.first(at), part.subspan(at)), part.size()) > most_p) return;
  split(series, begin, begin + at, most_p, places);
  places.push_back(begin + at);
  split(series, begin + at, end, most_p, places);
}

std::vector<ChangePoint> described(std::span<const double> series, const std::vector<std::size_t>& places) {
  std::vector<ChangePoint> points;
  for (std::size_t i = 0; i < places.size(); ++i) {
    const std::size_t begin = i == 0 ? 0 : places[i - 1],
                      end = i + 1 < places.size() ? places[i + 1] : series.size();
    const auto before = series.subspan(begin, places[i] - begin),
               after = series.subspan(places[i], end - places[i]);
    points.push_back(
        {places[i], mean(before), mean(after), corrected(welch_test(before, after), end - begin)});
  }
  return points;
}

}  // namespace

double welch_test(std::span<const double> first, std::span<const double> second) {
  if (first.size() < 2 || second.size() < 2) return 1;
  const auto squared_error = [](std::span<const double> values) {
    const double deviation = standard_deviation(values);
    return deviation * deviation / static_cast<double>(values.size());
  };
  const double a = squared_error(first), b = squared_error(second), difference = mean(second) - mean(first);
  if (a + b == 0) return difference == 0 ? 1 : 0;
  const double degrees =
      (a + b) * (a + b) /
      (a * a / static_cast<double>(first.size() - 1) + b * b / static_cast<double>(second.size() - 1));
  return 2 * student_cdf(-std::abs(difference) / std::sqrt(a + b), degrees);
}

std::vector<ChangePoint> change_points(std::span<const double> series, const ChangePointOptions& options) {
  // Windows overlap by half, so that a change near the end of one lies inside the next.
  std::vector<std::size_t> places;
  for (std::size_t begin = 0;; begin += options.window / 2) {
    const std::size_t end = std::min(series.size(), begin + options.window);
    // Less strict than asked: some splits only stand out once others are made, and all are checked below.
    split(series, begin, end, std::min(1.0, options.most_p * 10), places);
    if (end == series.size()) break;
  }
  std::ranges::sort(places);
  places.erase(std::ranges::unique(places).begin(), places.end());
  for (;;) {
    const std::vector<ChangePoint> points = described(series, places);
    const auto weakest = std::ranges::max_element(points, {}, &ChangePoint::p);
    if (points.empty() || weakest->p <= options.most_p) break;
    places.erase(places.begin() + (weakest - points.begin()));
  }
  std::vector<ChangePoint> points = described(series, places);
  std::erase_if(points, [&](const ChangePoint& point) {
    return std::abs(point.after - point.before) < options.least_change * std::abs(point.before);
  });
  return points;
}

}  // namespace upbench
