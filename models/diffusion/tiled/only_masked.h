#pragma once

#include <ATen/core/Tensor.h>

#include "datasets/image_fwd.h"
#include "models/diffusion/tiled/pixel_box.h"
#include "models/diffusion/tiled/redraw_plan.h"

// "Inpaint only masked" as A1111 does it, on which Ultimate SD Upscale and detail passes stand: the masked
// part of a picture and its surroundings are cut out, brought to the size at which a model works, redrawn,
// brought back and laid over the picture through the blurred mask. 8-bit steps are part of it: masks and
// pictures are whole levels, resampling is Pillow's Lanczos (masks in latents: bicubic), what the model makes
// is truncated to 8 bit.
//
// Pictures are [3, H, W] in [0, 1] with whole 8-bit levels (quantized()), on any device; masks are on the
// CPU.
namespace upbench {

// A mask of 8-bit levels over a picture, black outside of `box`.
struct LocalMask {
  PixelBox box;       // inside the picture, not empty
  at::Tensor levels;  // uint8 [box height, box width]
};

// The mask of a job as the script draws it, cut to a picture of width x height. Ramps are those of Pillow's
// gradients (256 levels, resized). Throws std::invalid_argument where nothing of it is inside the picture.
LocalMask draw_mask(const RedrawJob& job, int width, int height);

// a1111: a separable Gaussian of 2 int(2.5 blur + 0.5) + 1 taps and sigma = blur, across and then down, each
// rounded to 8 bit (OpenCV's fixed-point filter, mirrored at the picture's edge). ComfyUI's rules: Pillow's
// GaussianBlur. blur 0: as it is.
LocalMask blurred(const LocalMask& mask, int blur, CropRule rule, int width, int height);

// The pixels that are not black. Throws std::invalid_argument where all are.
PixelBox bounding_box(const LocalMask& mask);

// What is cut out, at which size it is processed, and the mask through which it comes back.
struct MaskedRegion {
  PixelBox crop;
  int width = 0, height = 0;  // processed at
  LocalMask paste;            // the blurred mask
  bool keeps_latents = true;  // what is not under the mask is kept in latents too

  // processed / crop, of the width and of the height; 1: nothing is resampled.
  double scale_across() const { return static_cast<double>(width) / crop.width(); }
  double scale_down() const { return static_cast<double>(height) / crop.height(); }
};
MaskedRegion masked_region(const LocalMask& mask, const RedrawJob& job, CropRule rule, int picture_width,
                           int picture_height);

// The crop at the processing size [3, height, width]. Where the shapes differ (A1111's resize mode 2) it is
// fitted inside and its first and last rows or columns are repeated; ComfyUI's rules stretch.
Image cut_out(const Image& picture, const MaskedRegion& region);

// [1, 1, height / factor, width / factor] of 0 and 1 (1: redrawn); undefined where latents are not kept. The
// mask goes the way of the picture, then to latents by Pillow's bicubic, then it is rounded.
at::Tensor latent_mask(const MaskedRegion& region, int factor);

// What the model made of the crop, [3, height, width] not clamped, back in the picture: truncated to 8 bit,
// resized so that it covers the crop (resize mode 1; ComfyUI's rules stretch), laid over it through the mask
// with the 8-bit arithmetic of Pillow's premultiplied paste (not ComfyUI's) and alpha_composite.
Image composited(const Image& picture, const Image& made, const MaskedRegion& region);

}  // namespace upbench
