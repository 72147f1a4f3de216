#include "models/diffusion/sampling/denoise.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>

#include <fmt/format.h>

#include "models/diffusion/sampling/diffusers_levels.h"
#include "models/diffusion/sampling/named_row.h"

namespace upbench {
namespace {

constexpr int kMostSteps = 10'000;
constexpr double kAlmostAll = 0.999;        // A1111 takes greater values for this one
constexpr double kComfyAll = 0.9999;        // ComfyUI runs the whole schedule above it
constexpr double kComfySame = 1e-5;         // share by which it takes a level for the greatest
constexpr double kSameLevel = 1e-9;         // share: samplers find some levels again by a logarithm
constexpr double kLeastOfManySteps = 1e-4;  // below, a schedule of S / d steps is longer than any use of it

// Of a whole run the last `count` steps.
DenoiseSteps tail(DenoiseSteps all, int count) {
  const std::ptrdiff_t skipped = std::max(all.steps() - count, 0);
  all.sigmas.erase(all.sigmas.begin(), all.sigmas.begin() + skipped);
  if (!all.timesteps.empty()) all.timesteps.erase(all.timesteps.begin(), all.timesteps.begin() + skipped);
  return all;
}

DenoiseSteps as_diffusers(double denoise, int steps, Scheduler scheduler, const NoiseSchedule& noise,
                          const StepOptions& options) {
  const int executed = std::min(static_cast<int>(steps * denoise), steps);
  if (executed < 1)
    throw std::invalid_argument(fmt::format(
        "denoise {:g} of {} steps is no step at all: diffusers refuses it; expected denoise x steps >= 1",
        denoise, steps));
  return tail(diffusers_levels(scheduler, steps, noise, options), executed);
}

// A schedule of `total` steps as a tool makes it for the sampler.
DenoiseSteps schedule(DenoiseRule rule, int total, Scheduler scheduler, const NoiseSchedule& noise,
                      const StepOptions& options, std::optional<double> greatest = {}) {
  const bool a1111 = rule == DenoiseRule::a1111 || rule == DenoiseRule::a1111_hires;
  const bool drops =
      options.sampler && ((a1111 && describe(*options.sampler).a1111_drops) ||
                          (rule == DenoiseRule::comfy && describe(*options.sampler).comfy_drops));
  DenoiseSteps made{sigma_schedule(scheduler, total + (drops ? 1 : 0), noise, greatest, options.rho)};
  if (drops && made.sigmas.size() > 2) made.sigmas.erase(made.sigmas.end() - 2);
  return made;
}

// How its float arithmetic rounds: schedule length and executed steps.
struct SdcppSteps {
  int total = 0, executed = 0;
};
SdcppSteps sdcpp_steps(double denoise, int steps, bool hires) {
  const auto strength = static_cast<float>(denoise);
  const int total = hires ? static_cast<int>(static_cast<float>(steps) / strength) : steps;
  const int encoded = static_cast<int>(static_cast<float>(total) * strength);
  return {total, encoded == total ? encoded : encoded + 1};
}

void check(DenoiseRule rule, double denoise, int steps, const NoiseSchedule& noise) {
  if (rule == DenoiseRule::sigma && denoise != 0 && !(denoise > noise.least() && denoise <= noise.greatest()))
    throw std::invalid_argument(fmt::format("denoise is {}, expected 0, or more than {:.6g} up to {:.6g}",
                                            denoise, noise.least(), noise.greatest()));
  if (rule != DenoiseRule::sigma && !(denoise >= 0 && denoise <= 1))
    throw std::invalid_argument(fmt::format("denoise is {}, expected 0 .. 1", denoise));
  if (steps < 1 || steps > kMostSteps)
    throw std::invalid_argument(fmt::format("steps is {}, expected 1 .. {}", steps, kMostSteps));
  const bool stretches =
      rule == DenoiseRule::a1111_hires || rule == DenoiseRule::comfy || rule == DenoiseRule::sdcpp_hires;
  if (stretches && denoise > 0 && denoise < kLeastOfManySteps)
    throw std::invalid_argument(
        fmt::format("denoise is {}, expected 0 or at least {} where the schedule has "
                    "steps / denoise steps",
                    denoise, kLeastOfManySteps));
}

}  // namespace

const std::vector<DenoiseRuleRow>& denoise_rules() {
  static const std::vector<DenoiseRuleRow> rows = {
      {DenoiseRule::a1111, "a1111", "img2img of AUTOMATIC1111: int(d S) + 1 steps"},
      {DenoiseRule::a1111_hires, "a1111-hires", "its hires fix: S steps of a schedule of int(S / d)"},
      {DenoiseRule::comfy, "comfy", "ComfyUI's KSampler: S steps of a schedule of int(S / d)"},
      {DenoiseRule::diffusers, "diffusers", "StableDiffusionImg2ImgPipeline: int(d S) steps"},
      {DenoiseRule::sdcpp, "sdcpp", "stable-diffusion.cpp img2img: int(d S) + 1 steps"},
      {DenoiseRule::sdcpp_hires, "sdcpp-hires", "its hires pass: S or S + 1 steps of int(S / d)"},
      {DenoiseRule::sigma, "sigma", "denoise is the start sigma itself: S steps from there"},
  };
  return rows;
}

DenoiseRule parse_denoise_rule(std::string_view name) {
  return named_row(denoise_rules(), name, "meaning of denoise").rule;
}

double DenoiseSteps::tool_scale(double sigma) const {
  return unit_variance ? 1 / std::sqrt(1 + sigma * sigma) : 1;
}

DenoiseSteps denoise_steps(DenoiseRule rule, double denoise, int steps, Scheduler scheduler,
                           const NoiseSchedule& noise, const StepOptions& options) {
  check(rule, denoise, steps, noise);
  if (denoise == 0 && rule != DenoiseRule::a1111 && rule != DenoiseRule::sdcpp &&
      rule != DenoiseRule::diffusers)
    return {};
  const auto last_of = [&](int total, int executed) {
    return tail(schedule(rule, total, scheduler, noise, options), executed);
  };
  const double strength = std::min(denoise, kAlmostAll);
  DenoiseSteps made;
  switch (rule) {
    case DenoiseRule::a1111:
      made = last_of(steps, static_cast<int>(strength * steps) + 1);
      break;
    case DenoiseRule::a1111_hires:
      made = last_of(static_cast<int>(steps / strength), steps);
      break;
    case DenoiseRule::comfy:
      made = denoise > kComfyAll ? schedule(rule, steps, scheduler, noise, options)
                                 : last_of(static_cast<int>(steps / denoise), steps);
      made.whole_timesteps = true;
      break;
    case DenoiseRule::sdcpp:
    case DenoiseRule::sdcpp_hires: {
      const SdcppSteps counts = sdcpp_steps(denoise, steps, rule == DenoiseRule::sdcpp_hires);
      made = last_of(counts.total, counts.executed);
      break;
    }
    case DenoiseRule::diffusers:
      made = as_diffusers(denoise, steps, scheduler, noise, options);
      break;
    case DenoiseRule::sigma:
      made = schedule(rule, steps, scheduler, noise, options, denoise);
      break;
  }
  if (made.timesteps.empty())
    for (std::size_t i = 0; i + 1 < made.sigmas.size(); ++i)
      made.timesteps.push_back(
          asked_timestep({.whole_timesteps = made.whole_timesteps}, made.sigmas[i], noise));
  // At the greatest level ComfyUI takes the picture's own part for noise, too.
  const double start = made.start_sigma();
  const bool all = rule == DenoiseRule::comfy && start >= noise.greatest() * (1 - kComfySame);
  made.start_noise = all ? std::sqrt(1 + start * start) : start;
  return made;
}

bool is_refiners(double timestep, double share) {
  return (999 - std::round(timestep)) / 1000 >= share;
}

double asked_timestep(const DenoiseSteps& steps, double sigma, const NoiseSchedule& noise) {
  for (std::size_t i = 0; i < steps.timesteps.size(); ++i)
    if (std::abs(steps.sigmas[i] - sigma) <= kSameLevel * sigma) return steps.timesteps[i];
  const double timestep = noise.timestep_at(sigma);
  return steps.whole_timesteps ? std::nearbyint(timestep) : timestep;
}

}  // namespace upbench
