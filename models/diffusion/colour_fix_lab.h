#pragma once

#include "datasets/image_fwd.h"

namespace upbench {

// [3, H, W]: 8-bit sRGB (0..255, any dtype) to 8-bit CIELAB and back, as float64: D65, L * 255 / 100, a +
// 128, b + 128, rounded; colours outside sRGB are clipped. OpenCV's constants; its tables differ from this by
// up to 1.
at::Tensor lab_from_rgb(const at::Tensor& rgb);
at::Tensor rgb_from_lab(const at::Tensor& lab);

// The 256 values that 0..255 become so that a channel of `values` has the cumulative histogram of `wanted`;
// both whole numbers of 0..255 of any shape.
at::Tensor histogram_match(const at::Tensor& values, const at::Tensor& wanted);

// rgb with the luminosity that `light` has, both [3, H, W] in [0, 1].
at::Tensor with_luminosity(const at::Tensor& rgb, const at::Tensor& light);

// ColourFix::lab_histogram.
Image matched_lab_histogram(const Image& picture, const Image& like);

}  // namespace upbench
