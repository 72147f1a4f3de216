#include "harness/calibration/networks.h"

#include <algorithm>

#include <ATen/ATen.h>

#include "models/catalog.h"
#include "models/upscale.h"

namespace upbench {
namespace {

const Upscaler& network(int scale) {
  static const auto load = [](const char* name) {
    return load_upscaler({.parts = {{name, 1}}, .label = name}, {});
  };
  static const UpscalerPtr twice = load("compact-x2"), four_times = load("compact-x4");
  return scale == 4 ? *four_times : *twice;
}

Image part_of(const Image& image, std::int64_t top, std::int64_t left, std::int64_t height,
              std::int64_t width) {
  return image.narrow(1, top, height).narrow(2, left, width).contiguous();
}

}  // namespace

Image calibration_network(const Image& input, int scale) {
  return upscale(network(scale), input, {}).image;
}

Image calibration_network_tiled(const Image& input, int scale, int context) {
  const std::int64_t height = input.size(1), width = input.size(2);
  Image output = at::empty({3, scale * height, scale * width}, at::kFloat);
  for (int row = 0; row < 3; ++row)
    for (int column = 0; column < 3; ++column) {
      const std::int64_t top = height * row / 3, bottom = height * (row + 1) / 3;
      const std::int64_t left = width * column / 3, right = width * (column + 1) / 3;
      const std::int64_t seen_top = std::max<std::int64_t>(0, top - context),
                         seen_left = std::max<std::int64_t>(0, left - context);
      const std::int64_t seen_bottom = std::min<std::int64_t>(height, bottom + context),
                         seen_right = std::min<std::int64_t>(width, right + context);
      const Image tile = calibration_network(
          part_of(input, seen_top, seen_left, seen_bottom - seen_top, seen_right - seen_left), scale);
      output.narrow(1, scale * top, scale * (bottom - top))
          .narrow(2, scale * left, scale * (right - left))
          .copy_(part_of(tile, scale * (top - seen_top), scale * (left - seen_left), scale * (bottom - top),
                         scale * (right - left)));
    }
  return output;
}

}  // namespace upbench
