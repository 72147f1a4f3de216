#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "datasets/resampling/vector_lanes.h"

// out[x * out_stride + y] = in[y * in_stride + x], square by square.
UPBENCH_WIDE_VECTORS_BEGIN
namespace upbench::UPBENCH_PASSES_NAMESPACE {

// A square of 4 x 4.
template <typename Real>
struct TransposedSquare {
  static constexpr std::size_t kSide = 4;

  UPBENCH_ALWAYS_INLINE static void turn(const Real* in, std::size_t in_stride, Real* out,
                                         std::size_t out_stride) {
    using Four [[gnu::vector_size(4 * sizeof(Real))]] = Real;
    Four a, b, c, d;
    std::memcpy(&a, in, sizeof a);
    std::memcpy(&b, in + in_stride, sizeof b);
    std::memcpy(&c, in + 2 * in_stride, sizeof c);
    std::memcpy(&d, in + 3 * in_stride, sizeof d);
    const Four ab_low = __builtin_shufflevector(a, b, 0, 4, 1, 5);
    const Four ab_high = __builtin_shufflevector(a, b, 2, 6, 3, 7);
    const Four cd_low = __builtin_shufflevector(c, d, 0, 4, 1, 5);
    const Four cd_high = __builtin_shufflevector(c, d, 2, 6, 3, 7);
    const Four turned[4] = {__builtin_shufflevector(ab_low, cd_low, 0, 1, 4, 5),
                            __builtin_shufflevector(ab_low, cd_low, 2, 3, 6, 7),
                            __builtin_shufflevector(ab_high, cd_high, 0, 1, 4, 5),
                            __builtin_shufflevector(ab_high, cd_high, 2, 3, 6, 7)};
    for (std::size_t i = 0; i < kSide; ++i) std::memcpy(out + i * out_stride, &turned[i], sizeof(Four));
  }
};

// A square of 16 x 16 bytes.
template <>
struct TransposedSquare<std::uint8_t> {
  static constexpr std::size_t kSide = 16;
  using Row [[gnu::vector_size(16)]] = std::uint8_t;

  // Row i interleaved with row i + 8, for every i: done four times, that turns the square.
  UPBENCH_ALWAYS_INLINE static void interleave(const Row (&from)[kSide], Row (&to)[kSide]) {
    for (std::size_t i = 0; i < kSide / 2; ++i) {
      to[2 * i] = __builtin_shufflevector(from[i], from[i + 8], 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6,
                                          22, 7, 23);
      to[2 * i + 1] = __builtin_shufflevector(from[i], from[i + 8], 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13,
                                              29, 14, 30, 15, 31);
    }
  }

  UPBENCH_ALWAYS_INLINE static void turn(const std::uint8_t* in, std::size_t in_stride, std::uint8_t* out,
                                         std::size_t out_stride) {
    Row a[kSide], b[kSide];
    for (std::size_t i = 0; i < kSide; ++i) std::memcpy(&a[i], in + i * in_stride, sizeof(Row));
    interleave(a, b);
    interleave(b, a);
    interleave(a, b);
    interleave(b, a);
    for (std::size_t i = 0; i < kSide; ++i) std::memcpy(out + i * out_stride, &a[i], sizeof(Row));
  }
};

template <typename Real>
UPBENCH_ALWAYS_INLINE void transpose(const Real* in, std::size_t in_stride, std::size_t rows,
                                     std::size_t columns, Real* out, std::size_t out_stride) {
  using Square = TransposedSquare<Real>;
  constexpr std::size_t kSide = Square::kSide;
  const auto plainly = [&](std::size_t top, std::size_t bottom, std::size_t left, std::size_t right)
                           UPBENCH_IN_PLACE {
                             for (std::size_t x = left; x < right; ++x)
                               for (std::size_t y = top; y < bottom; ++y)
                                 out[x * out_stride + y] = in[y * in_stride + x];
                           };
  const std::size_t whole_rows = rows / kSide * kSide, whole_columns = columns / kSide * kSide;
  for (std::size_t x = 0; x < whole_columns; x += kSide)
    for (std::size_t y = 0; y < whole_rows; y += kSide)
      Square::turn(in + y * in_stride + x, in_stride, out + x * out_stride + y, out_stride);
  plainly(0, whole_rows, whole_columns, columns);
  plainly(whole_rows, rows, 0, columns);
}

}  // namespace upbench::UPBENCH_PASSES_NAMESPACE
UPBENCH_WIDE_VECTORS_END
