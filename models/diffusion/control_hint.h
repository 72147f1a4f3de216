#pragma once

#include <ATen/core/Tensor.h>

#include "models/diffusion/sampling/guidance.h"

// The preprocessors that go with a tile ControlNet, as the sd-webui-controlnet extension of A1111 behaves.
namespace upbench {

// tile_resample: what the ControlNet sees of a picture [1, 3, H, W] in [0, 1]. From a rate of 1.1 on it is
// made smaller by averaging areas and enlarged again; below, it is the picture.
at::Tensor resampled_hint(const at::Tensor& picture, double rate);

// blur_gaussian: the same with a Gaussian of this deviation, pixels, over OpenCV's default window. The
// extension does it at the size of its "processor resolution"; here that is the picture's own.
at::Tensor blurred_hint(const at::Tensor& picture, double deviation);

// tile_colorfix: during sampling, coarse colours stay those of a picture.
struct ColourAnchor {
  at::Tensor latents;  // [1, C, h, w], of that picture; undefined: colours are free
  int radius = 8;  // of the square over which colours are averaged, in latents; the extension's "variation"
  double sharpness = 0;  // [0, 2], of tile_colorfix+sharp; 0: tile_colorfix
  double weight = 1;     // of the anchored prediction; above 1 as 1
};

// What a network predicted of x, with the guess of the clean picture corrected: its means over squares of
// 2 radius + 1 are replaced by those of `latents`. With sharpness s the guess for the negative prompt goes by
// s / 100 towards its own means, which guidance turns into sharper pictures. prediction, x (unit variance):
// [N, C, h, w], with both branches the negative prompt's and the prompt's in turn; latents: [M, C, h, w], M 1
// or N. sigma > 0: the noise of x, in the scale x_0 + sigma e. The result is a prediction of the same kind.
at::Tensor anchored(const at::Tensor& prediction, const at::Tensor& x, const at::Tensor& latents,
                    double sigma, Prediction kind, Branches branches, const ColourAnchor& anchor);

}  // namespace upbench
