#pragma once

#include <cstdint>

#include <ATen/core/Tensor.h>

#include "models/diffusion/sampling/latent_resize_rows.h"

namespace upbench {

// [N, C, h, w] -> [N, C, height, width], float32, without a decoder. Throws std::invalid_argument for another
// layout and for sides below 1.
//
// bislerp: each pixel's channels are a vector. Its length goes linearly and its direction along the great
// circle between the two neighbours, first along the width, then along the height; neighbours and shares are
// bilinear's. Where the directions are equal (cosine above 1 - 1e-5) the first neighbour stays as it is;
// where they are opposite (below -1 + 1e-5) it is plain linear; a vector of length 0 has direction 0
// (behaviour of ComfyUI's comfy/utils.py).
at::Tensor resize_latents(const at::Tensor& latents, std::int64_t height, std::int64_t width,
                          LatentResize mode);

}  // namespace upbench
