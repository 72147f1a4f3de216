#pragma once

#include <cmath>
#include <cstddef>
#include <cstring>
#include <utility>

#include "datasets/wide_vectors.h"
#include "models/networks/fused.h"

// What the kernels of this folder are written in: channels side by side, as many at a time as a vector holds;
// kernels.cpp calls those that the processor has.
#if UPBENCH_LANES == 16
#define UPBENCH_LANES_NAMESPACE lanes16
#else
#define UPBENCH_LANES_NAMESPACE lanes8
#endif

UPBENCH_WIDE_VECTORS_BEGIN
namespace upbench::UPBENCH_LANES_NAMESPACE {

inline constexpr std::int64_t kLanes = UPBENCH_LANES;
using Lanes [[gnu::vector_size(kLanes * sizeof(float))]] = float;
using LaneBits [[gnu::vector_size(kLanes * sizeof(std::int32_t))]] = std::int32_t;

UPBENCH_ALWAYS_INLINE void load(const float* from, Lanes& to) {
  std::memcpy(&to, from, sizeof to);
}

UPBENCH_ALWAYS_INLINE void store(const Lanes& from, float* to) {
  std::memcpy(to, &from, sizeof from);
}

// body(0), ... body(count - 1), where each number is a constant: what `body` keeps in arrays stays in
// registers.
template <typename Body, std::size_t... Index>
UPBENCH_ALWAYS_INLINE void repeat(std::index_sequence<Index...>, const Body& body) {
  (body(std::integral_constant<std::size_t, Index>()), ...);
}
template <std::size_t kCount, typename Body>
UPBENCH_ALWAYS_INLINE void repeat(const Body& body) {
  repeat(std::make_index_sequence<kCount>(), body);
}

// e^x to two units in the last place; x outside [-87, 87] as its limit.
UPBENCH_ALWAYS_INLINE void exponential(Lanes& x) {
  x = x > 87.0F ? Lanes{} + 87.0F : x;
  x = x < -87.0F ? Lanes{} - 87.0F : x;
  // x = n ln 2 + r, |r| <= ln 2 / 2; adding 1.5 * 2^23 rounds to an integer.
  const Lanes shifted = x * 1.44269504F + 12582912.0F, n = shifted - 12582912.0F;
  const Lanes r = (x - n * 0.693359375F) + n * 2.12194440e-4F;
  const Lanes series =
      1 + r * (1 + r * (0.5F +
                        r * (1.6666667e-1F + r * (4.1666667e-2F + r * (8.3333333e-3F + r * 1.3888889e-3F)))));
  LaneBits power;
  std::memcpy(&power, &shifted, sizeof power);
  power = (power - 0x4B400000 + 127) << 23;
  Lanes scale;
  std::memcpy(&scale, &power, sizeof scale);
  x = series * scale;
}

UPBENCH_ALWAYS_INLINE void sigmoid(Lanes& x) {
  x = -x;
  exponential(x);
  x = 1 / (1 + x);
}

// x times the normal distribution's integral; erf by Abramowitz and Stegun 7.1.26, to 1.5e-7.
UPBENCH_ALWAYS_INLINE void gelu(Lanes& x) {
  const Lanes scaled = x * 0.70710678F, size = scaled < 0 ? -scaled : scaled;
  Lanes tail = -size * size;
  exponential(tail);
  const Lanes t = 1 / (1 + 0.3275911F * size);
  tail *=
      t * (0.254829592F + t * (-0.284496736F + t * (1.421413741F + t * (-1.453152027F + t * 1.061405429F))));
  const Lanes erf = scaled < 0 ? tail - 1 : 1 - tail;
  x = 0.5F * x * (1 + erf);
}

UPBENCH_ALWAYS_INLINE void activate(const Activation& activation, Lanes& x) {
  switch (activation.kind) {
    case Activation::Kind::none:
      break;
    case Activation::Kind::relu:
      x = x < 0 ? Lanes{} : x;  // what is no number stays so
      break;
    case Activation::Kind::leaky_relu:
      x = x > 0 ? x : x * static_cast<float>(activation.slope);
      break;
    case Activation::Kind::gelu:
      gelu(x);
      break;
    case Activation::Kind::silu: {
      Lanes weight = x;
      sigmoid(weight);
      x *= weight;
      break;
    }
    case Activation::Kind::sigmoid:
      sigmoid(x);
      break;
  }
}

}  // namespace upbench::UPBENCH_LANES_NAMESPACE
UPBENCH_WIDE_VECTORS_END
