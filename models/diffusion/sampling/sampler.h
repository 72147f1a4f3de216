#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "datasets/image_fwd.h"

// From noise to picture: how a sampler steps along descending noise levels, given a function that guesses the
// clean picture. Tensors of any shape, in the scale x = x_0 + sigma e.
namespace upbench {

enum class Sampler {
  euler,            // Karras et al. 2022, algorithm 2 without churn; DDIM with eta 0 is the same
  euler_ancestral,  // down to a lower level by Euler, then up by fresh noise; DDIM with eta 1 is the same
  heun,             // trapezoid; Karras et al. 2022, algorithm 1
  dpm2,             // midpoint in log sigma (Lu et al., DPM-Solver, 2022)
  dpm2_ancestral,
  lms,                 // linear multistep of order 4
  dpmpp_2s_ancestral,  // Lu et al., DPM-Solver++, 2022
  dpmpp_2m,
  dpmpp_sde,  // its stochastic forms, on one Brownian path
  dpmpp_2m_sde,
  dpmpp_3m_sde,
  lcm,  // the guess, noised again (Luo et al., Latent consistency models, 2023)
};

struct SamplerRow {
  Sampler sampler;
  std::string name, description;
  int evaluations = 1;             // of the network, each step but the last
  bool stochastic = false;         // draws noise in every step but the last
  bool drops_penultimate = false;  // tools ask for one step more and leave out the last but one level
};
const std::vector<SamplerRow>& samplers();
Sampler parse_sampler(std::string_view name);  // throws std::invalid_argument with the known names
const SamplerRow& describe(Sampler sampler);

struct SamplerOptions {
  double eta = 1;          // share of the noise that stochastic samplers draw anew; 0: none
  double noise_scale = 1;  // of what they draw
};

// x [any], sigma > 0 -> the guess of the clean picture, of x's shape.
using DenoiseFunction = std::function<at::Tensor(const at::Tensor& x, double sigma)>;
// Standard normal numbers of x's shape, the next draw at each call.
using NoiseFunction = std::function<at::Tensor()>;
using StepVisitor = std::function<void(std::size_t step, const at::Tensor& x)>;  // after each step, from 0

// x at sigmas.front() -> x at sigmas.back(). sigmas: descending, at least 2, all positive but the last, which
// may be 0. Throws std::invalid_argument for others.
at::Tensor sample(Sampler sampler, at::Tensor x, const std::vector<double>& sigmas,
                  const DenoiseFunction& denoise, const NoiseFunction& noise,
                  const SamplerOptions& options = {}, const StepVisitor& visit = {});

}  // namespace upbench
