#pragma once

#include <cstddef>
#include <vector>

#include "datasets/procedural/random.h"

namespace upbench::procedural {

// A field of lattice noise: octave after octave of smoothly joined random values. Zero mean, variance 1
// before the ends of the picture cut it.
struct NoiseSpec {
  float largest = 128;     // coarsest lattice cell, output pixels
  float smallest = 0.67F;  // finest
  float persistence =
      0.7F;           // amplitude of an octave to that of the next coarser: 2^-(a-1) for a 1/f^a spectrum
  float stretch = 1;  // cells are this much longer along x
};

class Field {
 public:
  Field(int width, int height, const NoiseSpec& spec, Random random);  // in samples

  int width() const { return width_; }
  int height() const { return height_; }
  float at(int x, int y) const { return values_[static_cast<std::size_t>(y) * width_ + x]; }

 private:
  int width_, height_;
  std::vector<float> values_;
};

// A square of noise that is repeated without a seam; objects read it at an offset of their own.
class Texture {
 public:
  static constexpr int kSide = 512;  // samples, power of two

  Texture(const NoiseSpec& spec, Random random);

  // Any x and y; `turned` swaps the axes.
  float at(int x, int y, bool turned = false) const {
    const unsigned mask = kSide - 1;
    const unsigned column = static_cast<unsigned>(turned ? y : x) & mask,
                   row = static_cast<unsigned>(turned ? x : y) & mask;
    return values_[row * kSide + column];
  }

 private:
  std::vector<float> values_;
};

}  // namespace upbench::procedural
