#ifdef __x86_64__
#include <immintrin.h>
#endif

#include "datasets/resampling/pass_loops.h"
#include "datasets/resampling/passes_of_lanes.h"

UPBENCH_WIDE_VECTORS_BEGIN
namespace upbench::UPBENCH_PASSES_NAMESPACE {
namespace {

using Level = std::uint8_t;
using FixedAxis = WeightedAxis<std::int32_t>;
constexpr std::int32_t kHalf = 1 << (kFractionBits - 1);

using Wide = Lanes<std::int32_t>;
using Values = Wide::Values;

// kEach levels as whole numbers, and whole numbers within [0, 255] as levels. (__builtin_convertvector takes
// the vectors apart; without a mask GCC 12 warns of its own headers.)
UPBENCH_ALWAYS_INLINE void widen(const Level* levels, Values& values) {
#if UPBENCH_VECTOR_TARGET == 16
  values =
      (Values)_mm512_maskz_cvtepu8_epi32(0xFFFF, _mm_loadu_si128(reinterpret_cast<const __m128i*>(levels)));
#elif UPBENCH_VECTOR_TARGET == 8
  values = (Values)_mm256_cvtepu8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(levels)));
#else
  for (std::size_t i = 0; i < Wide::kEach; ++i) values[i] = levels[i];
#endif
}

UPBENCH_ALWAYS_INLINE void narrow(const Values& values, Level* levels) {
#if UPBENCH_VECTOR_TARGET == 16
  _mm_storeu_si128(reinterpret_cast<__m128i*>(levels), _mm512_maskz_cvtepi32_epi8(0xFFFF, (__m512i)values));
#elif UPBENCH_VECTOR_TARGET == 8
  const __m128i low = _mm256_castsi256_si128((__m256i)values),
                high = _mm256_extracti128_si256((__m256i)values, 1);
  const __m128i words = _mm_packus_epi32(low, high);
  _mm_storel_epi64(reinterpret_cast<__m128i*>(levels), _mm_packus_epi16(words, words));
#else
  for (std::size_t i = 0; i < Wide::kEach; ++i) levels[i] = static_cast<Level>(values[i]);
#endif
}

// out[i] = sum over k of weights[k] * samples[k * stride + i], for kLanes neighbours.
template <typename Taps>
UPBENCH_ALWAYS_INLINE void combine_lanes(const Level* samples, std::size_t stride,
                                         const std::int32_t* weights, Taps taps, Level* out) {
  Wide sums;
  for (Values& values : sums.values) values += kHalf;
  for (int k = 0; k < taps; ++k, samples += stride) {
    for (std::size_t i = 0; i < Wide::kCount; ++i) {
      Values loaded;
      widen(samples + i * Wide::kEach, loaded);
      sums.values[i] += weights[k] * loaded;
    }
  }
  for (std::size_t i = 0; i < Wide::kCount; ++i) {
    Values levels = sums.values[i] >> kFractionBits;
    levels = levels < 0 ? Values{} : levels;
    levels = levels > 255 ? Values{} + 255 : levels;
    narrow(levels, out + i * Wide::kEach);
  }
}

// out[x] = sum over k of weights[k] * rows[k][x]
template <typename Taps>
UPBENCH_ALWAYS_INLINE void combine_rows(const Level* rows, std::size_t width, const std::int32_t* weights,
                                        Taps taps, Level* out) {
  std::size_t x = 0;
  for (; x + kLanes <= width; x += kLanes) combine_lanes(rows + x, width, weights, taps, out + x);
  for (; x < width; ++x) {
    std::int32_t sum = kHalf;
    for (int k = 0; k < taps; ++k) sum += weights[k] * rows[static_cast<std::size_t>(k) * width + x];
    out[x] = static_cast<Level>(std::clamp(sum >> kFractionBits, 0, 255));
  }
}

}  // namespace

void level_columns(const Level* in, std::size_t width, const FixedAxis& axis, std::size_t from,
                   std::size_t to, Level* out) {
  with_taps(axis.layout.taps, [&](auto taps) UPBENCH_IN_PLACE {
    for (std::size_t o = from; o < to; ++o, out += width)
      combine_rows(in + axis.first(o) * width, width, axis.of(o), taps, out);
  });
}

// `turned` gets column x of kLanes rows side by side.
void level_rows(const Level* in, std::size_t height, std::size_t width, const FixedAxis& axis, Level* turned,
                Level* out) {
  with_taps(axis.layout.taps, [&](auto taps) UPBENCH_IN_PLACE {
    for (std::size_t top = 0; top < height; top += kLanes) {
      const std::size_t rows = std::min(kLanes, height - top);
      transpose(in + top * width, width, rows, width, turned, kLanes);
      for (std::size_t left = 0; left < axis.outputs(); left += kLanes) {
        const std::size_t wide = std::min(kLanes, axis.outputs() - left);
        Level tile[kLanes][kLanes];
        for (std::size_t o = 0; o < wide; ++o)
          combine_lanes(turned + axis.first(left + o) * kLanes, kLanes, axis.of(left + o), taps, tile[o]);
        transpose(tile[0], kLanes, wide, rows, out + top * axis.outputs() + left, axis.outputs());
      }
    }
  });
}

}  // namespace upbench::UPBENCH_PASSES_NAMESPACE
UPBENCH_WIDE_VECTORS_END
