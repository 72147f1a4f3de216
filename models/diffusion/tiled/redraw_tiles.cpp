#include "models/diffusion/tiled/redraw_tiles.h"

#include <stdexcept>

#include <ATen/ATen.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "datasets/image.h"

namespace upbench {

Image redraw_tiles(const Image& picture, const std::vector<RedrawJob>& jobs, CropRule rule, int factor,
                   const RedrawFunction& redraw) {
  require_image(picture, "redraw");
  const int width = static_cast<int>(picture.size(2)), height = static_cast<int>(picture.size(1));
  Image now = quantized(picture);
  for (const RedrawJob& job : jobs) {
    const MaskedRegion region = masked_region(draw_mask(job, width, height), job, rule, width, height);
    const Image made = redraw({.job = job,
                               .region = region,
                               .picture = cut_out(now, region),
                               .latent_mask = latent_mask(region, factor)});
    if (made.sizes() != at::IntArrayRef({3, region.height, region.width}))
      throw std::runtime_error(fmt::format("a tile came back as [{}], expected [3, {}, {}]",
                                           fmt::join(made.sizes(), ", "), region.height, region.width));
    now = composited(now, made, region);
  }
  return now;
}

}  // namespace upbench
