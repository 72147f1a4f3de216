#include "metrics/lpips_kernel.h"

#include <array>
#include <cmath>
#include <cstring>

#include "datasets/vector_clones.h"

namespace upbench {
namespace {

constexpr std::size_t kLanes = kLpipsChannels;  // side by side
using Lanes [[gnu::vector_size(kLanes * sizeof(float))]] = float;

__attribute__((always_inline)) inline void load(const float* from, Lanes& to) {
  std::memcpy(&to, from, sizeof to);
}

__attribute__((always_inline)) inline float sum(const Lanes& lanes) {
  float total = 0;
  for (std::size_t i = 0; i < kLanes; ++i) total += lanes[i];
  return total;
}

__attribute__((always_inline)) inline float inverse_length(const Lanes& squares) {
  return 1 / (std::sqrt(sum(squares)) + 1e-10F);
}

}  // namespace

UPBENCH_VECTOR_CLONES
void normalise_rows(const Planes& picture, int from, int to, float* out) {
  constexpr std::array<float, 3> kShift{-0.030F, -0.088F, -0.188F}, kScale{0.458F, 0.448F, 0.450F};
  for (int y = from; y < to; ++y, out += 3 * static_cast<std::size_t>(picture.width)) {
    const float *red = picture.row(0, y), *green = picture.row(1, y), *blue = picture.row(2, y);
    for (int x = 0; x < picture.width; ++x) {
      out[3 * x] = red[x] * (2 / kScale[0]) - (1 + kShift[0]) / kScale[0];
      out[3 * x + 1] = green[x] * (2 / kScale[1]) - (1 + kShift[1]) / kScale[1];
      out[3 * x + 2] = blue[x] * (2 / kScale[2]) - (1 + kShift[2]) / kScale[2];
    }
  }
}

UPBENCH_VECTOR_CLONES
double weighted_distance(const float* a, const float* b, const float* weights, std::size_t pixels,
                         std::size_t channels) {
  double total = 0;
  for (std::size_t pixel = 0; pixel < pixels; ++pixel, a += channels, b += channels) {
    Lanes in_a, in_b, weight, a_squares{}, b_squares{}, distances{};
    for (std::size_t c = 0; c < channels; c += kLanes) {
      load(a + c, in_a);
      load(b + c, in_b);
      a_squares += in_a * in_a;
      b_squares += in_b * in_b;
    }
    const float a_scale = inverse_length(a_squares), b_scale = inverse_length(b_squares);
    for (std::size_t c = 0; c < channels; c += kLanes) {
      load(a + c, in_a);
      load(b + c, in_b);
      load(weights + c, weight);
      const Lanes difference = in_a * a_scale - in_b * b_scale;
      distances += weight * (difference * difference);
    }
    total += sum(distances);
  }
  return total;
}

}  // namespace upbench
