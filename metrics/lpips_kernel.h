#pragma once

#include <cstddef>

#include "metrics/planes.h"

// LPIPS's own arithmetic beside its network, on channels-last data.
namespace upbench {

inline constexpr int kLpipsChannels = 16;  // every stage has a multiple of these

// Rows `from` to `to` of a picture, channels side by side, as LPIPS feeds them to its network: from [0, 1] to
// [-1, 1], then its shift and scale of each channel. out: at row `from`.
void normalise_rows(const Planes& picture, int from, int to, float* out);

// The sum over pixels of sum_c weights[c] (a[c] / |a| - b[c] / |b|)^2, |x| the length of a pixel's vector of
// channels plus 1e-10; nothing of it is stored. channels: a multiple of kLpipsChannels.
double weighted_distance(const float* a, const float* b, const float* weights, std::size_t pixels,
                         std::size_t channels);

}  // namespace upbench
