#include "models/diffusion/sampling/unipc.h"

#include <cmath>

#include <ATen/ATen.h>
#include <Eigen/LU>

namespace upbench {
namespace {

// How the differences quotients at `places` (shares of the step, from its beginning) are weighted: exact
// where the guess is a polynomial of as high a degree as there are places. For one place any weight keeps the
// order; the authors take one half.
Eigen::VectorXd weights(const Eigen::VectorXd& places, double h, double scale) {
  const Eigen::Index count = places.size();
  if (count == 1) return Eigen::VectorXd::Constant(1, 0.5);
  Eigen::MatrixXd powers(count, count);
  Eigen::VectorXd moments(count);
  double phi = std::expm1(h) / h - 1, factorial = 1;  // phi: h phi_{k+1}(h) of the paper
  for (Eigen::Index k = 0; k < count; ++k) {
    powers.row(k) = places.array().pow(static_cast<double>(k));
    moments[k] = phi * factorial / scale;
    factorial *= static_cast<double>(k + 2);
    phi = phi / h - 1 / factorial;
  }
  return powers.partialPivLu().solve(moments);
}

}  // namespace

at::Tensor unipc_step(const at::Tensor& x, const std::vector<UniPcGuess>& guesses, double target,
                      const at::Tensor* arrived, bool exponential) {
  const UniPcGuess& now = guesses.front();
  const double h = now.lambda - target;  // below 0
  const double scale = exponential ? std::expm1(h) : h;
  std::vector<double> places;
  std::vector<at::Tensor> quotients;
  for (std::size_t i = 1; i < guesses.size(); ++i) {
    places.push_back((now.lambda - guesses[i].lambda) / h);
    quotients.push_back((guesses[i].picture - now.picture) / places.back());
  }
  if (arrived != nullptr) {
    places.push_back(1);
    quotients.push_back(*arrived - now.picture);
  }
  at::Tensor there = x * std::exp(h) - now.picture * std::expm1(h);
  if (places.empty()) return there;
  const Eigen::VectorXd weight =
      weights(Eigen::Map<const Eigen::VectorXd>(places.data(), std::ssize(places)), h, scale);
  for (std::size_t i = 0; i < quotients.size(); ++i)
    there = there - quotients[i] * (scale * weight[static_cast<Eigen::Index>(i)]);
  return there;
}

}  // namespace upbench
