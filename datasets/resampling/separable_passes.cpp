#ifdef __x86_64__
#include <immintrin.h>
#endif

#include "datasets/resampling/pass_loops.h"
#include "datasets/resampling/passes_of_lanes.h"

UPBENCH_WIDE_VECTORS_BEGIN
namespace upbench::UPBENCH_PASSES_NAMESPACE {
namespace {

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

template <typename Vector, typename Real>
UPBENCH_ALWAYS_INLINE void load(const Real* from, Vector& to) {
  std::memcpy(&to, from, sizeof to);
}

// Outputs of two taps each, as pick_columns() but four at a time: the weights of four lie side by side.
// Returns how many outputs that were.
template <typename Real>
UPBENCH_ALWAYS_INLINE std::size_t pick_pairs(const Real* row, const WeightedAxis<Real>& axis, Real* out) {
  using Two [[gnu::vector_size(2 * sizeof(Real))]] = Real;
  using Four [[gnu::vector_size(4 * sizeof(Real))]] = Real;
  std::size_t o = 0;
  for (; o + 4 <= axis.outputs(); o += 4) {
    Two a, b, c, d;
    load(row + axis.first(o), a);
    load(row + axis.first(o + 1), b);
    load(row + axis.first(o + 2), c);
    load(row + axis.first(o + 3), d);
    Four ab_weights, cd_weights;
    load(axis.of(o), ab_weights);
    load(axis.of(o + 2), cd_weights);
    const Four ab = ab_weights * __builtin_shufflevector(a, b, 0, 1, 2, 3);
    const Four cd = cd_weights * __builtin_shufflevector(c, d, 0, 1, 2, 3);
    const Four sums =
        __builtin_shufflevector(ab, cd, 0, 2, 4, 6) + __builtin_shufflevector(ab, cd, 1, 3, 5, 7);
    std::memcpy(out + o, &sums, sizeof sums);
  }
  return o;
}

// One output at a time, straight from the row: nothing of the row is touched but what is needed.
template <typename Real, typename Taps>
UPBENCH_ALWAYS_INLINE void pick_each(const Real* row, const WeightedAxis<Real>& axis, Taps taps,
                                     std::size_t o, Real* out) {
  for (; o < axis.outputs(); ++o) {
    const Real* samples = row + axis.first(o);
    const Real* weights = axis.of(o);
    Real sum = 0;
    for (int k = 0; k < taps; ++k) sum += weights[k] * samples[k];
    out[o] = sum;
  }
}

template <typename Taps>
constexpr bool kTwoTaps = std::is_same_v<Taps, std::integral_constant<int, 2>>;

template <typename Real, typename Taps>
UPBENCH_ALWAYS_INLINE void pick_columns(const Real* row, const WeightedAxis<Real>& axis, Taps taps,
                                        Real* out) {
  std::size_t o = 0;
  if constexpr (kTwoTaps<Taps>) o = pick_pairs(row, axis, out);
  pick_each(row, axis, taps, o, out);
}

#ifdef UPBENCH_VECTOR_TARGET
using Samples = Lanes<float>::Values;
using Places [[gnu::vector_size(sizeof(Samples))]] = std::int32_t;
constexpr std::size_t kSamples = Lanes<float>::kEach;

// Of 2 kSamples numbers those at `places`.
UPBENCH_ALWAYS_INLINE void pick_lanes(const Samples& low, const Samples& high, const Places& places,
                                      Samples& picked) {
#if UPBENCH_VECTOR_TARGET == 16
  picked = (Samples)_mm512_permutex2var_ps((__m512)low, (__m512i)places, (__m512)high);
#else
  const __m256i at = (__m256i)places;
  const __m256 from_high = _mm256_castsi256_ps(_mm256_slli_epi32(at, 28));  // 8 and more: the sign is set
  picked = (Samples)_mm256_blendv_ps(_mm256_permutevar8x32_ps((__m256)low, at),
                                     _mm256_permutevar8x32_ps((__m256)high, at), from_high);
#endif
}

// Outputs of two taps each. What a vector of neighbouring outputs needs of an enlarged row lies within two
// vectors of samples, at places and with weights that are the same in all rows. (With four taps that is as
// fast as turning the rows around, with eight slower.) Returns how many outputs of each row that were.
UPBENCH_ALWAYS_INLINE std::size_t spread_pairs(const float* in, std::size_t rows, std::size_t width,
                                               const WeightedAxis<float>& axis, float* out) {
  constexpr int kTaps = 2;
  if (axis.outputs() < width || width < 2 * kSamples) return 0;
  std::size_t o = 0;
  for (; o + kSamples <= axis.outputs(); o += kSamples) {
    const std::size_t from = std::min(axis.first(o), width - 2 * kSamples);
    Places places[kTaps]{};
    Samples weights[kTaps]{};
    for (std::size_t i = 0; i < kSamples; ++i) {
      const std::size_t place = axis.first(o + i) - from;
      if (axis.first(o + i) < from || place + kTaps > 2 * kSamples) return o;
      for (int k = 0; k < kTaps; ++k) {
        places[k][i] = static_cast<std::int32_t>(place) + k;
        weights[k][i] = axis.of(o + i)[k];
      }
    }
    for (std::size_t row = 0; row < rows; ++row) {
      const float* const samples = in + row * width + from;
      Samples low, high, sum{};
      load(samples, low);
      load(samples + kSamples, high);
      for (int k = 0; k < kTaps; ++k) {
        Samples picked;
        pick_lanes(low, high, places[k], picked);
        sum += weights[k] * picked;
      }
      std::memcpy(out + row * axis.outputs() + o, &sum, sizeof sum);
    }
  }
  return o;
}
#endif

// kLanes rows side by side: `interleaved` gets sample x of all of them together.
template <typename Real, typename Taps>
UPBENCH_ALWAYS_INLINE void combine_columns(const Real* in, std::size_t rows, std::size_t width,
                                           const WeightedAxis<Real>& axis, Taps taps, Real* interleaved,
                                           Real* out) {
  transpose(in, width, rows, width, interleaved, kLanes);
  // A tile of results at a time: single samples written to kLanes rows would keep evicting each other from
  // the cache.
  for (std::size_t left = 0; left < axis.outputs(); left += kLanes) {
    const std::size_t wide = std::min(kLanes, axis.outputs() - left);
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
                                       const WeightedAxis<Real>& axis, Real* interleaved, Real* out) {
  // Turning the rows around costs about this many picks a sample.
  constexpr std::size_t kTurning = 2;
  const std::size_t picks = axis.outputs() * static_cast<std::size_t>(axis.layout.taps);
  with_taps(axis.layout.taps, [&](auto taps) UPBENCH_IN_PLACE {
#ifdef UPBENCH_VECTOR_TARGET
    if constexpr (kTwoTaps<decltype(taps)> && std::is_same_v<Real, float>) {
      if (const std::size_t done = spread_pairs(in, rows, width, axis, out); done > 0) {
        for (std::size_t row = 0; row < rows; ++row)
          pick_each(in + row * width, axis, taps, done, out + row * axis.outputs());
        return;
      }
    }
#endif
    if (axis.layout.taps == 1 || picks < kTurning * width) {
      for (std::size_t row = 0; row < rows; ++row)
        pick_columns(in + row * width, axis, taps, out + row * axis.outputs());
    } else {
      combine_columns(in, rows, width, axis, taps, interleaved, out);
    }
  });
}

template <typename Real>
UPBENCH_ALWAYS_INLINE void resize_columns(const Real* in, std::size_t width, const WeightedAxis<Real>& axis,
                                          std::size_t from, std::size_t to, Real* out) {
  with_taps(axis.layout.taps, [&](auto taps) UPBENCH_IN_PLACE {
    for (std::size_t o = from; o < to; ++o, out += width)
      combine_rows(in + axis.first(o) * width, width, axis.of(o), taps, out);
  });
}

// One plane: the columns of kLanes output rows at a time, which stay in the cache, and then those rows.
// `rounded` is called with every sample of a pass.
template <typename Real, typename Round>
UPBENCH_ALWAYS_INLINE void columns_then_rows(const Real* in, std::size_t width,
                                             const WeightedAxis<Real>& vertical,
                                             const WeightedAxis<Real>& horizontal, Real* strip,
                                             Real* interleaved, Real* out, Round round) {
  for (std::size_t top = 0; top < vertical.outputs(); top += kLanes) {
    const std::size_t rows = std::min(kLanes, vertical.outputs() - top);
    resize_columns(in, width, vertical, top, top + rows, strip);
    round(strip, rows * width);
    Real* const result = out + top * horizontal.outputs();
    resize_rows(strip, rows, width, horizontal, interleaved, result);
    round(result, rows * horizontal.outputs());
  }
}

UPBENCH_ALWAYS_INLINE void round_to_levels(double* samples, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) samples[i] = nearest_level(samples[i]);
}

}  // namespace

void plane(const float* in, std::size_t width, const WeightedAxis<float>& vertical,
           const WeightedAxis<float>& horizontal, float* strip, float* interleaved, float* out) {
  columns_then_rows(in, width, vertical, horizontal, strip, interleaved, out,
                    [](float*, std::size_t) UPBENCH_IN_PLACE {});
}

void plane_of_levels(const double* in, std::size_t width, const WeightedAxis<double>& vertical,
                     const WeightedAxis<double>& horizontal, double* strip, double* interleaved,
                     double* out) {
  columns_then_rows(in, width, vertical, horizontal, strip, interleaved, out,
                    [](double* samples, std::size_t count)
                        UPBENCH_IN_PLACE { round_to_levels(samples, count); });
}

}  // namespace upbench::UPBENCH_PASSES_NAMESPACE
UPBENCH_WIDE_VECTORS_END
