#pragma once

#include "models/checkpoint/checkpoint.h"

namespace upbench {

// The autoencoder of a diffusion model that works on pixels: an AutoencoderKL of one level whose latents are
// the colours of the pixels, kPixelLatentScale times as large once they are scaled as Stable Diffusion's are.
// Nothing of it is trained. What its norms do to a picture's mean and contrast is undone by balancing
// channels, so that pictures come back to a tenth of a code value. float32 numbers that half precision holds
// exactly; names as LDM has them below "first_stage_model.".
NamedTensors pixel_autoencoder();

// Colours in [-1, 1] become up to 5.8: noise of sigma 1 is then 22 code values of 255, so that denoise
// strengths from 0.1 to 0.6 reach from noise that is hardly seen to noise that hides fine detail.
inline constexpr double kPixelLatentScale = 32 * 0.18215;

}  // namespace upbench
