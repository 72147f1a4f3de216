#include "models/diffusion/sampling/noise_schedule.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <stdexcept>

#include <fmt/format.h>

namespace upbench {
namespace {

double interpolated(const std::vector<double>& values, double at) {
  const double last = static_cast<double>(values.size() - 1);
  const double inside = std::clamp(at, 0.0, last);
  const auto low = static_cast<std::size_t>(std::min(std::floor(inside), last - 1));
  const double share = inside - static_cast<double>(low);
  return (1 - share) * values[low] + share * values[low + 1];
}

}  // namespace

NoiseSchedule NoiseSchedule::scaled_linear(double first, double last, int timesteps) {
  if (!(first > 0) || !(last >= first) || !(last < 1) || timesteps < 2)
    throw std::invalid_argument(
        fmt::format("noise schedule: betas {} .. {} over {} timesteps, expected 0 < first <= last < 1 and at "
                    "least 2 timesteps",
                    first, last, timesteps));
  NoiseSchedule schedule;
  double remaining = 1;  // abar
  const double from = std::sqrt(first), to = std::sqrt(last);
  for (int t = 0; t < timesteps; ++t) {
    const double root = from + (to - from) * t / (timesteps - 1);
    remaining *= 1 - root * root;
    schedule.sigmas_.push_back(std::sqrt((1 - remaining) / remaining));
    schedule.logs_.push_back(std::log(schedule.sigmas_.back()));
  }
  return schedule;
}

double NoiseSchedule::sigma_at(double timestep) const {
  return std::exp(interpolated(logs_, timestep));
}

double NoiseSchedule::sigma_at_linear(double timestep) const {
  return interpolated(sigmas_, timestep);
}

double NoiseSchedule::timestep_at(double sigma) const {
  if (sigma <= least()) return 0;
  if (sigma >= greatest()) return static_cast<double>(logs_.size() - 1);
  const double log = std::log(sigma);
  const auto above = std::upper_bound(logs_.begin(), logs_.end(), log);
  const double low = *(above - 1), high = *above;
  return static_cast<double>(above - 1 - logs_.begin()) + (log - low) / (high - low);
}

}  // namespace upbench
