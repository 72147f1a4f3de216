#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include <Eigen/Core>

#include "reports/statistics/bootstrap.h"

// Which of several cells is best on the same pictures, and how much that depends on the pictures.
namespace upbench {

struct Standing {
  double mean = 0;
  double rank = 1;        // 1 is the best; equal means share
  Interval ranks;         // percentile interval of the rank over resampled pictures
  double best_share = 0;  // of resamples in which it is the best (shared among equals)
};

// scores: [pictures, cells], finite, greater is better.
std::vector<Standing> rank_cells(const Eigen::MatrixXd& scores, const BootstrapOptions& options = {});

// What rank_cells() is made of: the means of the columns on each resample of rows, [resamples, cells], and
// the standings that follow. The sums run in the same order for every column, so equal columns stay equal.
Eigen::MatrixXd resampled_means(const Eigen::MatrixXd& scores, const BootstrapOptions& options);
std::vector<Standing> standings_of(const Eigen::RowVectorXd& means, const Eigen::MatrixXd& draws,
                                   const BootstrapOptions& options);

struct Flip {
  std::size_t left_out = 0;  // row of the picture, or number of the group
  std::size_t winner = 0;    // cell that is best without it
};

// The cell with the greatest mean; the first of equals.
std::size_t winner_of(const Eigen::MatrixXd& scores);

// Pictures without which another cell is best.
std::vector<Flip> flips_without_picture(const Eigen::MatrixXd& scores);

// Kendall's tau-b between two scores of the same cells (Kendall, The treatment of ties in ranking problems,
// 1945): 1 same order, -1 opposite. NaN where one of them is constant.
double kendall_tau(std::span<const double> first, std::span<const double> second);

struct Efficiency {
  bool on_front = false;  // no other cell is at least as good and as cheap, and better or cheaper
  double share = 0;       // of resamples in which it is on the front
};

// quality: [pictures, cells], greater is better. cost: the same, smaller is better. Means over pictures are
// compared.
std::vector<Efficiency> pareto_front(const Eigen::MatrixXd& quality, const Eigen::MatrixXd& cost,
                                     const BootstrapOptions& options = {});

}  // namespace upbench
