#include "reports/statistics/variance_shares.h"

#include <algorithm>
#include <map>
#include <utility>

#include <Eigen/Dense>

namespace upbench {
namespace {

using Eigen::Index;
using Eigen::MatrixXd;
using Eigen::VectorXd;

// One column for each value of an axis, or for each combination of values of two.
MatrixXd indicators(const std::vector<std::vector<std::size_t>>& levels, std::size_t first,
                    std::size_t second) {
  std::map<std::pair<std::size_t, std::size_t>, Index> column;
  for (const auto& cell : levels)
    column.try_emplace({cell[first], cell[second]}, static_cast<Index>(column.size()));
  MatrixXd matrix = MatrixXd::Zero(static_cast<Index>(levels.size()), static_cast<Index>(column.size()));
  for (std::size_t cell = 0; cell < levels.size(); ++cell)
    matrix(static_cast<Index>(cell), column.at({levels[cell][first], levels[cell][second]})) = 1;
  return matrix;
}

// What least squares on the columns of all parts leaves of `values`.
double residual(const std::vector<MatrixXd>& parts, const VectorXd& values) {
  Index columns = 1;
  for (const MatrixXd& part : parts) columns += part.cols();
  MatrixXd design(values.size(), columns);
  design.col(0).setOnes();
  Index next = 1;
  for (const MatrixXd& part : parts) {
    design.middleCols(next, part.cols()) = part;
    next += part.cols();
  }
  const Eigen::CompleteOrthogonalDecomposition<MatrixXd> solver(design);
  return (values - design * solver.solve(values)).squaredNorm();
}

}  // namespace

std::vector<VarianceShare> variance_shares(const std::vector<std::vector<std::size_t>>& levels,
                                           const std::vector<double>& means) {
  if (levels.empty()) return {};
  const VectorXd values = Eigen::Map<const VectorXd>(means.data(), static_cast<Index>(means.size()));
  const double total = (values.array() - values.mean()).square().sum();
  if (!(total > 0)) return {};
  const std::size_t axes = levels.front().size();
  std::vector<MatrixXd> alone;
  for (std::size_t axis = 0; axis < axes; ++axis) alone.push_back(indicators(levels, axis, axis));
  const double left_by_all = residual(alone, values);
  const auto share = [&](double sum) { return std::max(0.0, sum / total); };

  std::vector<VarianceShare> shares;
  for (std::size_t axis = 0; axis < axes; ++axis) {
    std::vector<MatrixXd> others = alone;
    others.erase(others.begin() + static_cast<std::ptrdiff_t>(axis));
    shares.push_back({axis, axis, share(residual(others, values) - left_by_all)});
  }
  for (std::size_t first = 0; first < axes; ++first)
    for (std::size_t second = first + 1; second < axes; ++second) {
      std::vector<MatrixXd> with_pair = alone;
      with_pair.push_back(indicators(levels, first, second));
      shares.push_back({first, second, share(left_by_all - residual(with_pair, values))});
    }
  return shares;
}

}  // namespace upbench
