#include "harness/calibration/networks.h"

#include <algorithm>

#include <ATen/ATen.h>

#include "models/catalog.h"
#include "models/upscale.h"

namespace upbench {
namespace {

const Upscaler& network() {
  static const UpscalerPtr loaded = load_upscaler({.parts = {{"compact-x2", 1}}, .label = "compact-x2"}, {});
  return *loaded;
}

Image part_of(const Image& image, std::int64_t top, std::int64_t left, std::int64_t height,
              std::int64_t width) {
  return image.narrow(1, top, height).narrow(2, left, width).contiguous();
}

}  // namespace

Image calibration_network(const Image& input) {
  return upscale(network(), input, {}).image;
}

Image calibration_network_tiled(const Image& input, int context) {
  const std::int64_t height = input.size(1), width = input.size(2);
  Image output = at::empty({3, 2 * height, 2 * width}, at::kFloat);
  for (int row = 0; row < 3; ++row)
    for (int column = 0; column < 3; ++column) {
      const std::int64_t top = height * row / 3, bottom = height * (row + 1) / 3;
      const std::int64_t left = width * column / 3, right = width * (column + 1) / 3;
      const std::int64_t seen_top = std::max<std::int64_t>(0, top - context),
                         seen_left = std::max<std::int64_t>(0, left - context);
      const std::int64_t seen_bottom = std::min<std::int64_t>(height, bottom + context),
                         seen_right = std::min<std::int64_t>(width, right + context);
      const Image tile = calibration_network(
          part_of(input, seen_top, seen_left, seen_bottom - seen_top, seen_right - seen_left));
      output.narrow(1, 2 * top, 2 * (bottom - top))
          .narrow(2, 2 * left, 2 * (right - left))
          .copy_(part_of(tile, 2 * (top - seen_top), 2 * (left - seen_left), 2 * (bottom - top),
                         2 * (right - left)));
    }
  return output;
}

}  // namespace upbench
