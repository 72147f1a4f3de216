#include "models/diffusion/networks/autoencoder.h"

#include <ATen/ATen.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "models/checkpoint/refuse.h"
#include "models/diffusion/networks/autoencoder_blocks.h"
#include "models/networks/layout_check.h"

namespace upbench {

Posterior posterior_of(const at::Tensor& moments, int channels) {
  if (moments.size(1) == channels) return {.mean = moments, .logvar = {}};
  return {.mean = moments.narrow(1, 0, channels),
          .logvar = moments.narrow(1, channels, channels).clamp(-30.0, 20.0)};
}

at::Tensor drawn_from(const Posterior& posterior, const at::Tensor& noise) {
  if (!noise.defined() || !posterior.logvar.defined()) return posterior.mean;
  return posterior.mean + (posterior.logvar * 0.5).exp() * noise.to(posterior.mean.options());
}

at::Tensor PictureCoder::moments(const at::Tensor& picture) const {
  const Posterior posterior = encode(picture);
  return posterior.logvar.defined() ? at::cat({posterior.mean, posterior.logvar}, 1) : posterior.mean;
}

void require_picture(const PictureCoder& coder, const at::Tensor& picture) {
  if (!coder.has_encoder()) refuse("autoencoder: its file holds a decoder alone, which encodes nothing");
  const int factor = coder.factor();
  if (picture.dim() != 4 || picture.size(1) != 3 || picture.size(2) < factor || picture.size(3) < factor ||
      picture.size(2) % factor != 0 || picture.size(3) % factor != 0)
    refuse("autoencoder: a picture [{}], expected [N, 3, H, W] with H and W multiples of {}",
           fmt::join(picture.sizes(), ", "), factor);
}

void require_latents(const PictureCoder& coder, const at::Tensor& latents) {
  if (!coder.has_decoder()) refuse("autoencoder: its file holds an encoder alone, which decodes nothing");
  if (latents.dim() != 4 || latents.size(1) != coder.channels() || latents.size(2) < 1 || latents.size(3) < 1)
    refuse("autoencoder: latents [{}], expected [N, {}, h, w]", fmt::join(latents.sizes(), ", "),
           coder.channels());
}

bool has_non_finite(const at::Tensor& x) {
  // A sum of magnitudes is finite only if all of them are, unless finite ones overflow: float64 does not.
  return !at::isfinite(x.abs().sum(at::kDouble)).item<bool>();
}

Autoencoder::Autoencoder(AutoencoderFacts facts, const NamedTensors& weights)
    : facts_(std::move(facts)), encoder_(encoder_row(facts_)), decoder_(decoder_row(facts_)) {
  require_layout(facts_.layout, weights, "autoencoder");
  // Convolutions run with channels last, which is faster on CPUs and on tensor cores alike.
  for (const auto& [name, tensor] : weights)
    weights_.emplace(name, tensor.dim() == 4 ? tensor.contiguous(at::MemoryFormat::ChannelsLast) : tensor);
}

at::Tensor Autoencoder::placed(const at::Tensor& x) const {
  return x.to(weights_.begin()->second.options()).contiguous(at::MemoryFormat::ChannelsLast);
}

at::Tensor Autoencoder::moments(const at::Tensor& picture) const {
  require_picture(*this, picture);
  Layers running = layers();
  return apply(running, encoder_, placed(picture), normed_alone(running, facts_.norm));
}

Posterior Autoencoder::encode(const at::Tensor& picture) const {
  return posterior_of(moments(picture), facts_.channels);
}

at::Tensor Autoencoder::decode(const at::Tensor& latents) const {
  require_latents(*this, latents);
  Layers running = layers();
  return apply(running, decoder_, placed(latents), normed_alone(running, facts_.norm));
}

std::shared_ptr<const PictureCoder> make_autoencoder(const AutoencoderFacts& facts,
                                                     const NamedTensors& weights) {
  return std::make_shared<Autoencoder>(facts, weights);
}

}  // namespace upbench
