#pragma once

#include <string>
#include <string_view>
#include <vector>

// The samplers by name, and what tools and costs depend on; how they step is in sampler.h.
namespace upbench {

enum class Sampler {
  euler,            // Karras et al. 2022, algorithm 2 without churn
  euler_ancestral,  // down to a lower level by Euler, then up by fresh noise
  heun,             // trapezoid; Karras et al. 2022, algorithm 1
  dpm2,             // midpoint in log sigma (Lu et al., DPM-Solver, 2022)
  dpm2_ancestral,
  lms,                 // linear multistep of order 4
  dpmpp_2s_ancestral,  // Lu et al., DPM-Solver++, 2022
  dpmpp_2m,
  dpmpp_sde,  // its stochastic forms, on one Brownian path
  dpmpp_2m_sde,
  dpmpp_3m_sde,
  ddim,       // Song, Meng, Ermon, 2021: `euler_ancestral` with another default, eta 0, which is `euler`
  unipc,      // Zhao et al., UniPC, 2023: predictor and corrector, B(h) = e^h - 1; order 2, as diffusers
  unipc_bh1,  // the same with B(h) = h; order 3, as A1111 and ComfyUI
  lcm,        // the guess, noised again (Luo et al., Latent consistency models, 2023)
  restart,    // Heun, part of the way again from fresh noise (Xu et al., Restart sampling, 2023; restart.h)
};

struct SamplerRow {
  Sampler sampler;
  std::string name, description;
  int evaluations = 1;       // of the network, each step but the last
  double eta = 0;            // share of the noise that it draws anew, where nothing else is asked for
  bool a1111_drops = false;  // the tool asks for one step more and leaves out the last but one level
  bool comfy_drops = false;
  bool stochastic() const { return eta > 0; }  // draws noise
};
const std::vector<SamplerRow>& samplers();
Sampler parse_sampler(std::string_view name);  // throws std::invalid_argument with the known names
const SamplerRow& describe(Sampler sampler);

}  // namespace upbench
