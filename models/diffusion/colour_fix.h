#pragma once

#include <string>
#include <string_view>

#include "datasets/image_fwd.h"

namespace upbench {

// What brings the colours of a refined picture back to those of the picture it was made from.
enum class ColourFix {
  none,
  // A1111's colour correction. Both pictures are rounded to 8 bits; in 8-bit CIELAB (D65, sRGB; L * 255 /
  // 100, a + 128, b + 128, rounded) each channel's values are replaced so that its cumulative histogram
  // becomes that of `like`: a value goes where np.interp puts its quantile among the quantiles of like's
  // values, cut to a whole number as scikit-image's match_histograms does for uint8. Back in 8-bit RGB, the
  // result gets the luminosity (0.299 R + 0.587 G + 0.114 B) that the picture had: the blend mode
  // "luminosity" of the W3C's Compositing and Blending, with clipping towards that luminosity. `like` may
  // have another size.
  lab_histogram,
  // StableSR: each channel gets the mean and standard deviation (of a sample, variance + 1e-5) of like's.
  // `like` may have another size.
  adain,
  // StableSR: like's lowest frequencies in the picture's place. Five times blurred by the 3x3 kernel
  // [1 2 1; 2 4 2; 1 2 1] / 16 with its taps 1, 2, 4, 8, 16 pixels apart, edges repeated (a-trous wavelets).
  wavelet,
};

// "none", "lab-histogram", "adain", "wavelet". Throws std::invalid_argument that names these.
ColourFix colour_fix(std::string_view name);
std::string to_string(ColourFix fix);

// picture, like: [3, H, W] in [0, 1], on one device -> [3, H, W], clamped to [0, 1] unless `none`. Throws
// std::invalid_argument for no such images and, for `wavelet`, where the sizes differ.
Image fix_colours(ColourFix fix, const Image& picture, const Image& like);

}  // namespace upbench
