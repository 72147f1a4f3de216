#pragma once

#include "metrics/planes.h"

namespace upbench {

// Mean over all pixels of the squared difference of a signal, in 8-bit code values squared, accumulated in float64.
// Both of one size, at least one pixel.
double mean_squared_error(const Planes& output, const Planes& reference, const Signal& signal);

// The mean of that over R, G and B.
double mean_squared_error_rgb(const Planes& output, const Planes& reference);

// 10 log10(255^2 / error): +infinity for 0.
double psnr_of(double mean_squared_error);

}  // namespace upbench
