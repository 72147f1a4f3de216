#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "models/diffusion/sampling/noise_schedule.h"

namespace upbench {

// How the noise levels of a run are spread. n steps give n + 1 levels, descending, the last one 0.
enum class Scheduler {
  uniform,          // timesteps evenly spaced from T - 1 to 0 (k-diffusion get_sigmas; "normal" in ComfyUI)
  karras,           // evenly spaced in sigma^(1/7) (Karras et al. 2022, equation 5)
  exponential,      // evenly spaced in log sigma
  sgm_uniform,      // n + 1 timesteps evenly spaced, without the last
  simple,           // every (T / n)-th sigma of the table, from the end
  ddim_uniform,     // every (T // n)-th sigma of the table, from 1: as many steps as there are such
  kl_optimal,       // evenly spaced in atan(sigma) (ComfyUI: n levels and 0)
  kl_optimal_forge  // the same with n + 1 levels, the last one the least sigma instead of 0
};

struct SchedulerRow {
  Scheduler scheduler;
  std::string name, description;
};
const std::vector<SchedulerRow>& schedulers();
// Throws std::invalid_argument for an unknown name, with the known ones.
Scheduler parse_scheduler(std::string_view name);
std::string_view to_string(Scheduler scheduler);

// From `greatest` down, by default the schedule's own greatest sigma. steps >= 1 (std::invalid_argument).
std::vector<double> sigma_schedule(Scheduler scheduler, int steps, const NoiseSchedule& noise,
                                   std::optional<double> greatest = {});

}  // namespace upbench
