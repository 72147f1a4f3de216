#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "models/diffusion/sampling/noise_schedule.h"

namespace upbench {

// How the noise levels of a run are spread. n steps give n + 1 levels, descending, the last one 0. T:
// timesteps of the table of sigmas, 0 its least.
enum class Scheduler {
  uniform,          // timesteps evenly spaced from T - 1 to 0 (k-diffusion get_sigmas; "normal" in ComfyUI)
  karras,           // evenly spaced in sigma^(1/rho), rho 7 (Karras et al. 2022, equation 5)
  exponential,      // evenly spaced in log sigma
  polyexponential,  // log sigma spaced as u^rho, u even; rho 1 is `exponential` (k-diffusion)
  sgm_uniform,      // n + 1 timesteps evenly spaced, without the last
  simple,           // every (T / n)-th sigma of the table, from the end
  ddim_uniform,     // every (T // n)-th sigma of the table, from 1: as many steps as there are such
  beta,        // timesteps at quantiles of Beta(0.6, 0.6) (Lee et al., Beta sampling is all you need, 2024),
               // n of n + 1 even ones, rounded, repeated ones once (ComfyUI)
  beta_sigma,  // the same quantiles, n even ones, of the range of sigma (A1111, diffusers)
  linear_quadratic,  // n // 2 small equal steps, together 2.5 % of the greatest sigma, then quadratically on
                     // to 0 (Genmo's Mochi; ComfyUI)
  kl_optimal,        // evenly spaced in atan(sigma) (ComfyUI: n levels and 0)
  kl_optimal_forge,  // the same with n + 1 levels, the last one the least sigma instead of 0
  turbo,        // timesteps round(i T / n) - 1, i = n .. 1: "trailing" (Lin et al., Common diffusion noise
                // schedules and sample steps are flawed, 2023); Forge's Turbo, SD-Turbo in diffusers
  turbo_comfy,  // the first n of timesteps 999, 899, .. 99, at most 10 (ComfyUI's SDTurboScheduler)
  lcm,          // n of the 50 timesteps that latent consistency models were distilled at, 999, 979, ..
                // 19, evenly picked from the first (Luo et al. 2023; diffusers' LCMScheduler)
  ays_sd15,     // 11 levels found for SD 1.5, between them linear in log sigma (Sabour, Fidler, Kreis, Align
                // your steps, 2024); n + 1 levels, 0 for the last, as its authors and ComfyUI. A1111
                // instead interpolates n levels and appends 0
  ays_sdxl      // the same, found for SDXL
};

struct SchedulerRow {
  Scheduler scheduler;
  std::string name, description;
};
const std::vector<SchedulerRow>& schedulers();
// Throws std::invalid_argument for an unknown name, with the known ones.
Scheduler parse_scheduler(std::string_view name);
std::string_view to_string(Scheduler scheduler);

// From `greatest` down, by default the schedule's own greatest sigma; what steps through a table starts at
// the next entry below. rho: of karras and polyexponential, by default 7 and 1. Throws std::invalid_argument
// for steps < 1 and a rho that is not positive.
std::vector<double> sigma_schedule(Scheduler scheduler, int steps, const NoiseSchedule& noise,
                                   std::optional<double> greatest = {}, std::optional<double> rho = {});

// Evenly spaced in sigma^(1/rho) from `greatest` to `least`, `levels` of them, no 0 at the end.
std::vector<double> karras_levels(int levels, double greatest, double least, double rho = 7);

}  // namespace upbench
