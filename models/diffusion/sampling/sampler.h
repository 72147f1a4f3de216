#pragma once

#include <functional>
#include <optional>
#include <vector>

#include "datasets/image_fwd.h"
#include "models/diffusion/sampling/restart.h"
#include "models/diffusion/sampling/sampler_rows.h"

// From noise to picture: how a sampler steps along descending noise levels, given a function that guesses the
// clean picture. Tensors of any shape, in the scale x = x_0 + sigma e.
namespace upbench {

struct SamplerOptions {
  std::optional<double> eta;  // share of the noise that is drawn anew, >= 0, by default the sampler's own;
                              // without noise (0) restart is heun
  double noise_scale = 1;     // of what stochastic samplers draw
  std::optional<int> order;   // of UniPC, 1 .. 3, by default the sampler's own
};

// x [any], sigma > 0 -> the guess of the clean picture, of x's shape.
using DenoiseFunction = std::function<at::Tensor(const at::Tensor& x, double sigma)>;
// Standard normal numbers of x's shape, the next draw at each call.
using NoiseFunction = std::function<at::Tensor()>;
using StepVisitor = std::function<void(std::size_t step, const at::Tensor& x)>;  // after each step, from 0

// The steps that are run: each level to the next, but for restart.
std::vector<SigmaStep> sampled_steps(Sampler sampler, const std::vector<double>& sigmas,
                                     const SamplerOptions& options = {});

// x at sigmas.front() -> x at sigmas.back(). sigmas: descending, at least 2, all positive but the last, which
// may be 0. Throws std::invalid_argument for others and for options out of range.
at::Tensor sample(Sampler sampler, at::Tensor x, const std::vector<double>& sigmas,
                  const DenoiseFunction& denoise, const NoiseFunction& noise,
                  const SamplerOptions& options = {}, const StepVisitor& visit = {});

}  // namespace upbench
