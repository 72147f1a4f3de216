#include <fmt/format.h>

#include <ATen/core/Tensor.h>

#include "datasets/image.h"
#include "datasets/resample.h"
#include "metrics/entries.h"
#include "metrics/squared_error.h"

namespace upbench {
namespace {

// As a low-resolution set of this reference is made: MATLAB's imresize on 8-bit pictures.
Image shrunk(const Image& image, int scale) {
  const auto side = [scale](std::int64_t length) { return static_cast<int>((length + scale - 1) / scale); };
  return quantized(resample(image, side(image.size(1)), side(image.size(2)), "matlab-bicubic", true));
}

// Consistency with the low resolution, LR-PSNR (Lugmayr, Danelljan, Timofte et al., NTIRE 2021 learning the
// super-resolution space challenge): what an upscaler adds must vanish when its result is shrunk again. The
// shrunk reference is the LR picture where the set's was made of it in the same way.
Metric lr_psnr(int scale) {
  const auto score = [scale](const Image& output, const Image& reference) -> Score {
    const Image low = shrunk(output, scale), expected = shrunk(reference, scale);
    return psnr_score(mean_squared_error_rgb(planes_of(low), planes_of(expected)));
  };
  return {.name = fmt::format("lr-psnr-x{}", scale),
          .unit = "dB",
          .convention =
              fmt::format("LR consistency: PSNR of output and reference shrunk by {} with matlab-bicubic "
                          "to 8 bit; RGB, peak 255, no border cut",
                          scale),
          .better = Better::higher,
          .decimals = 3,
          .make = [score](std::string&) -> ScoreFunction { return score; }};
}

}  // namespace

Metric lr_psnr_x2() {
  return lr_psnr(2);
}
Metric lr_psnr_x3() {
  return lr_psnr(3);
}
Metric lr_psnr_x4() {
  return lr_psnr(4);
}

}  // namespace upbench
