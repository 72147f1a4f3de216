#include "datasets/resampling/separable.h"

#include <algorithm>
#include <cstddef>

#include "datasets/resampling/passes.h"
#include "datasets/resampling/pick.h"

namespace upbench {
namespace {

template <typename Real>
std::vector<Real> converted(const std::vector<double>& weights) {
  return {weights.begin(), weights.end()};
}

}  // namespace

void resize_separable(const float* in, int planes, int height, int width, const AxisWeights& vertical,
                      const AxisWeights& horizontal, float* out) {
  if (picks(vertical, horizontal)) return pick_pixels(in, planes, height, width, vertical, horizontal, out);
  const auto in_height = static_cast<std::size_t>(height), in_width = static_cast<std::size_t>(width);
  const auto down = converted<float>(vertical.weights), along = converted<float>(horizontal.weights);
  const WeightedAxis<float> rows{vertical, down.data()}, columns{horizontal, along.data()};
  std::vector<float> strip(in_width * kLanes), interleaved(in_width * kLanes);
  for (int plane = 0; plane < planes; ++plane) {
    passes().plane(in, in_width, rows, columns, strip.data(), interleaved.data(), out);
    in += in_height * in_width;
    out += rows.outputs() * columns.outputs();
  }
}

void resize_separable_8_bit(const float* in, int planes, int height, int width, const AxisWeights& vertical,
                            const AxisWeights& horizontal, float* out) {
  const auto in_height = static_cast<std::size_t>(height), in_width = static_cast<std::size_t>(width);
  const WeightedAxis<double> rows{vertical, vertical.weights.data()},
      columns{horizontal, horizontal.weights.data()};
  std::vector<double> levels(in_height * in_width), strip(in_width * kLanes), interleaved(in_width * kLanes),
      result(rows.outputs() * columns.outputs());
  for (int plane = 0; plane < planes; ++plane, in += levels.size(), out += result.size()) {
    std::transform(in, in + levels.size(), levels.begin(),
                   [](float sample) { return nearest_level(double{sample} * 255); });
    passes().plane_of_levels(levels.data(), in_width, rows, columns, strip.data(), interleaved.data(),
                             result.data());
    std::transform(result.begin(), result.end(), out,
                   [](double level) { return static_cast<float>(level) / 255.0F; });
  }
}

}  // namespace upbench
