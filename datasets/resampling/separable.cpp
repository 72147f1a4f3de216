#include "datasets/resampling/separable.h"

#include <algorithm>
#include <cstddef>

// The functions below are compiled for several instruction sets, and the program takes the widest that the
// machine has. This file is built without contraction to fused multiply-add, so that all of them give the
// same bits.
#if defined(__x86_64__) && defined(__linux__) && defined(__GNUC__) && !defined(__clang__) && \
    !defined(__SANITIZE_ADDRESS__)
#define UPBENCH_RESAMPLING_CLONES \
  __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define UPBENCH_RESAMPLING_CLONES
#endif
#define UPBENCH_ALWAYS_INLINE __attribute__((always_inline)) inline

namespace upbench {
namespace {

constexpr int kLanes = 16;  // columns, or rows, that are summed side by side

template <typename Real>
std::vector<Real> converted(const std::vector<double>& weights) {
  return {weights.begin(), weights.end()};
}

// out[x] = sum over k of weights[k] * rows[k][x]
template <typename Real>
UPBENCH_ALWAYS_INLINE void combine_rows(const Real* rows, std::size_t width, const Real* weights, int taps,
                                        Real* out) {
  std::size_t x = 0;
  for (; x + kLanes <= width; x += kLanes) {
    Real sums[kLanes] = {};
    for (int k = 0; k < taps; ++k) {
      const Real* row = rows + static_cast<std::size_t>(k) * width + x;
      for (int lane = 0; lane < kLanes; ++lane) sums[lane] += weights[k] * row[lane];
    }
    for (int lane = 0; lane < kLanes; ++lane) out[x + lane] = sums[lane];
  }
  for (; x < width; ++x) {
    Real sum = 0;
    for (int k = 0; k < taps; ++k) sum += weights[k] * rows[static_cast<std::size_t>(k) * width + x];
    out[x] = sum;
  }
}

// One output column of kLanes rows at once: the rows lie interleaved, sample x of all of them side by side.
template <typename Real>
UPBENCH_ALWAYS_INLINE void combine_columns(const Real* interleaved, const Real* weights, int taps,
                                           Real* sums) {
  for (int lane = 0; lane < kLanes; ++lane) sums[lane] = 0;
  for (int k = 0; k < taps; ++k, interleaved += kLanes) {
    for (int lane = 0; lane < kLanes; ++lane) sums[lane] += weights[k] * interleaved[lane];
  }
}

template <typename Real>
UPBENCH_ALWAYS_INLINE void resize_rows(const Real* in, std::size_t rows, std::size_t width,
                                       const AxisWeights& axis, const Real* weights, Real* interleaved,
                                       Real* out) {
  const auto outputs = axis.first.size();
  const auto taps = static_cast<std::size_t>(axis.taps);
  for (std::size_t top = 0; top < rows; top += kLanes) {
    const std::size_t filled = std::min<std::size_t>(kLanes, rows - top);
    for (std::size_t lane = 0; lane < filled; ++lane) {
      const Real* row = in + (top + lane) * width;
      for (std::size_t x = 0; x < width; ++x) interleaved[x * kLanes + lane] = row[x];
    }
    // A tile of results at a time: single samples written to kLanes rows would keep evicting each other from
    // the cache.
    for (std::size_t left = 0; left < outputs; left += kLanes) {
      const std::size_t wide = std::min<std::size_t>(kLanes, outputs - left);
      Real tile[kLanes][kLanes];
      for (std::size_t o = 0; o < wide; ++o) {
        combine_columns(interleaved + static_cast<std::size_t>(axis.first[left + o]) * kLanes,
                        weights + (left + o) * taps, axis.taps, tile[o]);
      }
      for (std::size_t lane = 0; lane < filled; ++lane) {
        Real* row = out + (top + lane) * outputs + left;
        for (std::size_t o = 0; o < wide; ++o) row[o] = tile[o][lane];
      }
    }
  }
}

template <typename Real>
UPBENCH_ALWAYS_INLINE void resize_columns(const Real* in, std::size_t width, const AxisWeights& axis,
                                          const Real* weights, Real* out) {
  for (std::size_t o = 0; o < axis.first.size(); ++o) {
    combine_rows(in + static_cast<std::size_t>(axis.first[o]) * width, width,
                 weights + o * static_cast<std::size_t>(axis.taps), axis.taps, out + o * width);
  }
}

UPBENCH_RESAMPLING_CLONES void columns(const float* in, std::size_t width, const AxisWeights& axis,
                                       const float* weights, float* out) {
  resize_columns(in, width, axis, weights, out);
}

UPBENCH_RESAMPLING_CLONES void columns(const double* in, std::size_t width, const AxisWeights& axis,
                                       const double* weights, double* out) {
  resize_columns(in, width, axis, weights, out);
}

UPBENCH_RESAMPLING_CLONES void rows(const float* in, std::size_t count, std::size_t width,
                                    const AxisWeights& axis, const float* weights, float* interleaved,
                                    float* out) {
  resize_rows(in, count, width, axis, weights, interleaved, out);
}

UPBENCH_RESAMPLING_CLONES void rows(const double* in, std::size_t count, std::size_t width,
                                    const AxisWeights& axis, const double* weights, double* interleaved,
                                    double* out) {
  resize_rows(in, count, width, axis, weights, interleaved, out);
}

// Half up. Once it is clamped, cutting the fraction off is rounding down.
void round_to_8_bit(std::vector<double>& samples) {
  for (double& sample : samples) sample = static_cast<int>(std::clamp(sample, 0.0, 255.0) + 0.5);
}

}  // namespace

void resize_separable(const float* in, int planes, int height, int width, const AxisWeights& vertical,
                      const AxisWeights& horizontal, float* out) {
  const auto in_height = static_cast<std::size_t>(height), in_width = static_cast<std::size_t>(width);
  const std::size_t out_height = vertical.first.size(), out_width = horizontal.first.size();
  const auto down = converted<float>(vertical.weights), along = converted<float>(horizontal.weights);
  std::vector<float> tall(out_height * in_width), interleaved(in_width * kLanes);
  for (int plane = 0; plane < planes; ++plane, in += in_height * in_width, out += out_height * out_width) {
    columns(in, in_width, vertical, down.data(), tall.data());
    rows(tall.data(), out_height, in_width, horizontal, along.data(), interleaved.data(), out);
  }
}

void resize_separable_8_bit(const float* in, int planes, int height, int width, const AxisWeights& vertical,
                            const AxisWeights& horizontal, float* out) {
  const auto in_height = static_cast<std::size_t>(height), in_width = static_cast<std::size_t>(width);
  const std::size_t out_height = vertical.first.size(), out_width = horizontal.first.size();
  std::vector<double> whole(in_height * in_width), tall(out_height * in_width),
      interleaved(in_width * kLanes), result(out_height * out_width);
  for (int plane = 0; plane < planes; ++plane, in += whole.size(), out += result.size()) {
    std::transform(in, in + whole.size(), whole.begin(), [](float sample) { return double{sample} * 255; });
    round_to_8_bit(whole);
    columns(whole.data(), in_width, vertical, vertical.weights.data(), tall.data());
    round_to_8_bit(tall);
    rows(tall.data(), out_height, in_width, horizontal, horizontal.weights.data(), interleaved.data(),
         result.data());
    round_to_8_bit(result);
    std::transform(result.begin(), result.end(), out,
                   [](double level) { return static_cast<float>(level) / 255.0F; });
  }
}

}  // namespace upbench
