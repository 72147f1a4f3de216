#include "models/diffusion/tiled/box_blur.h"

#include <algorithm>
#include <cmath>
#include <vector>

namespace upbench {
namespace {

constexpr int kPasses = 3;
constexpr std::uint32_t kOne = 1U << 24;  // of the weights

// Half the length of each box, with a fraction, so that the variances of all passes add up (in single
// precision, as there).
float box_radius(double deviation) {
  const float variance = static_cast<float>(deviation * deviation) / kPasses;
  const float length = static_cast<float>(std::sqrt(12.0 * variance + 1.0));
  const float whole = static_cast<float>(std::floor((length - 1.0) / 2.0));
  float part = (2 * whole + 1) * (whole * (whole + 1) - 3 * variance);
  part /= 6 * (variance - (whole + 1) * (whole + 1));
  return whole + part;
}

// One pass along `count` levels that lie `stride` apart; line is of the same length.
void box_pass(std::uint8_t* levels, int count, std::ptrdiff_t stride, float radius,
              std::vector<std::uint8_t>& line) {
  const auto inner = static_cast<std::uint32_t>(static_cast<float>(kOne) / (radius * 2 + 1));
  const int whole = static_cast<int>(radius);
  const std::uint32_t outer = (kOne - static_cast<std::uint32_t>(whole * 2 + 1) * inner) / 2;
  for (int i = 0; i < count; ++i) line[static_cast<std::size_t>(i)] = levels[i * stride];
  const auto at = [&](int i) {
    return std::uint32_t{line[static_cast<std::size_t>(std::clamp(i, 0, count - 1))]};
  };
  std::uint32_t sum = 0;
  for (int i = -whole; i <= whole; ++i) sum += at(i);
  for (int i = 0; i < count; ++i) {
    const std::uint32_t weighted = sum * inner + (at(i - whole - 1) + at(i + whole + 1)) * outer;
    levels[i * stride] = static_cast<std::uint8_t>((weighted + kOne / 2) >> 24);
    sum += at(i + whole + 1) - at(i - whole);
  }
}

}  // namespace

void pillow_gaussian_blur(std::uint8_t* levels, int width, int height, double deviation) {
  const float radius = box_radius(deviation);
  std::vector<std::uint8_t> line(static_cast<std::size_t>(std::max(width, height)));
  for (int y = 0; y < height; ++y)
    for (int pass = 0; pass < kPasses; ++pass)
      box_pass(levels + static_cast<std::ptrdiff_t>(y) * width, width, 1, radius, line);
  for (int x = 0; x < width; ++x)
    for (int pass = 0; pass < kPasses; ++pass) box_pass(levels + x, height, width, radius, line);
}

int pillow_gaussian_reach(double deviation) {
  return kPasses * (static_cast<int>(box_radius(deviation)) + 1);
}

}  // namespace upbench
