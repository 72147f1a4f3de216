#pragma once

#include <cstddef>

#include "datasets/procedural/random.h"

namespace upbench {

// Adds noise to a picture of three packed planes of `pixels` samples each, nominally in [0, 1], and clamps
// the sum to [0, 1]. The same numbers on every machine: no standard distribution, and no library's logarithm
// or sine (Poisson: but for exp(), whose last bit does not reach a count). grey: one value for the three
// channels.

// sigma: standard deviation, in levels of 255.
void add_gaussian_noise(float* planes, std::size_t pixels, double sigma, bool grey,
                        procedural::Random random);

// Of BasicSR's generate_poisson_noise: at a level v of 255, Poisson(v / 255 n) / n - v / 255, times `scale`;
// n is the number of different levels in the picture, rounded up to a power of two. grey: of the luma 0.2989
// R
// + 0.587 G + 0.114 B.
void add_poisson_noise(float* planes, std::size_t pixels, double scale, bool grey, procedural::Random random);

}  // namespace upbench
