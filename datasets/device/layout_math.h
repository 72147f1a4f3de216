#pragma once

#include <cmath>
#include <cstdint>

#include "datasets/device/kernel_table.h"
#include "datasets/device/portable.h"

namespace upbench {

UPBENCH_HD std::int64_t offset_of(const PixelView& view, int channel, int y, int x) {
  return channel * view.channel_stride + y * view.row_stride + x * view.column_stride;
}

UPBENCH_HD std::int64_t offset_of(const BatchView& batch, int picture, int channel, int y, int x) {
  return picture * batch.picture_stride + offset_of(batch.first, channel, y, x);
}

// The quotient as IEEE 754 rounds it, not a product with a reciprocal: to_image's bits.
UPBENCH_HD float value_of_byte(std::uint8_t byte) {
  return static_cast<float>(byte) / 255.0F;
}

// Clamp, x 255, round half to even; NaN becomes 0 because fmax and fmin take the other argument.
UPBENCH_HD std::uint8_t byte_of_value(float value) {
  return static_cast<std::uint8_t>(rintf(fminf(fmaxf(value, 0.0F), 1.0F) * 255.0F));
}

UPBENCH_HD void pixel_to_float(const PixelView& bytes, const PixelView& values, int y, int x) {
  const auto* from = static_cast<const std::uint8_t*>(bytes.data);
  auto* to = static_cast<float*>(values.data);
  for (int c = 0; c < 3; ++c) to[offset_of(values, c, y, x)] = value_of_byte(from[offset_of(bytes, c, y, x)]);
}

UPBENCH_HD void pixel_to_bytes(const PixelView& values, const PixelView& bytes, int y, int x) {
  const auto* from = static_cast<const float*>(values.data);
  auto* to = static_cast<std::uint8_t*>(bytes.data);
  for (int c = 0; c < 3; ++c) to[offset_of(bytes, c, y, x)] = byte_of_value(from[offset_of(values, c, y, x)]);
}

}  // namespace upbench
