#include "reports/statistics/spline.h"

#include <algorithm>
#include <cmath>

namespace upbench {

Eigen::MatrixXd spline_basis(std::span<const double> positions, int segments) {
  Eigen::MatrixXd basis = Eigen::MatrixXd::Zero(static_cast<Eigen::Index>(positions.size()), segments + 3);
  for (std::size_t i = 0; i < positions.size(); ++i) {
    const double place = std::clamp(positions[i], 0.0, 1.0) * segments;
    const int piece = std::min(static_cast<int>(place), segments - 1);
    const double t = place - piece, s = 1 - t;
    basis.row(static_cast<Eigen::Index>(i)).segment<4>(piece) << s * s * s / 6,
        (3 * t * t * t - 6 * t * t + 4) / 6, (3 * s * s * s - 6 * s * s + 4) / 6, t * t * t / 6;
  }
  return basis;
}

Eigen::MatrixXd second_differences(Eigen::Index coefficients) {
  Eigen::MatrixXd differences = Eigen::MatrixXd::Zero(coefficients - 2, coefficients);
  for (Eigen::Index i = 0; i < coefficients - 2; ++i) differences.row(i).segment<3>(i) << 1, -2, 1;
  return differences;
}

}  // namespace upbench
