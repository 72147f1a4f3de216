#include "models/diffusion/sampling/beta_quantile.h"

#include <limits>
#include <stdexcept>

#include <fmt/format.h>

// Its own includes want Eigen/Core first.
#include <Eigen/Core>
#include <unsupported/Eigen/SpecialFunctions>

namespace upbench {

// Bisection of Eigen's distribution function, which ascends: as many halvings as a double has digits.
double beta_quantile(double probability, double alpha, double beta) {
  if (!(probability >= 0 && probability <= 1) || !(alpha > 0) || !(beta > 0))
    throw std::invalid_argument(
        fmt::format("quantile {} of Beta({}, {}): expected a probability in [0, 1] and positive shapes",
                    probability, alpha, beta));
  if (probability == 0 || probability == 1) return probability;
  double low = 0, high = 1;
  for (int i = 0; i < std::numeric_limits<double>::digits + 3; ++i) {
    const double middle = (low + high) / 2;
    (Eigen::numext::betainc(alpha, beta, middle) < probability ? low : high) = middle;
  }
  return (low + high) / 2;
}

}  // namespace upbench
