#include "datasets/resampling/levels.h"

#include <algorithm>
#include <array>
#include <bit>

#include "datasets/vector_clones.h"
#include "datasets/wide_vectors.h"

// This file is built without contraction to fused multiply-add, so that every instruction set gives the same
// bits.
namespace upbench {
namespace {

UPBENCH_ALWAYS_INLINE std::uint8_t level_of(float sample) {
  constexpr float kWholeNumbers = 12582912;  // 1.5 x 2^23: float32 has no fractions there
  const float above = sample > 0 ? sample : 0, inside = above < 1 ? above : 1;
  return static_cast<std::uint8_t>(std::bit_cast<std::uint32_t>(inside * 255 + kWholeNumbers));
}

// 1/255 is the sum of all 2^(-8 i). A level times the first two is exact, times the rest far below the last
// bit: the sum is rounded as the quotient would be, without dividing.
UPBENCH_ALWAYS_INLINE constexpr float sample_of(float level) {
  constexpr float kFirst = 0x1p-8F + 0x1p-16F, kRest = 0x1p-24F + 0x1p-32F + 0x1p-40F;
  return level * kFirst + level * kRest;
}

constexpr bool every_level_is_the_quotient() {
  for (int level = 0; level <= 255; ++level)
    if (sample_of(static_cast<float>(level)) != static_cast<float>(level) / 255.0F) return false;
  return true;
}
static_assert(every_level_is_the_quotient());

}  // namespace

UPBENCH_VECTOR_CLONES void to_levels(const float* samples, std::size_t count, std::uint8_t* levels) {
  for (std::size_t i = 0; i < count; ++i) levels[i] = level_of(samples[i]);
}

UPBENCH_VECTOR_CLONES void to_samples(const std::uint8_t* levels, std::size_t count, float* samples) {
  for (std::size_t i = 0; i < count; ++i) samples[i] = sample_of(levels[i]);
}

void round_to_levels(float* samples, std::size_t count) {
  std::array<std::uint8_t, 1024> levels;
  for (std::size_t done = 0; done < count; done += levels.size()) {
    const std::size_t part = std::min(levels.size(), count - done);
    to_levels(samples + done, part, levels.data());
    to_samples(levels.data(), part, samples + done);
  }
}

}  // namespace upbench
