#pragma once

#include <array>

namespace upbench {

inline constexpr int kSsimWindow = 11;

// K1 0.01, K2 0.03, L 255.
inline constexpr double kSsimC1 = (0.01 * 255) * (0.01 * 255);
inline constexpr double kSsimC2 = (0.03 * 255) * (0.03 * 255);
inline constexpr float kSsimCentre = 128;  // subtracted from both signals: squares stay small

// Half of the Gaussian window of sigma 1.5, outermost tap first. Multiples of 2^-24 whose whole sum is
// exactly 1: a sum off by one unit in the last place would shift every variance by that share of the squared
// mean.
using SsimWindow = std::array<float, kSsimWindow / 2 + 1>;
SsimWindow ssim_window();

}  // namespace upbench
