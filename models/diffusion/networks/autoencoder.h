#pragma once

#include <memory>

#include <ATen/core/Tensor.h>

#include "models/diffusion/networks/autoencoder_facts.h"

namespace upbench {

// What an encoder makes of pictures, [N, channels, H / factor, W / factor], without the factor and shift by
// which a diffusion model scales its latents.
struct Posterior {
  at::Tensor mean;
  at::Tensor logvar;  // clamped to [-30, 20]; undefined where there is none (tiny autoencoders)
};

// Of moments [N, channels or 2 channels, h, w]: the means, then the logarithms of variances before clamping.
Posterior posterior_of(const at::Tensor& moments, int channels);

// mean + standard deviation * noise; the mean (which is the mode) where noise is undefined or no variance is
// known.
at::Tensor drawn_from(const Posterior& posterior, const at::Tensor& noise = {});

// Pictures to latents and back. Inputs are cast to the weights' dtype and device, in which the results are.
// Callers hold a guard against gradients; any number of threads may call.
class PictureCoder {
 public:
  virtual ~PictureCoder() = default;
  // picture: [N, 3, H, W] in [-1, 1]; H and W multiples of factor(), else std::invalid_argument. So too where
  // the file holds no encoder.
  virtual Posterior encode(const at::Tensor& picture) const = 0;
  // latents: [N, channels(), h, w] -> [N, 3, h * factor(), w * factor()], about [-1, 1], not clamped. Throws
  // std::invalid_argument for another shape and where the file holds no decoder.
  virtual at::Tensor decode(const at::Tensor& latents) const = 0;
  virtual int channels() const = 0;
  virtual int factor() const = 0;
  virtual bool has_encoder() const { return true; }
  virtual bool has_decoder() const { return true; }
  // Whether its latents are scaled already as the diffusion model has them, so that its factor and shift must
  // not be applied: so it is with tiny autoencoders.
  virtual bool has_model_latents() const { return false; }
  // What posterior_of() makes encode()'s result of.
  virtual at::Tensor moments(const at::Tensor& picture) const;
};

// weights: canonical names, all of one dtype and device.
std::shared_ptr<const PictureCoder> make_autoencoder(const AutoencoderFacts& facts,
                                                     const NamedTensors& weights);

// Whether any number is NaN or infinite: what half precision makes of some autoencoders (SDXL's first among
// them) and a picture would show as black. Waits for the device.
bool has_non_finite(const at::Tensor& x);

// Throw std::invalid_argument unless the shapes are those that encode() and decode() take.
void require_picture(const PictureCoder& coder, const at::Tensor& picture);
void require_latents(const PictureCoder& coder, const at::Tensor& latents);

}  // namespace upbench
