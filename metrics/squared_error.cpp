#include "metrics/squared_error.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "datasets/vector_clones.h"

namespace upbench {
namespace {

constexpr int kBlock = 256;  // pixels at a time; their differences stay in the first-level cache
constexpr int kLanes = 8;    // partial sums, so that the additions do not wait for each other

using Block = std::array<double, kBlock>;
using Lanes = std::array<double, kLanes>;

// Both code values are rounded to float32 (exact for 8-bit pictures) before they are subtracted in float64:
// were product and difference of one type, the compiler could fuse them, and equal pictures would differ.
UPBENCH_VECTOR_CLONES
void add_difference(const float* output, const float* reference, int count, double weight,
                    Block& difference) {
  for (int x = 0; x < count; ++x) {
    const auto a = static_cast<double>(255.0F * output[x]);
    const auto b = static_cast<double>(255.0F * reference[x]);
    difference[x] += weight * (a - b);
  }
}

UPBENCH_VECTOR_CLONES
void add_squares(const Block& difference, Lanes& sums) {
  for (int x = 0; x < kBlock; x += kLanes)
    for (int lane = 0; lane < kLanes; ++lane) sums[lane] += difference[x + lane] * difference[x + lane];
}

}  // namespace

double mean_squared_error(const Planes& output, const Planes& reference, const Signal& signal) {
  Lanes sums{};
  for (int y = 0; y < output.height; ++y)
    for (int x = 0; x < output.width; x += kBlock) {
      Block difference{};
      for (int c = 0; c < 3; ++c)
        if (signal.weights[c] != 0)
          add_difference(output.row(c, y) + x, reference.row(c, y) + x, std::min(kBlock, output.width - x),
                         signal.weights[c], difference);
      add_squares(difference, sums);
    }
  double sum = 0;
  for (double lane : sums) sum += lane;
  return sum / (static_cast<double>(output.width) * output.height);
}

double mean_squared_error_rgb(const Planes& output, const Planes& reference) {
  double sum = 0;
  for (const Signal& channel : kRgbSignals) sum += mean_squared_error(output, reference, channel);
  return sum / 3;
}

Score psnr_score(double mean_squared_error) {
  if (mean_squared_error == 0)
    return {.value = std::numeric_limits<double>::infinity(), .flag = ScoreFlag::inf};
  return {.value = 10 * std::log10(255.0 * 255.0 / mean_squared_error)};
}

}  // namespace upbench
