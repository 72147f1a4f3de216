#include "models/diffusion/sampling/diffusers_levels.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <optional>
#include <stdexcept>

#include <fmt/format.h>

namespace upbench {
namespace {

// Classes that set their levels in the same way.
enum class Family {
  euler,       // EulerDiscrete, EulerAncestralDiscrete, HeunDiscrete, LMSDiscrete, DPMSolverSDE
  k_dpm,       // KDPM2Discrete, KDPM2AncestralDiscrete: the same but for Karras sigmas
  dpm_solver,  // DPMSolverMultistep, DPMSolverSinglestep, UniPCMultistep
  ddim,
  lcm
};

Family family_of(Scheduler scheduler, std::optional<Sampler> sampler) {
  if (!sampler) return scheduler == Scheduler::ddim_uniform ? Family::ddim : Family::euler;
  switch (*sampler) {
    case Sampler::dpm2:
    case Sampler::dpm2_ancestral:
      return Family::k_dpm;
    case Sampler::dpmpp_2s_ancestral:
    case Sampler::dpmpp_2m:
    case Sampler::dpmpp_2m_sde:
    case Sampler::dpmpp_3m_sde:
    case Sampler::unipc:
    case Sampler::unipc_bh1:
      return Family::dpm_solver;
    case Sampler::ddim:
      return Family::ddim;
    case Sampler::lcm:
      return Family::lcm;
    default:
      return Family::euler;
  }
}

// Descending, one a step. DPM-Solver's classes space one step more, round, and leave out the last.
std::vector<double> linspace(int steps, int timesteps, Family family) {
  const double last = timesteps - 1;
  std::vector<double> asked;
  for (int i = steps - 1; i >= 0; --i) {
    const double t =
        family == Family::dpm_solver ? last * (i + 1) / steps : last * i / std::max(steps - 1, 1);
    asked.push_back(family == Family::euler || family == Family::k_dpm ? t : std::nearbyint(t));
  }
  return asked;
}

std::vector<double> leading(int steps, int timesteps, Family family) {
  const bool one_more = family == Family::dpm_solver;
  const int stride = timesteps / (steps + (one_more ? 1 : 0));
  std::vector<double> asked;
  for (int i = steps - 1; i >= 0; --i) asked.push_back((i + (one_more ? 1 : 0)) * stride + 1);
  return asked;
}

bool descends(const std::vector<double>& values) {
  return std::ranges::adjacent_find(values, std::less_equal<>()) == values.end();
}

double whole(double timestep, Scheduler scheduler, Family family) {
  if (family == Family::k_dpm) return scheduler == Scheduler::karras ? std::nearbyint(timestep) : timestep;
  if (family == Family::euler) return timestep;
  // Rounded for Karras sigmas; for the others the conversion to a whole number cuts off.
  const bool cut = scheduler == Scheduler::exponential || scheduler == Scheduler::beta_sigma;
  return cut ? std::floor(timestep) : std::nearbyint(timestep);
}

}  // namespace

DenoiseSteps diffusers_levels(Scheduler scheduler, int steps, const NoiseSchedule& noise,
                              const StepOptions& options) {
  const Family family = family_of(scheduler, options.sampler);
  DenoiseSteps made{.unit_variance = family != Family::euler && family != Family::k_dpm};
  double last = 0;
  if (scheduler == Scheduler::uniform || scheduler == Scheduler::ddim_uniform) {
    // Each class's own even spacing: DDIM's is "leading", whose length its steps have in any case.
    const bool leads = scheduler == Scheduler::ddim_uniform || family == Family::ddim;
    made.timesteps = (leads ? leading : linspace)(steps, noise.timesteps(), family);
    if (!descends(made.timesteps))
      throw std::invalid_argument(fmt::format(
          "{} steps over {} timesteps: diffusers repeats some; expected fewer", steps, noise.timesteps()));
    for (const double timestep : made.timesteps) made.sigmas.push_back(noise.sigma_at_linear(timestep));
  } else {
    made.sigmas = sigma_schedule(scheduler, steps, noise, {}, options.rho);
    last = made.sigmas.back();
    made.sigmas.pop_back();
    for (const double sigma : made.sigmas)
      made.timesteps.push_back(whole(noise.timestep_at(sigma), scheduler, family));
  }
  // DDIM ends at the table's first level, unless it is there before.
  if (family == Family::ddim && made.sigmas.back() > noise.least()) last = noise.least();
  made.sigmas.push_back(last);
  return made;
}

}  // namespace upbench
