#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <ATen/core/Tensor.h>

#include "datasets/image_fwd.h"
#include "models/upscaler.h"

namespace upbench {

// Whose way to a size that a network's scale does not reach.
enum class FitRules {
  // A1111's hires fix. The picture is cut to 8 bits by truncation. Where it must grow, with s the greater of
  // the two factors: the network, up to three times while smaller than the whole multiples of 8 below s times
  // the sides, each time rounded to 8 bits; Lanczos (Pillow's) to those multiples; then Lanczos to the size
  // itself. An interpolator goes to s times the sides, rounded down, in one pass.
  a1111,
  // ComfyUI's "upscale image with model" and "upscale image": the network once on the picture as it is,
  // clamped; where the size is another then, truncated to 8 bits and brought there by Lanczos (Pillow's).
  comfy,
};
FitRules parse_fit_rules(std::string_view name);  // "a1111", "comfy"; throws std::invalid_argument

struct FittedUpscale {
  Image image;  // [3, height, width], in [0, 1]
  // What was done, in order: "x4" a pass of the network, "lanczos 1024x768", "bicubic-a75 1024x768".
  std::vector<std::string> passes;
};

// picture: [3, H, W], any values; upscaler: nullptr for Lanczos alone. Throws as upscale() does.
FittedUpscale upscale_fitted(const Upscaler* upscaler, const Image& picture, int height, int width,
                             FitRules rules);

// Clamped to [0, 1] and cut to the 8-bit level below, as numpy's astype(uint8) does with 255 times the
// picture.
Image truncated(const Image& picture);

}  // namespace upbench
