#include "datasets/procedural/texture.h"

#include <algorithm>
#include <cmath>

#include "datasets/procedural/canvas.h"

namespace upbench::procedural {
namespace {

// Where samples lie in a lattice: index of the cell's first corner and smoothed share of its second.
struct LatticeAxis {
  std::vector<int> corner;
  std::vector<float> share;
};

LatticeAxis lattice_axis(int samples, float cell, float shift) {
  LatticeAxis axis;
  for (int i = 0; i < samples; ++i) {
    const float at = (static_cast<float>(i) + 0.5F) / cell + shift;
    const float floor = std::floor(at), t = at - floor;
    axis.corner.push_back(static_cast<int>(floor));
    axis.share.push_back(t * t * (3 - 2 * t));
  }
  return axis;
}

// Adds one octave; corners beyond `period` wrap (period = more than the lattice has: no wrap).
void add_lattice(std::vector<float>& values, const LatticeAxis& along_x, const LatticeAxis& along_y,
                 int period_x, int period_y, float amplitude, Random& random) {
  std::vector<float> lattice(static_cast<std::size_t>(period_x) * static_cast<std::size_t>(period_y));
  for (float& corner : lattice) corner = random.range(-amplitude, amplitude);

  const std::size_t width = along_x.corner.size();
  std::vector<float> line(static_cast<std::size_t>(period_x) + 1);  // the lattice at this y
  for (std::size_t y = 0; y < along_y.corner.size(); ++y) {
    const auto row = [&](int r) {
      return lattice.data() + static_cast<std::ptrdiff_t>(r % period_y) * period_x;
    };
    const float *above = row(along_y.corner[y]), *below = row(along_y.corner[y] + 1), down = along_y.share[y];
    for (std::size_t i = 0; i < static_cast<std::size_t>(period_x); ++i)
      line[i] = above[i] + (below[i] - above[i]) * down;
    line.back() = line.front();
    float* out = values.data() + y * width;
    for (std::size_t x = 0; x < width; ++x) {
      const float* corner = line.data() + along_x.corner[x];
      out[x] += corner[0] + (corner[1] - corner[0]) * along_x.share[x];
    }
  }
}

// Uniform corner values of +-1, joined smoothly, have variance 1/3 x the mean square of the joining weights
// (0.743^2).
constexpr float kOctaveGain = 2.33F;

struct Octave {
  float cell, amplitude;
};

// From `largest` down by halves to no less than `smallest`; amplitudes that together have variance 1.
std::vector<Octave> octaves(float largest, float smallest, float persistence) {
  std::vector<Octave> all;
  float energy = 0, amplitude = 1;
  while (largest >= smallest) {
    all.push_back({largest, 0});
    energy += amplitude * amplitude;
    amplitude *= persistence;
    largest /= 2;
  }
  amplitude = kOctaveGain / std::sqrt(energy);
  for (Octave& octave : all) {
    octave.amplitude = amplitude;
    amplitude *= persistence;
  }
  return all;
}

// The nearest power of two that is not below 2 nor above half a texture, in samples.
int power_of_two(float samples) {
  int cell = 2;
  while (static_cast<float>(cell) * 1.5F < samples && cell < Texture::kSide / 2) cell *= 2;
  return cell;
}

}  // namespace

Field::Field(int width, int height, const NoiseSpec& spec, Random random)
    : width_(width), height_(height), values_(static_cast<std::size_t>(width) * height) {
  for (const auto& [cell, amplitude] : octaves(spec.largest, spec.smallest, spec.persistence)) {
    const LatticeAxis x = lattice_axis(width, cell * Canvas::kSamples * spec.stretch, random.uniform());
    const LatticeAxis y = lattice_axis(height, cell * Canvas::kSamples, random.uniform());
    add_lattice(values_, x, y, x.corner.back() + 2, y.corner.back() + 2, amplitude, random);
  }
}

// Lattice cells of a power of two samples repeat with the square.
Texture::Texture(const NoiseSpec& spec, Random random) : values_(std::size_t{kSide} * kSide) {
  const auto largest = static_cast<float>(power_of_two(spec.largest * Canvas::kSamples));
  const auto smallest = static_cast<float>(power_of_two(spec.smallest * Canvas::kSamples));
  const int stretch = power_of_two(2 * spec.stretch) / 2;
  for (const auto& [cell, amplitude] : octaves(largest, smallest, spec.persistence)) {
    const int high = static_cast<int>(cell), wide = std::min(high * stretch, kSide / 2);
    const LatticeAxis x = lattice_axis(kSide, static_cast<float>(wide), 0);
    const LatticeAxis y = lattice_axis(kSide, cell, 0);
    add_lattice(values_, x, y, kSide / wide, kSide / high, amplitude, random);
  }
}

}  // namespace upbench::procedural
