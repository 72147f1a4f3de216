#include "metrics/device_similarity.h"
#include "metrics/entries.h"
#include "metrics/squared_error.h"

namespace upbench {
namespace {

Score score(const Image& output, const Image& reference) {
  return {.value = mean_squared_error_rgb(planes_of(output), planes_of(reference))};
}

}  // namespace

Metric mse() {
  return {.name = "mse",
          .unit = "",
          .convention = "RGB, mean over pixels and channels, squared 8-bit code values (0..65025)",
          .better = Better::lower,
          .cuts_border = true,
          .decimals = 3,
          .make = [](std::string&) { return score; },
          .signals = SignalScore{.signals = kRgbSignals, .score = mse_of}};
}

}  // namespace upbench
