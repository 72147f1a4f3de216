#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "datasets/image_fwd.h"

namespace upbench {

// One way to resize, named by kernel and by whose behaviour it reproduces.
struct ResampleKernel {
  std::string name;         // "matlab-bicubic", "bicubic-a75", "lanczos", "area", ...
  std::string description;  // support, coefficient, antialiasing, the tool it equals
  bool antialias;           // does the kernel widen when the picture shrinks
  bool eight_bit = false;   // works on 8-bit levels always, as its tool does
};

const std::vector<ResampleKernel>& resample_kernels();

// height, width: output size in pixels, > 0. Values are neither clamped nor rounded, except that
// - the kernels with `eight_bit` take the picture as it would be saved in 8 bit (quantized()) and give whole
//   levels: pil-* the bytes of Pillow (rows first, as before Pillow 13 at every size), cv2-* those of the
//   OpenCV that the program is linked with, given the picture as imread would (BGR, interleaved);
// - the matlab kernels work as MATLAB's imresize does on uint8 input when `as_uint8` is set: rounded half up
//   to 8 bit after each pass.
// Throws std::invalid_argument for an unknown kernel (the message lists the known ones).
Image resample(const Image& image, int height, int width, std::string_view kernel, bool as_uint8 = false);

}  // namespace upbench
