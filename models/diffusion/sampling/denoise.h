#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "models/diffusion/sampling/noise_schedule.h"
#include "models/diffusion/sampling/sampler_rows.h"
#include "models/diffusion/sampling/sigma_schedule.h"

// What "denoise 0.4, 20 steps" means differs between tools, by a factor of up to five in the noise that is
// added. Cells are therefore compared by the sigma at which they start.
namespace upbench {

enum class DenoiseRule {
  a1111,        // img2img of AUTOMATIC1111: int(d S) + 1 steps of a schedule of S
  a1111_hires,  // its hires fix, and img2img with "do exactly the amount of steps": S steps of int(S / d)
  comfy,        // ComfyUI's KSampler: S steps of int(S / d)
  diffusers,    // StableDiffusionImg2ImgPipeline: int(d S) steps of S, by the spacing of its scheduler
  sdcpp,        // stable-diffusion.cpp img2img: int(d S) + 1 steps of S
  sdcpp_hires,  // its hires pass: int(int(S / d) d) + 1 steps of int(S / d), all in single precision
  sigma,        // d is the start sigma itself: S steps from there
};

struct DenoiseRuleRow {
  DenoiseRule rule;
  std::string name, description;
};
const std::vector<DenoiseRuleRow>& denoise_rules();
DenoiseRule parse_denoise_rule(std::string_view name);  // throws std::invalid_argument with the known names

// The levels that are executed. Two settings with equal sigmas, timesteps and start noise compute the same.
struct DenoiseSteps {
  std::vector<double> sigmas;     // descending, steps() + 1 levels; empty: nothing is done, the picture stays
  std::vector<double> timesteps;  // that the network is asked for where each step begins; steps() of them
  double start_noise = 0;         // the run starts from picture + start_noise * standard normal noise
  bool whole_timesteps = false;   // between these levels, too, the tool asks for whole timesteps
  bool unit_variance = false;     // the tool's own latents are x / sqrt(1 + sigma^2); here x = x_0 + sigma e

  int steps() const { return sigmas.empty() ? 0 : static_cast<int>(sigmas.size()) - 1; }
  double start_sigma() const { return sigmas.empty() ? 0 : sigmas.front(); }
  // What x at this level is multiplied with to compare it with the tool's latents.
  double tool_scale(double sigma) const;
  bool operator==(const DenoiseSteps&) const = default;
};

struct StepOptions {
  std::optional<Sampler> sampler;  // on it some tools' levels depend; by default one on which none do
  std::optional<double> rho;       // of schedulers karras and polyexponential
};

// denoise in [0, 1], for `sigma` 0 or in (least, greatest sigma]; steps as the user sets them, 1 .. 10,000.
// Throws std::invalid_argument for what is out of range and where diffusers refuses: denoise x steps below 1,
// more steps than timesteps.
DenoiseSteps denoise_steps(DenoiseRule rule, double denoise, int steps, Scheduler scheduler,
                           const NoiseSchedule& noise, const StepOptions& options = {});

// Whether a step at this timestep is left to a second model that takes over after `share` of the schedule,
// [0, 1]: 0 all, 1 none. A1111's rule, (999 - t) / 1000 >= share for the nearest timestep t of 1,000; it is
// that of diffusers' denoising_end and denoising_start.
bool is_refiners(double timestep, double share);

// The timestep that the network is asked for at a level of the run, or at one that a sampler puts between
// them.
double asked_timestep(const DenoiseSteps& steps, double sigma, const NoiseSchedule& noise);

}  // namespace upbench
