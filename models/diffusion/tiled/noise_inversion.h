#pragma once

#include "models/diffusion/sample_latents.h"

// Noise inversion (of multidiffusion-upscaler): the start noise of img2img is, where the picture is flat, the
// noise that the model itself would turn into the picture, and fresh noise where there is detail to be made
// anew. The idea is theirs, from a description; levels, detail and mixture are as said here.
namespace upbench {

struct NoiseInversion {
  int steps = 10;      // of the inversion
  double renoise = 1;  // how much fresh noise: 0 none, 1 all of it where the picture has most detail
  int kernel = 64;     // pixels over which detail is looked at
};

// Latents x_0 -> the noise e of x_0 + sigma e from which Euler steps would come back to them, sigma the start
// of the run: Euler's method upwards over `steps` levels spaced as Karras does (rho 7) from the model's least
// level to sigma; the first slope is that at the least level. The prompt alone is asked (guidance 1), tile by
// tile where the run is. evaluations: is raised by what was asked of the network.
at::Tensor inverted_noise(const DiffusionModel& model, const at::Tensor& latents,
                          const Conditioning& conditioning, const LatentRun& run, int steps,
                          std::int64_t& evaluations);

// Any denoiser's. levels: ascending, all positive.
at::Tensor inverted_noise(const DenoiseFunction& denoise, const at::Tensor& latents,
                          const std::vector<double>& levels, const StepVisitor& visit = {});

// Detail of a picture [1, 3, H, W], one value for `factor` x `factor` pixels [1, 1, h, w] in [0, 1]: the mean
// over kernel x kernel pixels of how far luma is from its own mean over as many, by its largest value; a flat
// picture has none. The picture is mirrored at its edges.
at::Tensor local_detail(const at::Tensor& picture, int kernel, int factor);

// ((1 - a) inverted + a fresh) / sqrt((1 - a)^2 + a^2) with a = renoise * detail, at most 1: of unit variance
// where both are and are independent.
at::Tensor mixed_noise(const at::Tensor& inverted, const at::Tensor& fresh, const at::Tensor& detail,
                       double renoise);

}  // namespace upbench
