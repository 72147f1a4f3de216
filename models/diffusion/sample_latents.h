#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include <ATen/core/Tensor.h>

#include "models/diffusion/control_hint.h"
#include "models/diffusion/model.h"
#include "models/diffusion/sampling/denoise.h"
#include "models/diffusion/sampling/sampler.h"
#include "models/diffusion/tiled/fused_tiles.h"

namespace upbench {

// What the network is told besides latents and time, for one picture; on the model's device.
struct Conditioning {
  at::Tensor cond, uncond;                // contexts [1, L, D] of one length; uncond may be undefined
  at::Tensor cond_vector, uncond_vector;  // [1, V], of SDXL's kind; else undefined
  at::Tensor labels;                      // [1] of int64; of the x4 upscaler's kind
  // [1, C, h, w]: channels that the network takes beside the latents: mask and masked latents of inpainting
  // models, the small picture of the x4 upscaler.
  at::Tensor channels_beside;
  // [1, 1, h, w], 1: redrawn, 0: stays as it is given; undefined: everything is redrawn. The guess of the
  // clean picture is mixed with the given latents, as A1111's k-diffusion samplers do.
  at::Tensor mask;
  at::Tensor hint;  // [1, 3, 8 h, 8 w] for the model's ControlNet; undefined: none
  double control_weight = 1;
  double control_start = 0, control_end = 1;  // shares of the steps in which it acts
  ColourAnchor colours;                       // acts in all steps, as in the extension
};

// Tiles of which the network's predictions are merged.
struct FusedTiles {
  FusionSettings settings;
  std::uint64_t seed = 0;  // of where they lie, with jitter
  std::int64_t batch = 1;  // tiles in one call
};

// A second model that takes over the last levels (a refiner): sampler and latents go on as they are.
struct Handover {
  std::shared_ptr<const DiffusionModel> model;
  Conditioning conditioning;  // its own
  double at = 0.8;            // share of the schedule after which it begins, as is_refiners() has it
};

struct LatentRun {
  Sampler sampler = Sampler::euler;
  SamplerOptions sampler_options;
  DenoiseSteps steps;
  double guidance = 7.5;                  // 1: the prompt alone, one evaluation a step
  double guidance_rescale = 0;            // GuidanceOptions::rescale
  std::optional<FusedTiles> fusion = {};  // the network sees tiles at each step
  std::optional<Handover> handover = {};
};

struct SampledLatents {
  // [1, C, h, w], float32; in the tool's scale, which is another where its last level is not 0
  at::Tensor latents;
  std::int64_t evaluations = 0;  // of the network for this picture; both contexts and all tiles count
};

// Latents [1, C, h, w] -> latents: adds noise up to the first level and samples down. Where there are no
// steps, they stay. start_noise: standard normal, of the latents' shape; step_noise: for samplers that draw.
// visit: with x = x_0 + sigma e, first the start as step 0, then after each step. Throws
// std::invalid_argument for shapes that do not fit the model; std::runtime_error where what comes out is not
// finite.
SampledLatents sample_latents(const DiffusionModel& model, const at::Tensor& latents,
                              const Conditioning& conditioning, const LatentRun& run,
                              const at::Tensor& start_noise, const NoiseFunction& step_noise,
                              const StepVisitor& visit = {});

}  // namespace upbench
