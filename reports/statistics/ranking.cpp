#include "reports/statistics/ranking.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "reports/statistics/descriptive.h"
#include "reports/statistics/signed_rank.h"

namespace upbench {
namespace {

using Eigen::Index;
using Eigen::MatrixXd;
using Eigen::RowVectorXd;

using RowMajor = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

RowVectorXd mean_of(const RowMajor& scores, std::span<const std::uint32_t> pictures) {
  RowVectorXd sum = RowVectorXd::Zero(scores.cols());
  for (const std::uint32_t picture : pictures) sum += scores.row(picture);
  return sum / static_cast<double>(pictures.size());
}

// Rank 1 for the greatest.
std::vector<double> ranks_of(const RowVectorXd& means) {
  std::vector<double> negative;
  for (const double value : means) negative.push_back(-value);
  return mid_ranks(negative);
}

std::size_t pictures_of(const MatrixXd& scores) {
  return static_cast<std::size_t>(scores.rows());
}

// From the cheapest on, a cell is on the front if it beats every cheaper one; of equal costs only the best
// can.
std::vector<bool> front(const RowVectorXd& quality, const RowVectorXd& cost) {
  std::vector<Index> order(static_cast<std::size_t>(quality.size()));
  std::iota(order.begin(), order.end(), Index{0});
  std::ranges::sort(order, [&](Index a, Index b) {
    return cost[a] != cost[b] ? cost[a] < cost[b] : quality[a] > quality[b];
  });
  std::vector<bool> on(order.size(), false);
  double best = -std::numeric_limits<double>::infinity(), its_cost = 0;
  for (const Index cell : order) {
    const bool equal = quality[cell] == best && cost[cell] == its_cost;
    if (!equal && !(quality[cell] > best)) continue;
    on[static_cast<std::size_t>(cell)] = true;
    best = quality[cell];
    its_cost = cost[cell];
  }
  return on;
}

}  // namespace

MatrixXd resampled_means(const MatrixXd& scores, const BootstrapOptions& options) {
  const RowMajor rows = scores;
  RowMajor draws(options.resamples, scores.cols());
  for_each_resample(pictures_of(scores), options, [&](std::size_t i, std::span<const std::uint32_t> drawn) {
    draws.row(static_cast<Index>(i)) = mean_of(rows, drawn);
  });
  return draws;
}

std::vector<Standing> standings_of(const RowVectorXd& means, const MatrixXd& draws,
                                   const BootstrapOptions& options) {
  const std::vector<double> ranks = ranks_of(means);
  std::vector<Standing> standings(ranks.size());
  std::vector<std::vector<float>> drawn_ranks(ranks.size());  // halves, so exact
  for (Index i = 0; i < draws.rows(); ++i) {
    const std::vector<double> once = ranks_of(draws.row(i));
    const double first = std::ranges::min(once);  // (k + 1) / 2 where k cells share it
    for (std::size_t cell = 0; cell < once.size(); ++cell) {
      drawn_ranks[cell].push_back(static_cast<float>(once[cell]));
      if (once[cell] == first) standings[cell].best_share += 1 / (2 * first - 1);
    }
  }
  for (std::size_t cell = 0; cell < ranks.size(); ++cell) {
    Standing& standing = standings[cell];
    const std::vector<double> drawn(drawn_ranks[cell].begin(), drawn_ranks[cell].end());
    standing.mean = means[static_cast<Index>(cell)];
    standing.rank = ranks[cell];
    standing.ranks = {std::floor(quantile(drawn, (1 - options.confidence) / 2)),
                      std::ceil(quantile(drawn, (1 + options.confidence) / 2))};
    standing.best_share /= static_cast<double>(draws.rows());
  }
  return standings;
}

std::vector<Standing> rank_cells(const MatrixXd& scores, const BootstrapOptions& options) {
  return standings_of(scores.colwise().mean(), resampled_means(scores, options), options);
}

std::size_t winner_of(const MatrixXd& scores) {
  Index winner = 0;
  scores.colwise().sum().maxCoeff(&winner);
  return static_cast<std::size_t>(winner);
}

std::vector<Flip> flips_without_picture(const MatrixXd& scores) {
  const RowVectorXd sum = scores.colwise().sum();
  const std::size_t usual = winner_of(scores);
  std::vector<Flip> flips;
  for (Index picture = 0; picture < scores.rows(); ++picture) {
    Index winner = 0;
    (sum - scores.row(picture)).maxCoeff(&winner);
    if (static_cast<std::size_t>(winner) != usual)
      flips.push_back({static_cast<std::size_t>(picture), static_cast<std::size_t>(winner)});
  }
  return flips;
}

double kendall_tau(std::span<const double> first, std::span<const double> second) {
  double agreement = 0, first_pairs = 0, second_pairs = 0;
  const auto sign = [](double value) { return value > 0 ? 1 : value < 0 ? -1 : 0; };
  for (std::size_t i = 0; i < first.size(); ++i)
    for (std::size_t j = i + 1; j < first.size(); ++j) {
      const int a = sign(first[j] - first[i]), b = sign(second[j] - second[i]);
      agreement += a * b;
      first_pairs += a * a;
      second_pairs += b * b;
    }
  const double pairs = std::sqrt(first_pairs * second_pairs);
  return pairs > 0 ? agreement / pairs : std::numeric_limits<double>::quiet_NaN();
}

std::vector<Efficiency> pareto_front(const MatrixXd& quality, const MatrixXd& cost,
                                     const BootstrapOptions& options) {
  const std::vector<bool> on = front(quality.colwise().mean(), cost.colwise().mean());
  std::vector<Efficiency> cells(on.size());
  for (std::size_t cell = 0; cell < on.size(); ++cell) cells[cell].on_front = on[cell];
  // The same options draw the same pictures for both. Where every picture costs the same, so does every draw.
  const bool is_constant = cost.rows() > 0 && cost == cost.row(0).replicate(cost.rows(), 1);
  const MatrixXd qualities = resampled_means(quality, options),
                 costs = is_constant ? MatrixXd(cost.row(0).replicate(options.resamples, 1))
                                     : resampled_means(cost, options);
  for (Index i = 0; i < qualities.rows(); ++i) {
    const std::vector<bool> once = front(qualities.row(i), costs.row(i));
    for (std::size_t cell = 0; cell < once.size(); ++cell) cells[cell].share += once[cell] ? 1 : 0;
  }
  for (Efficiency& cell : cells) cell.share /= static_cast<double>(options.resamples);
  return cells;
}

}  // namespace upbench
