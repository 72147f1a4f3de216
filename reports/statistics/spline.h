#pragma once

#include <span>

#include <Eigen/Core>

namespace upbench {

// Cubic B-splines on `segments` equal pieces of [0, 1]: [positions, segments + 3]. Each row sums to 1.
Eigen::MatrixXd spline_basis(std::span<const double> positions, int segments);

// Differences of the second order between neighbouring coefficients: [coefficients - 2, coefficients].
Eigen::MatrixXd second_differences(Eigen::Index coefficients);

}  // namespace upbench
