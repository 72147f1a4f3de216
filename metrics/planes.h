#pragma once

#include <array>
#include <cstddef>

#include "datasets/image_fwd.h"

namespace upbench {

// A picture's three float32 planes in CPU memory, values in [0, 1], pixels of a row adjacent. Borrowed: the
// tensor outlives it.
struct Planes {
  const float* data = nullptr;
  int width = 0, height = 0;
  std::ptrdiff_t row_stride = 0, channel_stride = 0;  // in floats

  const float* row(int channel, int y) const { return data + channel * channel_stride + y * row_stride; }
};

// image: on the CPU, adjacent pixels in memory (a border may have been cut from it). Throws
// std::invalid_argument otherwise.
Planes planes_of(const Image& image);

// One signal made of the three planes, in 8-bit code values: offset + sum of weight x (255 x plane).
// 255.0F x plane is exact for every 8-bit picture: float32(i / 255) x 255 rounds to i for i in 0..255.
struct Signal {
  std::array<double, 3> weights{};
  double offset = 0;
  bool operator==(const Signal&) const = default;
};

inline constexpr std::array<Signal, 3> kRgbSignals = {{{{1, 0, 0}}, {{0, 1, 0}}, {{0, 0, 1}}}};
// BT.601 limited range, 16..235, not rounded: 16 + 65.481 R + 128.553 G + 24.966 B of RGB in [0, 1] (MATLAB's
// rgb2ycbcr).
inline constexpr Signal kLumaSignal = {{65.481 / 255, 128.553 / 255, 24.966 / 255}, 16};

}  // namespace upbench
