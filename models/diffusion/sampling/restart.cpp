#include "models/diffusion/sampling/restart.h"

#include <algorithm>
#include <cmath>

#include "models/diffusion/sampling/sigma_schedule.h"

namespace upbench {
namespace {

constexpr int kLeastSteps = 20, kStepsOfOne = 9;    // one restart
constexpr int kStepsForTwo = 36, kShareOfEach = 4;  // two, each a quarter of the steps
constexpr double kTop = 2, kBottom = 0.1;           // levels between which restarts run

std::ptrdiff_t nearest(const std::vector<double>& sigmas, double sigma) {
  return std::ranges::min_element(sigmas, {}, [&](double level) { return std::abs(level - sigma); }) -
         sigmas.begin();
}

}  // namespace

std::vector<SigmaStep> plain_steps(const std::vector<double>& sigmas) {
  std::vector<SigmaStep> steps;
  for (std::size_t i = 0; i + 1 < sigmas.size(); ++i) steps.push_back({sigmas[i], sigmas[i + 1]});
  return steps;
}

std::vector<SigmaStep> restart_steps(const std::vector<double>& sigmas) {
  const int count = static_cast<int>(sigmas.size()) - 1;
  if (count < kLeastSteps) return plain_steps(sigmas);
  const bool two = count >= kStepsForTwo;
  const int repeats = two ? 2 : 1, length = two ? count / kShareOfEach : kStepsOfOne;
  std::vector<double> levels =
      karras_levels(count - length * repeats, sigmas.front(), sigmas[sigmas.size() - 2]);
  levels.push_back(sigmas.back());
  const std::ptrdiff_t top = nearest(levels, kTop), bottom = nearest(levels, kBottom);
  std::vector<SigmaStep> steps = plain_steps(levels);
  if (top >= bottom) return steps;
  const std::vector<SigmaStep> again = plain_steps(karras_levels(
      length + 1, levels[static_cast<std::size_t>(top)], levels[static_cast<std::size_t>(bottom)]));
  for (int i = 0; i < repeats; ++i) steps.insert(steps.begin() + bottom, again.begin(), again.end());
  return steps;
}

}  // namespace upbench
