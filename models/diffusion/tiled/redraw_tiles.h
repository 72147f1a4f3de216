#pragma once

#include <functional>
#include <vector>

#include "models/diffusion/tiled/only_masked.h"

namespace upbench {

// One call of the model in a plan of jobs.
struct RedrawPiece {
  const RedrawJob& job;
  const MaskedRegion& region;
  Image picture;           // [3, region.height, region.width], whole 8-bit levels
  at::Tensor latent_mask;  // as latent_mask(); undefined: everything is redrawn
};
// -> [3, region.height, region.width], not clamped.
using RedrawFunction = std::function<Image(const RedrawPiece&)>;

// The picture [3, H, W] with every job done in order, each on what the ones before left; whole 8-bit levels.
// factor: pixels to a latent.
Image redraw_tiles(const Image& picture, const std::vector<RedrawJob>& jobs, CropRule rule, int factor,
                   const RedrawFunction& redraw);

}  // namespace upbench
