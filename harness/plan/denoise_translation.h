#pragma once

#include <optional>

#include <nlohmann/json_fwd.hpp>

#include "models/diffusion/sampling/denoise.h"

// What a start sigma is in every tool's own denoise.
namespace upbench {

// A strength as it is typed into a tool, and what the tool makes of it.
struct ToolDenoise {
  double denoise = 0;      // a multiple of 0.01; of rule `sigma` the level itself
  double start_sigma = 0;  // where that strength starts in this tool
  int steps = 0;           // that it executes
};

// A strength whose start sigma is more than this many times the wanted one, or less than its inverse, is
// another amount of noise, and no translation.
constexpr double kTranslationFactor = 1.25;

// The strength whose start sigma is nearest to `start_sigma`, as a ratio; of strengths that start at the same
// level the least. None where the nearest is off by more than kTranslationFactor. 0, where no step is made,
// is only where the tool makes none, too. steps: as set in the tool. Strengths are worked out once for
// the same other arguments; may be called from several threads.
std::optional<ToolDenoise> translate_denoise(DenoiseRule rule, double start_sigma, int steps,
                                             Scheduler scheduler, const NoiseSchedule& noise,
                                             const StepOptions& options = {});

// Of every rule, by name: {denoise, start_sigma, steps}, or null where it has none.
nlohmann::json denoise_translation(double start_sigma, int steps, Scheduler scheduler,
                                   const NoiseSchedule& noise, const StepOptions& options = {});

}  // namespace upbench
