#pragma once

#include <cstdint>
#include <functional>

#include <ATen/core/Tensor.h>

#include "models/diffusion/sampling/denoise.h"

namespace upbench {

// What a network guesses from x_t = sqrt(abar) x_0 + sqrt(1 - abar) e: the noise e, or
// v = sqrt(abar) e - sqrt(1 - abar) x_0 (Salimans, Ho, Progressive distillation, 2022).
enum class Prediction { epsilon, v };

enum class Branches {
  cond,            // one context: x is [N, ...]
  uncond_and_cond  // x is [2N, ...], the same N twice: the first for the negative prompt, the others for the
                   // prompt
};

// One call of the network: x (unit variance, as the network was trained) and its timestep -> its prediction,
// of x's shape, in any dtype.
using DenoisingNetwork = std::function<at::Tensor(const at::Tensor& x, double timestep, Branches branches)>;

struct GuidanceOptions {
  Prediction prediction = Prediction::epsilon;
  // w of D = D_uncond + w (D_cond - D_uncond) (Ho, Salimans, 2022), any number; 1 asks for cond alone.
  double scale = 1;
  // phi of Lin et al. (Common diffusion noise schedules and sample steps are flawed, 2023, section 3.4):
  // how far the guided prediction takes back the deviation of the conditional one, each picture for
  // itself; [0, 1].
  double rescale = 0;
};

// Turns a network into what samplers ask for (a DenoiseFunction, through std::ref): scales x, asks for both
// contexts in one call, guides, and counts. What it refers to must outlive it.
class Guidance {
 public:
  // steps: whose timesteps are asked for. Throws std::invalid_argument for options out of range.
  Guidance(DenoisingNetwork network, const GuidanceOptions& options, const DenoiseSteps& steps,
           const NoiseSchedule& noise);

  // x [N, ...] = x_0 + sigma e, sigma > 0 -> the guess of x_0, in x's dtype. Throws std::runtime_error where
  // the network gives another shape.
  at::Tensor operator()(const at::Tensor& x, double sigma);

  std::int64_t calls() const { return calls_; }
  // Network evaluations of one picture: a call with both contexts counts two.
  std::int64_t evaluations() const { return evaluations_; }

 private:
  at::Tensor predict(const at::Tensor& scaled, double timestep);

  DenoisingNetwork network_;
  GuidanceOptions options_;
  const DenoiseSteps& steps_;
  const NoiseSchedule& noise_;
  std::int64_t calls_ = 0, evaluations_ = 0;
};

}  // namespace upbench
