#include "reports/statistics/signed_rank.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "reports/statistics/distributions.h"

namespace upbench {
namespace {

// P(at most `sum` or at least total - sum) where each rank is added with probability one half. Ranks are
// doubled, so that shared ones are whole numbers.
double exact_p(const std::vector<double>& ranks, double smaller_sum) {
  std::vector<std::size_t> doubled;
  for (const double rank : ranks) doubled.push_back(static_cast<std::size_t>(std::lround(2 * rank)));
  const std::size_t total = std::accumulate(doubled.begin(), doubled.end(), std::size_t{0});
  std::vector<double> probability(total + 1, 0);  // of each sum
  probability[0] = 1;
  std::size_t reached = 0;
  for (const std::size_t rank : doubled) {
    reached += rank;
    for (std::size_t sum = reached + 1; sum-- > 0;)
      probability[sum] = (probability[sum] + (sum >= rank ? probability[sum - rank] : 0)) / 2;
  }
  const auto last = static_cast<std::size_t>(std::lround(2 * smaller_sum));
  const double tail =
      std::accumulate(probability.begin(), probability.begin() + static_cast<std::ptrdiff_t>(last) + 1, 0.0);
  return std::min(1.0, 2 * tail);
}

double approximate_p(const std::vector<double>& ranks, double positive) {
  double sum = 0, squares = 0;  // tied and dropped ranks are in the sum of squares as they are
  for (const double rank : ranks) {
    sum += rank;
    squares += rank * rank;
  }
  const double z = (positive - sum / 2) / std::sqrt(squares / 4);
  return std::min(1.0, 2 * normal_cdf(-std::abs(z)));
}

}  // namespace

std::vector<double> mid_ranks(std::span<const double> values) {
  std::vector<std::size_t> order(values.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::sort(order, {}, [&](std::size_t i) { return values[i]; });
  std::vector<double> ranks(values.size());
  for (std::size_t begin = 0, end = 0; begin < order.size(); begin = end) {
    while (end < order.size() && values[order[end]] == values[order[begin]]) ++end;
    const double shared = static_cast<double>(begin + 1 + end) / 2;
    for (std::size_t i = begin; i < end; ++i) ranks[order[i]] = shared;
  }
  return ranks;
}

SignedRank signed_rank_test(std::span<const double> differences) {
  std::vector<double> sizes;
  for (const double difference : differences) sizes.push_back(std::abs(difference));
  const std::vector<double> all = mid_ranks(sizes);
  SignedRank result;
  std::vector<double> ranks;  // of what is not zero
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (differences[i] == 0) continue;
    ranks.push_back(all[i]);
    (differences[i] > 0 ? result.positive : result.negative) += all[i];
  }
  if (ranks.empty()) return result;
  result.exact = ranks.size() <= kMostExact;
  result.p = result.exact ? exact_p(ranks, std::min(result.positive, result.negative))
                          : approximate_p(ranks, result.positive);
  return result;
}

Signs sign_test(std::span<const double> differences) {
  Signs signs;
  for (const double difference : differences)
    ++(difference > 0 ? signs.positive : difference < 0 ? signs.negative : signs.zero);
  const auto fewer = static_cast<double>(std::min(signs.positive, signs.negative));
  const auto count = static_cast<double>(signs.positive + signs.negative);
  signs.p = std::min(1.0, 2 * binomial_cdf(fewer, count, 0.5));
  return signs;
}

std::vector<double> holm(std::span<const double> p) {
  std::vector<std::size_t> order;
  for (std::size_t i = 0; i < p.size(); ++i)
    if (!std::isnan(p[i])) order.push_back(i);
  std::ranges::sort(order, {}, [&](std::size_t i) { return p[i]; });
  std::vector<double> adjusted(p.begin(), p.end());
  double least = 0;
  for (std::size_t k = 0; k < order.size(); ++k) {
    least = std::max(least, std::min(1.0, static_cast<double>(order.size() - k) * p[order[k]]));
    adjusted[order[k]] = least;
  }
  return adjusted;
}

}  // namespace upbench
