#pragma once

#include <vector>

namespace upbench {

// How much noise a diffusion model was trained to see at each timestep 0 .. T - 1: x_t = sqrt(abar_t) x_0 +
// sqrt(1 - abar_t) e, and in the scale in which samplers work x = x_0 + sigma_t e with
// sigma_t = sqrt((1 - abar_t) / abar_t) (Karras et al., Elucidating the design space of diffusion-based
// generative models, 2022, C.3). Ascending in t.
class NoiseSchedule {
 public:
  // betas linear in their square root ("scaled_linear"), as Stable Diffusion 1, 2 and XL are trained
  // (CompVis/stable-diffusion, ldm/modules/diffusionmodules/util.py). Throws std::invalid_argument unless
  // 0 < first <= last < 1 and timesteps >= 2.
  static constexpr double kFirstBeta = 0.00085, kLastBeta = 0.012;
  static NoiseSchedule scaled_linear(double first = kFirstBeta, double last = kLastBeta,
                                     int timesteps = 1000);

  int timesteps() const { return static_cast<int>(sigmas_.size()); }
  const std::vector<double>& sigmas() const { return sigmas_; }
  double least() const { return sigmas_.front(); }
  double greatest() const { return sigmas_.back(); }

  // Between timesteps linear in log sigma (k-diffusion, external.py); beyond the ends, the end.
  double sigma_at(double timestep) const;
  double timestep_at(double sigma) const;  // the inverse; 0 for sigma 0
  // Between timesteps linear in sigma, as diffusers' EulerDiscreteScheduler.
  double sigma_at_linear(double timestep) const;

 private:
  std::vector<double> sigmas_, logs_;
};

}  // namespace upbench
