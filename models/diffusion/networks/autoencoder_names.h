#pragma once

#include "models/checkpoint/checkpoint.h"

namespace upbench {

// The tensors of an AutoencoderKL by diffusers' names, whichever of three ways they are named: as in LDM
// checkpoints (below "first_stage_model.", or in a file of its own), as in diffusers, or as in diffusers
// before 0.18 (attention's query, key, value, proj_attn). Nothing is copied: projections that LDM keeps as
// 1x1 convolutions become views. Training's leftovers ("loss.", "model_ema.") are dropped; other names stay
// as they are, for autoencoder_facts() to refuse. Tensors may be on device meta.
NamedTensors autoencoder_from_ldm(const NamedTensors& tensors);

}  // namespace upbench
