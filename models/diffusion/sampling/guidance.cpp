#include "models/diffusion/sampling/guidance.h"

#include <cmath>
#include <numeric>
#include <stdexcept>

#include <ATen/ATen.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

namespace upbench {
namespace {

// Deviation of each picture, [N, 1, ...].
at::Tensor deviation(const at::Tensor& pictures) {
  std::vector<std::int64_t> inner(static_cast<std::size_t>(pictures.dim() - 1));
  std::iota(inner.begin(), inner.end(), 1);
  return pictures.std(inner, /*unbiased=*/false, /*keepdim=*/true);
}

}  // namespace

Guidance::Guidance(DenoisingNetwork network, const GuidanceOptions& options, const DenoiseSteps& steps,
                   const NoiseSchedule& noise)
    : network_(std::move(network)), options_(options), steps_(steps), noise_(noise) {
  if (!std::isfinite(options.scale))
    throw std::invalid_argument(fmt::format("guidance is {}, expected a number", options.scale));
  if (!(options.rescale >= 0 && options.rescale <= 1))
    throw std::invalid_argument(fmt::format("guidance rescale is {}, expected 0 .. 1", options.rescale));
}

at::Tensor Guidance::predict(const at::Tensor& scaled, double timestep) {
  const bool both = options_.scale != 1;
  const at::Tensor asked = both ? at::cat({scaled, scaled}) : scaled;
  at::Tensor answer =
      network_(asked, timestep, both ? Branches::uncond_and_cond : Branches::cond).to(scaled.scalar_type());
  ++calls_;
  evaluations_ += both ? 2 : 1;
  if (answer.sizes() != asked.sizes())
    throw std::runtime_error(fmt::format("the network made [{}] of [{}], expected the same shape",
                                         fmt::join(answer.sizes(), ", "), fmt::join(asked.sizes(), ", ")));
  if (!both) return answer;
  const at::Tensor uncond = answer.narrow(0, 0, scaled.size(0)),
                   cond = answer.narrow(0, scaled.size(0), scaled.size(0));
  at::Tensor guided = uncond + (cond - uncond) * options_.scale;
  if (options_.rescale == 0) return guided;
  return guided * (deviation(cond) / deviation(guided) * options_.rescale + (1 - options_.rescale));
}

at::Tensor Guidance::operator()(const at::Tensor& x, double sigma) {
  const double variance = sigma * sigma + 1;  // of x, where that of pictures is 1
  const at::Tensor prediction = predict(x / std::sqrt(variance), asked_timestep(steps_, sigma, noise_));
  if (options_.prediction == Prediction::epsilon) return x - prediction * sigma;
  return x / variance - prediction * (sigma / std::sqrt(variance));
}

}  // namespace upbench
