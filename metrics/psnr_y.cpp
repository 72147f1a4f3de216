#include "metrics/device_similarity.h"
#include "metrics/entries.h"
#include "metrics/squared_error.h"

namespace upbench {
namespace {

Score score(const Image& output, const Image& reference) {
  return psnr_score(mean_squared_error(planes_of(output), planes_of(reference), kLumaSignal));
}

}  // namespace

Metric psnr_y() {
  return {.name = "psnr-y",
          .unit = "dB",
          .convention = "BT.601 limited-range Y, unrounded; peak 255",
          .better = Better::higher,
          .cuts_border = true,
          .decimals = 3,
          .make = [](std::string&) { return score; },
          .signals = SignalScore{.signals = {&kLumaSignal, 1}, .score = psnr_of}};
}

}  // namespace upbench
