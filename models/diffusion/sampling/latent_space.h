#pragma once

#include <string>

namespace upbench {

// What latents of a model mean, as far as another model must know to go on with them.
struct LatentSpace {
  int channels = 4;
  double scale = 0.18215, shift = 0;  // latents are (z - shift) * scale of the autoencoder's
  std::string family = {};            // "sd1", "sdxl", for people
};

// Why latents of one model cannot be given to another, and the way round; empty: they can. What decides are
// channels, scale and shift (ComfyUI's latent_formats.py and diffusers' configurations): SD 1 and SD 2 share
// a space, SDXL has its own.
std::string latent_mismatch(const LatentSpace& from, const LatentSpace& to);

}  // namespace upbench
