#include "metrics/ssim_window.h"

#include <cmath>

namespace upbench {

SsimWindow ssim_window() {
  constexpr int kRadius = kSsimWindow / 2;
  std::array<double, kRadius + 1> weight;
  double total = 0;
  for (int i = 0; i <= kRadius; ++i) {
    weight[i] = std::exp(-std::pow(i - kRadius, 2) / (2 * 1.5 * 1.5));
    total += i < kRadius ? 2 * weight[i] : weight[i];
  }
  SsimWindow window;
  double centre = 1;
  for (int i = 0; i < kRadius; ++i) {
    const double rounded = std::round(weight[i] / total * 0x1p24) * 0x1p-24;
    window[i] = static_cast<float>(rounded);
    centre -= 2 * rounded;
  }
  window[kRadius] = static_cast<float>(centre);
  return window;
}

}  // namespace upbench
