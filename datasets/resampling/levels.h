#pragma once

#include <cstddef>
#include <cstdint>

namespace upbench {

// What a sample is in 8 bit: clamped to [0, 1] (NaN: 0), times 255, rounded half to even.
void to_levels(const float* samples, std::size_t count, std::uint8_t* levels);
// level / 255 in float32, correctly rounded.
void to_samples(const std::uint8_t* levels, std::size_t count, float* samples);
// Both, in place.
void round_to_levels(float* samples, std::size_t count);

}  // namespace upbench
