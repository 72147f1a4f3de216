#pragma once

#include <span>

#include "metrics/metric.h"
#include "metrics/planes.h"
#include "metrics/ssim_window.h"

namespace upbench {

// Structural similarity of one signal (Wang et al., IEEE TIP 13(4), 2004): 11x11 Gaussian window of
// sigma 1.5, population covariance, K1 0.01, K2 0.03, L 255, mean over the windows that lie wholly inside.
// Both of one size, at least 11x11. float32 inside; within 2e-6 of the same formula in float64, 1e-6 on
// photographs. Exactly 1 for equal pictures, exactly symmetric. One thread; memory does not grow with the
// picture.
double ssim(const Planes& output, const Planes& reference, const Signal& signal);

// Of pictures smaller than the window.
Score ssim_undefined();

// The mean of that over the signals; undefined for pictures smaller than the window.
Score ssim_score(const Planes& output, const Planes& reference, std::span<const Signal> signals);

}  // namespace upbench
