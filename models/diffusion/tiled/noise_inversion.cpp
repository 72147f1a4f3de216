#include "models/diffusion/tiled/noise_inversion.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <stdexcept>

#include <ATen/ATen.h>
#include <fmt/format.h>

#include "models/diffusion/conditioned_network.h"
#include "models/diffusion/sampling/guidance.h"

namespace upbench {
namespace {

std::vector<double> ascending_levels(double least, double most, int steps) {
  constexpr double kRho = 7;
  if (steps == 1) return {most};
  std::vector<double> levels;
  const double from = std::pow(least, 1 / kRho), to = std::pow(most, 1 / kRho);
  for (int i = 0; i < steps; ++i) levels.push_back(std::pow(from + (to - from) * i / (steps - 1), kRho));
  levels.back() = most;
  return levels;
}

// Mean over kernel x kernel pixels around each, mirrored at the edges (as often as it takes).
at::Tensor box_mean(const at::Tensor& picture, int kernel) {
  const std::int64_t before = kernel / 2, after = kernel - 1 - before;
  const auto mirrored = [&](std::int64_t side) {
    const std::int64_t period = std::max<std::int64_t>(1, 2 * (side - 1));
    std::vector<std::int64_t> at;
    for (std::int64_t i = -before; i < side + after; ++i) {
      const std::int64_t inside = (i % period + period) % period;
      at.push_back(std::min(inside, std::abs(period - inside)));
    }
    return at::tensor(at, at::TensorOptions(picture.device()).dtype(at::kLong)).clamp_max(side - 1);
  };
  const at::Tensor wide =
      picture.index_select(2, mirrored(picture.size(2))).index_select(3, mirrored(picture.size(3)));
  return at::avg_pool2d(wide, {kernel, kernel}, {1, 1});
}

}  // namespace

at::Tensor inverted_noise(const DenoiseFunction& denoise, const at::Tensor& latents,
                          const std::vector<double>& levels, const StepVisitor& visit) {
  if (levels.empty() || !std::is_sorted(levels.begin(), levels.end()) || !(levels.front() > 0))
    throw std::invalid_argument("levels of noise inversion: expected positive, ascending ones");
  at::Tensor x = latents;
  double at = 0;
  for (std::size_t step = 0; step < levels.size(); ++step) {
    const double asked = step == 0 ? levels[0] : at;
    x = x + (x - denoise(x, asked)) * ((levels[step] - at) / asked);
    at = levels[step];
    if (visit) visit(step, x);
  }
  return (x - latents) / at;
}

at::Tensor inverted_noise(const DiffusionModel& model, const at::Tensor& latents,
                          const Conditioning& conditioning, const LatentRun& run, int steps,
                          std::int64_t& evaluations) {
  const double start = run.steps.start_sigma();
  const std::vector<double> levels =
      ascending_levels(std::min(model.facts().noise.least(), start / 2), start, steps);
  ConditionedNetwork network(model, conditioning, run, latents.size(3), latents.size(2));
  Guidance guidance(std::ref(network), {.prediction = model.facts().prediction, .scale = 1}, run.steps,
                    model.facts().noise);
  const at::Tensor noise =
      inverted_noise(std::ref(guidance), latents, levels,
                     [&](std::size_t step, const at::Tensor&) { network.set_step(step + 1); });
  evaluations += network.evaluations();
  return noise;
}

at::Tensor local_detail(const at::Tensor& picture, int kernel, int factor) {
  const at::Tensor luma =
      (picture.narrow(1, 0, 1) * 0.299 + picture.narrow(1, 1, 1) * 0.587 + picture.narrow(1, 2, 1) * 0.114);
  const at::Tensor detail = box_mean((luma - box_mean(luma, kernel)).abs(), kernel);
  const at::Tensor small = at::avg_pool2d(detail, {factor, factor});
  const double most = small.max().item<double>();
  constexpr double kFlat = 1e-6;  // rounding of means over equal values
  return most > kFlat ? small / most : at::zeros_like(small);
}

at::Tensor mixed_noise(const at::Tensor& inverted, const at::Tensor& fresh, const at::Tensor& detail,
                       double renoise) {
  const at::Tensor share = (detail * renoise).clamp(0, 1);
  return (inverted * (1 - share) + fresh * share) / ((1 - share).square() + share.square()).sqrt();
}

}  // namespace upbench
