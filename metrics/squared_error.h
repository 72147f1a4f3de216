#pragma once

#include "metrics/metric.h"
#include "metrics/planes.h"

namespace upbench {

// Mean over all pixels of the squared difference of a signal, in 8-bit code values squared, accumulated in
// float64. Both of one size, at least one pixel.
double mean_squared_error(const Planes& output, const Planes& reference, const Signal& signal);

// The mean of that over R, G and B.
double mean_squared_error_rgb(const Planes& output, const Planes& reference);

// Peak signal-to-noise ratio, 10 log10(255^2 / error) in dB; flag inf for an error of 0.
Score psnr_score(double mean_squared_error);

}  // namespace upbench
