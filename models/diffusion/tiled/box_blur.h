#pragma once

#include <cstdint>

namespace upbench {

// Pillow's GaussianBlur of 8-bit levels, in place: three extended box filters along each side (Gwosdek et
// al., Theoretical foundations of Gaussian convolution by extended box filtering, 2011), edges repeated, each
// pass rounded to 8 bit. levels: rows without gaps; deviation: "radius" there, in pixels, above 0.
void pillow_gaussian_blur(std::uint8_t* levels, int width, int height, double deviation);

// Pixels to each side that it reaches.
int pillow_gaussian_reach(double deviation);

}  // namespace upbench
