#include "reports/statistics/two_sample.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "reports/statistics/descriptive.h"
#include "reports/statistics/random.h"
#include "reports/statistics/signed_rank.h"

namespace upbench {
namespace {

constexpr std::size_t kMostExactPairs = 400;

// Number of orders of m + n values with each value of U, as a share of all: the recursion of Mann and
// Whitney, summed over the second sample's sizes.
std::vector<double> u_distribution(std::size_t m, std::size_t n) {
  // share[k][u] for k values of the first sample, grown one value of the second at a time.
  std::vector<std::vector<double>> counts(m + 1, std::vector<double>(m * n + 1, 0));
  for (std::size_t k = 0; k <= m; ++k) counts[k][0] = 1;
  for (std::size_t j = 1; j <= n; ++j)
    for (std::size_t k = 1; k <= m; ++k)
      for (std::size_t u = m * n + 1; u-- > 0;) {
        // The greatest value is of the first sample (beats j of the second) or of the second.
        const double first = u >= j ? counts[k - 1][u - j] : 0;
        counts[k][u] += first;
      }
  std::vector<double> shares = counts[m];
  const double all = std::accumulate(shares.begin(), shares.end(), 0.0);
  for (double& share : shares) share /= all;
  return shares;
}

double exact_p(std::size_t m, std::size_t n, double u) {
  const std::vector<double> shares = u_distribution(m, n);
  const auto least = static_cast<std::ptrdiff_t>(std::min(u, static_cast<double>(m * n) - u));
  return std::min(1.0, 2 * std::accumulate(shares.begin(), shares.begin() + least + 1, 0.0));
}

struct Ranked {
  double u = 0, tie_sum = 0;  // sum of t^3 - t over groups of t equal values
  bool ties = false;
};

Ranked rank(std::span<const double> first, std::span<const double> second) {
  std::vector<double> both(first.begin(), first.end());
  both.insert(both.end(), second.begin(), second.end());
  const std::vector<double> ranks = mid_ranks(both);
  const auto n = static_cast<double>(second.size());
  Ranked ranked;
  ranked.u = std::accumulate(ranks.begin() + static_cast<std::ptrdiff_t>(first.size()), ranks.end(), 0.0) -
             n * (n + 1) / 2;
  std::ranges::sort(both);
  for (std::size_t begin = 0, end = 0; begin < both.size(); begin = end) {
    while (end < both.size() && both[end] == both[begin]) ++end;
    const auto t = static_cast<double>(end - begin);
    ranked.tie_sum += t * t * t - t;
    ranked.ties = ranked.ties || t > 1;
  }
  return ranked;
}

double u_deviation(std::size_t m, std::size_t n, double tie_sum) {
  const auto pairs = static_cast<double>(m * n), all = static_cast<double>(m + n);
  return std::sqrt(pairs / 12 * (all + 1 - (all > 1 ? tie_sum / (all * (all - 1)) : 0)));
}

}  // namespace

RankSum rank_sum_test(std::span<const double> first, std::span<const double> second) {
  const std::size_t m = first.size(), n = second.size();
  const Ranked ranked = rank(first, second);
  if (!ranked.ties && m * n <= kMostExactPairs) return {ranked.u, exact_p(m, n, ranked.u), true};
  const double deviation = u_deviation(m, n, ranked.tie_sum);
  if (deviation == 0) return {ranked.u, 1, false};
  const double distance = std::abs(ranked.u - static_cast<double>(m * n) / 2) - 0.5;
  return {ranked.u, std::min(1.0, 2 * normal_cdf(-std::max(0.0, distance) / deviation)), false};
}

Estimate shift(std::span<const double> first, std::span<const double> second, double confidence) {
  std::vector<double> differences;
  differences.reserve(first.size() * second.size());
  for (const double a : first)
    for (const double b : second) differences.push_back(b - a);
  std::ranges::sort(differences);
  const auto pairs = static_cast<double>(differences.size());
  const double half = normal_quantile((1 + confidence) / 2) * u_deviation(first.size(), second.size(), 0);
  const auto last = static_cast<double>(differences.size() - 1);
  const auto at = [&](double k) { return differences[static_cast<std::size_t>(std::clamp(k, 0.0, last))]; };
  return {median(differences), {at(std::floor(pairs / 2 - half)), at(std::ceil(pairs / 2 + half) - 1)}};
}

Estimate ratio_of_medians(std::span<const double> first, std::span<const double> second,
                          const BootstrapOptions& options) {
  Random random(options.seed);
  std::vector<double> ratios, drawn_first(first.size()), drawn_second(second.size());
  const auto draw = [&](std::span<const double> from, std::vector<double>& drawn) {
    for (double& value : drawn) value = from[random.below(static_cast<std::uint32_t>(from.size()))];
    return partial_median(drawn);
  };
  for (int i = 0; i < options.resamples; ++i) {
    const double below = draw(first, drawn_first);
    ratios.push_back(draw(second, drawn_second) / below);
  }
  const double tail = (1 - options.confidence) / 2;
  return {median(second) / median(first), {quantile(ratios, tail), quantile(ratios, 1 - tail)}};
}

}  // namespace upbench
