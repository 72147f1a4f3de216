#include "models/diffusion/sampling/denoise.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>

#include <fmt/format.h>

#include "models/diffusion/sampling/named_row.h"

namespace upbench {
namespace {

constexpr int kMostSteps = 10'000;
constexpr double kAlmostAll = 0.999;        // A1111 takes greater values for this one
constexpr double kComfyAll = 0.9999;        // ComfyUI runs the whole schedule above it
constexpr double kLeastOfManySteps = 1e-4;  // below, a schedule of S / d steps is longer than any use of it

// The last `count` + 1 levels.
DenoiseSteps tail(std::vector<double> sigmas, int count) {
  const auto kept = std::min(sigmas.size(), static_cast<std::size_t>(count) + 1);
  sigmas.erase(sigmas.begin(), sigmas.end() - static_cast<std::ptrdiff_t>(kept));
  return {std::move(sigmas)};
}

// uniform: spacing `linspace` of EulerDiscreteScheduler, whose sigmas between timesteps are linear.
// ddim_uniform: spacing `leading` with steps_offset 1, as DDIMScheduler; always as many steps as asked for.
std::vector<double> diffusers_sigmas(Scheduler scheduler, int steps, const NoiseSchedule& noise) {
  if (scheduler != Scheduler::uniform && scheduler != Scheduler::ddim_uniform)
    return sigma_schedule(scheduler, steps, noise);
  const int timesteps = noise.timesteps(), stride = timesteps / steps;
  const double spacing = static_cast<double>(timesteps - 1) / std::max(steps - 1, 1);
  std::vector<double> sigmas;
  for (int i = steps - 1; i >= 0; --i)
    sigmas.push_back(
        noise.sigma_at_linear(scheduler == Scheduler::ddim_uniform ? i * stride + 1 : i * spacing));
  // DDIM of Stable Diffusion has set_alpha_to_one off: it ends at the table's first level.
  sigmas.push_back(scheduler == Scheduler::ddim_uniform ? noise.least() : 0);
  return sigmas;
}

DenoiseSteps as_diffusers(double denoise, int steps, Scheduler scheduler, const NoiseSchedule& noise) {
  const int executed = std::min(static_cast<int>(steps * denoise), steps);
  if (executed < 1)
    throw std::invalid_argument(fmt::format(
        "denoise {:g} of {} steps is no step at all: diffusers refuses it; expected denoise x steps >= 1",
        denoise, steps));
  return tail(diffusers_sigmas(scheduler, steps, noise), executed);
}

// As its float arithmetic rounds.
DenoiseSteps as_sdcpp(double denoise, int steps, bool hires, Scheduler scheduler,
                      const NoiseSchedule& noise) {
  const auto strength = static_cast<float>(denoise);
  const int total = hires ? static_cast<int>(static_cast<float>(steps) / strength) : steps;
  int encoded = static_cast<int>(static_cast<float>(total) * strength);
  if (encoded == total) --encoded;
  return tail(sigma_schedule(scheduler, total, noise), encoded + 1);
}

void check(DenoiseRule rule, double denoise, int steps, const NoiseSchedule& noise) {
  const double most = rule == DenoiseRule::sigma ? noise.greatest() : 1;
  if (!(denoise >= 0) || !(denoise <= most))
    throw std::invalid_argument(fmt::format("denoise is {}, expected 0 .. {:.6g}", denoise, most));
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

DenoiseSteps denoise_steps(DenoiseRule rule, double denoise, int steps, Scheduler scheduler,
                           const NoiseSchedule& noise) {
  check(rule, denoise, steps, noise);
  if (rule == DenoiseRule::diffusers) return as_diffusers(denoise, steps, scheduler, noise);
  if (denoise == 0 && rule != DenoiseRule::a1111 && rule != DenoiseRule::sdcpp) return {};
  const double strength = std::min(denoise, kAlmostAll);
  switch (rule) {
    case DenoiseRule::a1111:
      return tail(sigma_schedule(scheduler, steps, noise), static_cast<int>(strength * steps) + 1);
    case DenoiseRule::a1111_hires:
      return tail(sigma_schedule(scheduler, static_cast<int>(steps / strength), noise), steps);
    case DenoiseRule::comfy:
      return denoise > kComfyAll
                 ? DenoiseSteps{sigma_schedule(scheduler, steps, noise)}
                 : tail(sigma_schedule(scheduler, static_cast<int>(steps / denoise), noise), steps);
    case DenoiseRule::sdcpp:
    case DenoiseRule::sdcpp_hires:
      return as_sdcpp(denoise, steps, rule == DenoiseRule::sdcpp_hires, scheduler, noise);
    case DenoiseRule::sigma:
    case DenoiseRule::diffusers:
      break;
  }
  return {sigma_schedule(scheduler, steps, noise, denoise)};
}

}  // namespace upbench
