#pragma once

#include <vector>

#include "models/diffusion/sampling/denoise.h"

namespace upbench {

// Levels and timesteps of a whole run of `steps` steps as the class of diffusers 0.42 that stands for the
// sampler sets them, with the settings that Stable Diffusion's folders give it (steps_offset 1,
// set_alpha_to_one off, the rest by default). Scheduler uniform is its spacing "linspace" (DDIM: "leading"),
// ddim_uniform "leading", turbo "trailing"; a scheduler that diffusers lacks keeps its common levels. Throws
// std::invalid_argument for more steps than timesteps.
DenoiseSteps diffusers_levels(Scheduler scheduler, int steps, const NoiseSchedule& noise,
                              const StepOptions& options);

}  // namespace upbench
