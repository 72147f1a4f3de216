#include "datasets/resampling/separable.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>

#include "datasets/resampling/vector_lanes.h"

// This file is built without contraction to fused multiply-add, so that every instruction set gives the same
// bits.
namespace upbench {
namespace {

template <typename Real>
std::vector<Real> converted(const std::vector<double>& weights) {
  return {weights.begin(), weights.end()};
}

// Weights of an axis in the arithmetic of a pass.
template <typename Real>
struct Axis {
  const AxisWeights& layout;
  const Real* weights;

  std::size_t outputs() const { return layout.first.size(); }
  std::size_t first(std::size_t output) const { return static_cast<std::size_t>(layout.first[output]); }
  const Real* of(std::size_t output) const {
    return weights + output * static_cast<std::size_t>(layout.taps);
  }
};

// Calls work with the number of taps: a constant, which unrolls the loops over it, where it is a common one.
template <typename Work>
UPBENCH_ALWAYS_INLINE void with_taps(int taps, Work work) {
  switch (taps) {
    case 1:
      return work(std::integral_constant<int, 1>{});
    case 2:
      return work(std::integral_constant<int, 2>{});
    case 4:
      return work(std::integral_constant<int, 4>{});
    case 8:
      return work(std::integral_constant<int, 8>{});
    default:
      return work(taps);
  }
}

// out[x] = sum over k of weights[k] * rows[k][x]
template <typename Real, typename Taps>
UPBENCH_ALWAYS_INLINE void combine_rows(const Real* rows, std::size_t width, const Real* weights, Taps taps,
                                        Real* out) {
  std::size_t x = 0;
  for (; x + kLanes <= width; x += kLanes) {
    Lanes<Real> sums;
    for (int k = 0; k < taps; ++k) sums.add(weights[k], rows + static_cast<std::size_t>(k) * width + x);
    sums.store(out + x);
  }
  for (; x < width; ++x) {
    Real sum = 0;
    for (int k = 0; k < taps; ++k) sum += weights[k] * rows[static_cast<std::size_t>(k) * width + x];
    out[x] = sum;
  }
}

// out[x * out_stride + y] = in[y * in_stride + x], in squares of 4 x 4.
template <typename Real>
UPBENCH_ALWAYS_INLINE void transpose(const Real* in, std::size_t in_stride, std::size_t rows,
                                     std::size_t columns, Real* out, std::size_t out_stride) {
  using Four [[gnu::vector_size(4 * sizeof(Real))]] = Real;
  const auto plainly = [&](std::size_t top, std::size_t bottom, std::size_t left, std::size_t right)
                           UPBENCH_IN_PLACE {
                             for (std::size_t x = left; x < right; ++x)
                               for (std::size_t y = top; y < bottom; ++y)
                                 out[x * out_stride + y] = in[y * in_stride + x];
                           };
  const std::size_t whole_rows = rows / 4 * 4, whole_columns = columns / 4 * 4;
  for (std::size_t x = 0; x < whole_columns; x += 4) {
    for (std::size_t y = 0; y < whole_rows; y += 4) {
      const Real* from = in + y * in_stride + x;
      Four a, b, c, d;
      std::memcpy(&a, from, sizeof a);
      std::memcpy(&b, from + in_stride, sizeof b);
      std::memcpy(&c, from + 2 * in_stride, sizeof c);
      std::memcpy(&d, from + 3 * in_stride, sizeof d);
      const Four ab_low = __builtin_shufflevector(a, b, 0, 4, 1, 5);
      const Four ab_high = __builtin_shufflevector(a, b, 2, 6, 3, 7);
      const Four cd_low = __builtin_shufflevector(c, d, 0, 4, 1, 5);
      const Four cd_high = __builtin_shufflevector(c, d, 2, 6, 3, 7);
      const Four turned[4] = {__builtin_shufflevector(ab_low, cd_low, 0, 1, 4, 5),
                              __builtin_shufflevector(ab_low, cd_low, 2, 3, 6, 7),
                              __builtin_shufflevector(ab_high, cd_high, 0, 1, 4, 5),
                              __builtin_shufflevector(ab_high, cd_high, 2, 3, 6, 7)};
      for (std::size_t i = 0; i < 4; ++i)
        std::memcpy(out + (x + i) * out_stride + y, &turned[i], sizeof(Four));
    }
  }
  plainly(0, whole_rows, whole_columns, columns);
  plainly(whole_rows, rows, 0, columns);
}

// One output at a time, straight from the row: nothing of the row is touched but what is needed.
template <typename Real, typename Taps>
UPBENCH_ALWAYS_INLINE void pick_columns(const Real* row, const Axis<Real>& axis, Taps taps, Real* out) {
  for (std::size_t o = 0; o < axis.outputs(); ++o) {
    const Real* samples = row + axis.first(o);
    const Real* weights = axis.of(o);
    Real sum = 0;
    for (int k = 0; k < taps; ++k) sum += weights[k] * samples[k];
    out[o] = sum;
  }
}

// kLanes rows side by side: `interleaved` gets sample x of all of them together.
template <typename Real, typename Taps>
UPBENCH_ALWAYS_INLINE void combine_columns(const Real* in, std::size_t rows, std::size_t width,
                                           const Axis<Real>& axis, Taps taps, Real* interleaved, Real* out) {
  transpose(in, width, rows, width, interleaved, kLanes);
  // A tile of results at a time: single samples written to kLanes rows would keep evicting each other from
  // the cache.
  for (std::size_t left = 0; left < axis.outputs(); left += kLanes) {
    const std::size_t wide = std::min<std::size_t>(kLanes, axis.outputs() - left);
    Real tile[kLanes][kLanes];
    for (std::size_t o = 0; o < wide; ++o) {
      const Real* samples = interleaved + axis.first(left + o) * kLanes;
      const Real* weights = axis.of(left + o);
      Lanes<Real> sums;
      for (int k = 0; k < taps; ++k, samples += kLanes) sums.add(weights[k], samples);
      sums.store(tile[o]);
    }
    transpose(tile[0], kLanes, wide, rows, out + left, axis.outputs());
  }
}

// Up to kLanes rows of `width` samples, packed, to rows of axis.outputs().
template <typename Real>
UPBENCH_ALWAYS_INLINE void resize_rows(const Real* in, std::size_t rows, std::size_t width,
                                       const Axis<Real>& axis, Real* interleaved, Real* out) {
  // Turning the rows around costs about this many picks a sample.
  constexpr std::size_t kTurning = 2;
  const std::size_t picks = axis.outputs() * static_cast<std::size_t>(axis.layout.taps);
  with_taps(axis.layout.taps, [&](auto taps) UPBENCH_IN_PLACE {
    if (axis.layout.taps == 1 || picks < kTurning * width) {
      for (std::size_t row = 0; row < rows; ++row)
        pick_columns(in + row * width, axis, taps, out + row * axis.outputs());
    } else {
      combine_columns(in, rows, width, axis, taps, interleaved, out);
    }
  });
}

template <typename Real>
UPBENCH_ALWAYS_INLINE void resize_columns(const Real* in, std::size_t width, const Axis<Real>& axis,
                                          std::size_t from, std::size_t to, Real* out) {
  with_taps(axis.layout.taps, [&](auto taps) UPBENCH_IN_PLACE {
    for (std::size_t o = from; o < to; ++o, out += width)
      combine_rows(in + axis.first(o) * width, width, axis.of(o), taps, out);
  });
}

// One plane: the columns of kLanes output rows at a time, which stay in the cache, and then those rows.
// `rounded` is called with every sample of a pass.
template <typename Real, typename Round>
UPBENCH_ALWAYS_INLINE void columns_then_rows(const Real* in, std::size_t width, const Axis<Real>& vertical,
                                             const Axis<Real>& horizontal, Real* strip, Real* interleaved,
                                             Real* out, Round round) {
  for (std::size_t top = 0; top < vertical.outputs(); top += kLanes) {
    const std::size_t rows = std::min<std::size_t>(kLanes, vertical.outputs() - top);
    resize_columns(in, width, vertical, top, top + rows, strip);
    round(strip, rows * width);
    Real* const result = out + top * horizontal.outputs();
    resize_rows(strip, rows, width, horizontal, interleaved, result);
    round(result, rows * horizontal.outputs());
  }
}

// Both axes take one pixel each, whose weight is 1.
UPBENCH_VECTOR_CLONES void pick_plane(const float* in, std::size_t width, const AxisWeights& vertical,
                                      const AxisWeights& horizontal, float* out) {
  const std::size_t out_width = horizontal.first.size();
  for (std::size_t o = 0; o < vertical.first.size(); ++o, out += out_width) {
    if (o > 0 && vertical.first[o] == vertical.first[o - 1]) {
      std::copy(out - out_width, out, out);
      continue;
    }
    const float* __restrict row = in + static_cast<std::size_t>(vertical.first[o]) * width;
    const int* columns = horizontal.first.data();
    float* __restrict picked = out;
    for (std::size_t x = 0; x < out_width; ++x) picked[x] = row[columns[x]];
  }
}

bool picks(const AxisWeights& vertical, const AxisWeights& horizontal) {
  return vertical.taps == 1 && horizontal.taps == 1;
}

UPBENCH_VECTOR_CLONES void resize_plane(const float* in, std::size_t width, const Axis<float>& vertical,
                                        const Axis<float>& horizontal, float* strip, float* interleaved,
                                        float* out) {
  columns_then_rows(in, width, vertical, horizontal, strip, interleaved, out,
                    [](float*, std::size_t) UPBENCH_IN_PLACE {});
}

// Half up. Once it is clamped, cutting the fraction off is rounding down.
UPBENCH_ALWAYS_INLINE void round_to_levels(double* samples, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i)
    samples[i] = static_cast<int>(std::clamp(samples[i], 0.0, 255.0) + 0.5);
}

UPBENCH_VECTOR_CLONES void resize_plane_of_levels(const double* in, std::size_t width,
                                                  const Axis<double>& vertical,
                                                  const Axis<double>& horizontal, double* strip,
                                                  double* interleaved, double* out) {
  columns_then_rows(in, width, vertical, horizontal, strip, interleaved, out,
                    [](double* samples, std::size_t count)
                        UPBENCH_IN_PLACE { round_to_levels(samples, count); });
}

// Fixed point, as Pillow works: weights are multiples of 2^-22, so that no sum of 8-bit levels overflows.
constexpr int kFraction = 22;

UPBENCH_ALWAYS_INLINE void fixed_point_to_levels(std::int32_t* samples, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i)
    samples[i] = std::clamp((samples[i] + (1 << (kFraction - 1))) >> kFraction, 0, 255);
}

// Clamped, NaN to black, half to even: as quantized() does.
UPBENCH_ALWAYS_INLINE void to_levels(const float* samples, std::size_t count, std::int32_t* levels) {
  constexpr float kWholeNumbers = 12582912;  // 1.5 x 2^23: float32 has no fractions there
  for (std::size_t i = 0; i < count; ++i) {
    const float sample = samples[i] > 0 ? samples[i] : 0;
    levels[i] = static_cast<std::int32_t>((sample < 1 ? sample * 255 : 255) + kWholeNumbers - kWholeNumbers);
  }
}

UPBENCH_ALWAYS_INLINE void to_samples(const std::int32_t* levels, std::size_t count, float* samples) {
  for (std::size_t i = 0; i < count; ++i) samples[i] = static_cast<float>(levels[i]) / 255.0F;
}

UPBENCH_VECTOR_CLONES void round_samples(float* samples, std::size_t count) {
  std::int32_t levels[kLanes];
  for (std::size_t done = 0; done < count; done += kLanes) {
    const std::size_t part = std::min<std::size_t>(kLanes, count - done);
    to_levels(samples + done, part, levels);
    to_samples(levels, part, samples + done);
  }
}

struct FixedPointRoom {
  std::vector<std::int32_t> strip, interleaved, wide;
};

// Rows first, all of them; then the columns. kLanes rows at a time.
UPBENCH_VECTOR_CLONES void resize_plane_fixed_point(const float* in, std::size_t height, std::size_t width,
                                                    const Axis<std::int32_t>& vertical,
                                                    const Axis<std::int32_t>& horizontal,
                                                    FixedPointRoom& room, float* out) {
  const std::size_t out_width = horizontal.outputs();
  std::int32_t* const strip = room.strip.data();
  for (std::size_t top = 0; top < height; top += kLanes) {
    const std::size_t rows = std::min<std::size_t>(kLanes, height - top);
    std::int32_t* const wide = room.wide.data() + top * out_width;
    to_levels(in + top * width, rows * width, strip);
    resize_rows(strip, rows, width, horizontal, room.interleaved.data(), wide);
    fixed_point_to_levels(wide, rows * out_width);
  }
  for (std::size_t top = 0; top < vertical.outputs(); top += kLanes) {
    const std::size_t rows = std::min<std::size_t>(kLanes, vertical.outputs() - top);
    resize_columns(room.wide.data(), out_width, vertical, top, top + rows, strip);
    fixed_point_to_levels(strip, rows * out_width);
    to_samples(strip, rows * out_width, out + top * out_width);
  }
}

// Rounded half away from 0.
std::vector<std::int32_t> fixed_point(const std::vector<double>& weights) {
  std::vector<std::int32_t> fixed(weights.size());
  std::transform(weights.begin(), weights.end(), fixed.begin(), [](double weight) {
    return static_cast<std::int32_t>(weight * (1 << kFraction) + (weight < 0 ? -0.5 : 0.5));
  });
  return fixed;
}

}  // namespace

void resize_separable(const float* in, int planes, int height, int width, const AxisWeights& vertical,
                      const AxisWeights& horizontal, float* out) {
  const auto in_height = static_cast<std::size_t>(height), in_width = static_cast<std::size_t>(width);
  const auto down = converted<float>(vertical.weights), along = converted<float>(horizontal.weights);
  const Axis<float> rows{vertical, down.data()}, columns{horizontal, along.data()};
  std::vector<float> strip(in_width * kLanes), interleaved(in_width * kLanes);
  for (int plane = 0; plane < planes; ++plane) {
    if (picks(vertical, horizontal)) {
      pick_plane(in, in_width, vertical, horizontal, out);
    } else {
      resize_plane(in, in_width, rows, columns, strip.data(), interleaved.data(), out);
    }
    in += in_height * in_width;
    out += rows.outputs() * columns.outputs();
  }
}

void resize_separable_8_bit(const float* in, int planes, int height, int width, const AxisWeights& vertical,
                            const AxisWeights& horizontal, float* out) {
  const auto in_height = static_cast<std::size_t>(height), in_width = static_cast<std::size_t>(width);
  const Axis<double> rows{vertical, vertical.weights.data()}, columns{horizontal, horizontal.weights.data()};
  std::vector<double> levels(in_height * in_width), strip(in_width * kLanes), interleaved(in_width * kLanes),
      result(rows.outputs() * columns.outputs());
  for (int plane = 0; plane < planes; ++plane, in += levels.size(), out += result.size()) {
    std::transform(in, in + levels.size(), levels.begin(), [](float sample) { return double{sample} * 255; });
    round_to_levels(levels.data(), levels.size());
    resize_plane_of_levels(levels.data(), in_width, rows, columns, strip.data(), interleaved.data(),
                           result.data());
    std::transform(result.begin(), result.end(), out,
                   [](double level) { return static_cast<float>(level) / 255.0F; });
  }
}

void resize_fixed_point(const float* in, int planes, int height, int width, const AxisWeights& vertical,
                        const AxisWeights& horizontal, float* out) {
  const auto in_height = static_cast<std::size_t>(height), in_width = static_cast<std::size_t>(width);
  const auto down = fixed_point(vertical.weights), along = fixed_point(horizontal.weights);
  const Axis<std::int32_t> rows{vertical, down.data()}, columns{horizontal, along.data()};
  FixedPointRoom room;
  room.strip.resize(std::max(in_width, columns.outputs()) * kLanes);
  room.interleaved.resize(in_width * kLanes);
  room.wide.resize(in_height * columns.outputs());
  for (int plane = 0; plane < planes; ++plane) {
    if (picks(vertical, horizontal)) {
      pick_plane(in, in_width, vertical, horizontal, out);
      round_samples(out, rows.outputs() * columns.outputs());
    } else {
      resize_plane_fixed_point(in, in_height, in_width, rows, columns, room, out);
    }
    in += in_height * in_width;
    out += rows.outputs() * columns.outputs();
  }
}

}  // namespace upbench
