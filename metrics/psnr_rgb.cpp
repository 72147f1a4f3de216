#include "metrics/device_similarity.h"
#include "metrics/entries.h"
#include "metrics/squared_error.h"

namespace upbench {
namespace {

Score score(const Image& output, const Image& reference) {
  return psnr_score(mean_squared_error_rgb(planes_of(output), planes_of(reference)));
}

}  // namespace

Metric psnr_rgb() {
  return {.name = "psnr-rgb",
          .unit = "dB",
          .convention = "RGB, one mean squared error over all channels; peak 255",
          .better = Better::higher,
          .cuts_border = true,
          .decimals = 3,
          .make = [](std::string&) { return score; },
          .signals = SignalScore{.signals = kRgbSignals, .score = psnr_of}};
}

}  // namespace upbench
