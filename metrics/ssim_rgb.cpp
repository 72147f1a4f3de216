#include "metrics/device_similarity.h"
#include "metrics/entries.h"
#include "metrics/ssim_kernel.h"

namespace upbench {
namespace {

Score score(const Image& output, const Image& reference) {
  return ssim_score(planes_of(output), planes_of(reference), kRgbSignals);
}

}  // namespace

Metric ssim_rgb() {
  return {.name = "ssim-rgb",
          .unit = "",
          .convention =
              "mean of R, G and B; 11x11 Gaussian window, sigma 1.5, wholly inside; K 0.01 and 0.03, L 255",
          .better = Better::higher,
          .cuts_border = true,
          .decimals = 4,
          .make = [](std::string&) { return score; },
          .signals = SignalScore{.signals = kRgbSignals, .score = ssim_of}};
}

}  // namespace upbench
