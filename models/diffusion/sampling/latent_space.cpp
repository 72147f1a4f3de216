#include "models/diffusion/sampling/latent_space.h"

#include <fmt/format.h>

namespace upbench {

std::string latent_mismatch(const LatentSpace& from, const LatentSpace& to) {
  if (from.channels != to.channels)
    return fmt::format("latents have {} channels, the other model's {}: go through pixels (decode, encode)",
                       from.channels, to.channels);
  if (from.scale != to.scale || from.shift != to.shift)
    return fmt::format(
        "latents of {} ({}) mean another picture to {} ({}): go through pixels (decode, encode)", from.family,
        from.scale, to.family, to.scale);
  return {};
}

}  // namespace upbench
