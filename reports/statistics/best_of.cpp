#include "reports/statistics/best_of.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "reports/statistics/descriptive.h"
#include "reports/statistics/paired.h"
#include "reports/statistics/signed_rank.h"

namespace upbench {
namespace {

using Eigen::Index;
using Eigen::MatrixXd;

std::span<const double> column(const MatrixXd& matrix, std::size_t index) {
  return {matrix.col(static_cast<Index>(index)).data(), static_cast<std::size_t>(matrix.rows())};
}

// Columns with equal scores get equal numbers, from 0.
std::vector<std::size_t> groups_of_equals(const MatrixXd& scores) {
  std::vector<std::size_t> order(static_cast<std::size_t>(scores.cols())), group(order.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  const auto before = [&](std::size_t a, std::size_t b) {
    return std::ranges::lexicographical_compare(column(scores, a), column(scores, b));
  };
  std::ranges::sort(order, before);
  for (std::size_t i = 1; i < order.size(); ++i)
    group[order[i]] = group[order[i - 1]] + (before(order[i - 1], order[i]) ? 1 : 0);
  return group;
}

Estimate distance(const std::vector<double>& differences, const std::vector<double>& replicates,
                  const BootstrapOptions& options) {
  const double value = mean(differences);
  if (differences.size() < 2) return {value, {std::nan(""), std::nan("")}};
  const auto n = static_cast<double>(differences.size());
  std::vector<double> without;
  for (const double difference : differences) without.push_back((value * n - difference) / (n - 1));
  return {value, hull_interval(replicates, value, without, differences.size(), options.confidence)};
}

Rival compare(const MatrixXd& scores, const MatrixXd& draws, std::size_t best, std::size_t cell,
              const BootstrapOptions& options) {
  const auto b = static_cast<Index>(best), c = static_cast<Index>(cell);
  std::vector<double> differences(static_cast<std::size_t>(scores.rows())),
      replicates(static_cast<std::size_t>(draws.rows()));
  Eigen::VectorXd::Map(differences.data(), scores.rows()) = scores.col(b) - scores.col(c);
  Eigen::VectorXd::Map(replicates.data(), draws.rows()) = draws.col(b) - draws.col(c);
  Rival rival;
  rival.behind = distance(differences, replicates, options);
  const SignedRank ranks = signed_rank_test(differences);
  rival.p = ranks.p;
  rival.worse = ranks.positive > ranks.negative && rival.behind.interval.low > 0;  // and, below, p_adjusted
  const Signs signs = sign_test(differences);
  rival.wins = signs.positive;
  rival.losses = signs.negative;
  rival.ties = signs.zero;
  rival.equal = signs.zero == differences.size();
  rival.standardised = standardised_mean(differences);
  return rival;
}

}  // namespace

BestOf compare_with_best(const MatrixXd& scores, const BootstrapOptions& options) {
  BestOf result;
  result.best = winner_of(scores);
  const MatrixXd draws = resampled_means(scores, options);
  const std::vector<Standing> standings = standings_of(scores.colwise().mean(), draws, options);
  for (std::size_t cell = 0; cell < standings.size(); ++cell) {
    result.cells.push_back(compare(scores, draws, result.best, cell, options));
    result.cells.back().standing = standings[cell];
  }
  const std::vector<std::size_t> group = groups_of_equals(scores);
  result.distinct = 1 + std::ranges::max(group);
  result.comparisons = result.distinct * (result.distinct - 1) / 2;

  std::vector<std::size_t> order;
  for (std::size_t cell = 0; cell < standings.size(); ++cell)
    if (!result.cells[cell].equal) order.push_back(cell);
  std::ranges::sort(order, [&](std::size_t a, std::size_t b) {
    const Rival &first = result.cells[a], &second = result.cells[b];
    return first.p != second.p ? first.p < second.p : group[a] < group[b];
  });
  double adjusted = 0;
  std::size_t left = result.distinct;  // groups not yet shown to be worse, the best's own among them
  for (std::size_t i = 0; i < order.size(); ++i) {
    Rival& rival = result.cells[order[i]];
    if (i > 0 && group[order[i]] != group[order[i - 1]]) --left;
    adjusted = std::max(adjusted, std::min(1.0, static_cast<double>(left * (left - 1) / 2) * rival.p));
    rival.p_adjusted = adjusted;
    rival.worse = rival.worse && adjusted <= 1 - options.confidence + 1e-12;
  }
  return result;
}

std::size_t fewest_pictures(std::size_t comparisons, double confidence) {
  // All differences of one sign have the two-sided p-value 2^(1 - n).
  const double least =
      std::log2(2 * static_cast<double>(std::max<std::size_t>(comparisons, 1)) / (1 - confidence));
  return static_cast<std::size_t>(std::ceil(least - 1e-9));
}

}  // namespace upbench
