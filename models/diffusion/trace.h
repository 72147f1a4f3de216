#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "models/checkpoint/checkpoint.h"
#include "models/diffusion/model.h"
#include "models/diffusion/sample_latents.h"

// One part of a diffusion model, or a whole img2img run, on given tensors: to compare with another tool, step
// by step. Which tensors are taken and given is in docs/diffusion.md.
namespace upbench {

struct TracePart {
  std::string name;
  std::vector<std::string> inputs;  // that must be given
  std::string description;
};
const std::vector<TracePart>& trace_parts();

// inputs: by name, as the part's row lists them, of any floating-point dtype. Throws std::invalid_argument
// for an unknown part, naming those there are, for a tensor that is missing, unknown to the part or of
// another shape than it takes, and where the model has no such part.
NamedTensors trace_part(const DiffusionModel& model, std::string_view part, const NamedTensors& inputs);

// A whole run. inputs: init_latents [1, C, h, w], or `image` [1, 3, H, W] in [-1, 1], which is encoded;
// noise; step_noise [n, C, h, w] for samplers that draw, used in order; context [2, L, D] (negative prompt,
// prompt) or [1, L, D] without guidance, or input_ids [2, L], which are encoded; vector [2, V] where the
// model takes one; hint for a ControlNet. Returns latents [steps + 1, C, h, w] in the scale of the tool that
// `run.steps` follows, the first noised, the others after each step; sigmas [steps + 1]; timesteps [steps];
// `decoded` with an autoencoder.
NamedTensors trace_run(const DiffusionModel& model, const LatentRun& run, const NamedTensors& inputs);

}  // namespace upbench
