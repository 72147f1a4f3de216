#include "models/diffusion/sampling/sampler_rows.h"

#include <algorithm>

#include "models/diffusion/sampling/named_row.h"

namespace upbench {

const std::vector<SamplerRow>& samplers() {
  static const std::vector<SamplerRow> rows = {
      {Sampler::euler, "euler", "first order"},
      {Sampler::euler_ancestral, "euler-a", "Euler to a lower level, then noise", 1, 1},
      {Sampler::heun, "heun", "second order, trapezoid", 2},
      {Sampler::dpm2, "dpm2", "second order, midpoint in log sigma", 2, 0, true, true},
      {Sampler::dpm2_ancestral, "dpm2-a", "the same with noise", 2, 1, true, true},
      {Sampler::lms, "lms", "linear multistep of order 4"},
      {Sampler::dpmpp_2s_ancestral, "dpmpp-2s-a", "DPM-Solver++ of two stages, with noise", 2, 1},
      {Sampler::dpmpp_2m, "dpmpp-2m", "DPM-Solver++ of two steps"},
      {Sampler::dpmpp_sde, "dpmpp-sde", "DPM-Solver++ of two stages on a Brownian path", 2, 1},
      {Sampler::dpmpp_2m_sde, "dpmpp-2m-sde", "DPM-Solver++ of two steps, with noise", 1, 1},
      {Sampler::dpmpp_3m_sde, "dpmpp-3m-sde", "of three steps, with noise", 1, 1, true},
      {Sampler::ddim, "ddim", "Euler; with eta Euler a"},
      {Sampler::unipc, "unipc", "predictor and corrector of order 2, B(h) = e^h - 1", 1, 0, false, true},
      {Sampler::unipc_bh1, "unipc-bh1", "the same of order 3, B(h) = h", 1, 0, false, true},
      {Sampler::lcm, "lcm", "the guess, noised again", 1, 1},
      {Sampler::restart, "restart", "Heun, from 20 steps on part of the way again from fresh noise", 2, 1},
  };
  return rows;
}

Sampler parse_sampler(std::string_view name) {
  return named_row(samplers(), name, "sampler").sampler;
}

const SamplerRow& describe(Sampler sampler) {
  return *std::ranges::find(samplers(), sampler, &SamplerRow::sampler);
}

}  // namespace upbench
