#pragma once

#include "models/diffusion/facts.h"
#include "models/diffusion/sampling/latent_space.h"

namespace upbench {

// What the latents of a model with a UNet mean.
LatentSpace latent_space(const DiffusionFacts& facts);

}  // namespace upbench
