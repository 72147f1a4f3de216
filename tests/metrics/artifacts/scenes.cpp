#include "tests/metrics/artifacts/scenes.h"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>

#include "datasets/image.h"
#include "metrics/artifacts/catalog.h"

namespace upbench::test {
namespace {

at::Generator generator(std::uint64_t seed) {
  return at::detail::createCPUGenerator(seed);
}

at::Tensor convolved(const at::Tensor& planes, const at::Tensor& row) {
  const auto radius = row.size(0) / 2;
  at::Tensor x = at::reflection_pad2d(planes.unsqueeze(1), {radius, radius, radius, radius});
  x = at::conv2d(x, row.view({1, 1, 1, -1}));
  return at::conv2d(x, row.view({1, 1, -1, 1})).squeeze(1);
}

}  // namespace

Image low_passed(const Image& image, double sigma) {
  const auto radius = static_cast<std::int64_t>(3 * sigma + 1);
  const at::Tensor x = at::arange(-radius, radius + 1, at::kFloat);
  at::Tensor row = at::exp(-x * x / (2 * sigma * sigma));
  return convolved(image, row / row.sum());
}

Image grey_noise(const Image& like, double levels, std::uint64_t seed) {
  return at::randn({1, like.size(1), like.size(2)}, generator(seed), at::kFloat) * (levels / 255);
}

Image scene(int height, int width, std::uint64_t seed) {
  const at::Tensor y = at::arange(height, at::kFloat).view({1, height, 1}),
                   x = at::arange(width, at::kFloat).view({1, 1, width});
  at::Tensor picture = 0.45 + 0.15 * at::sin(x * 0.031 + 0.4) * at::cos(y * 0.023);
  const at::Tensor at_random = at::rand({12, 6}, generator(seed), at::kFloat);
  for (int i = 0; i < 12; ++i) {
    const auto value = [&](int k) { return at_random[i][k].item<double>(); };
    const double radius = 8 + 0.18 * value(2) * std::min(height, width);
    const at::Tensor inside =
        ((x - value(0) * width).square() + (y - value(1) * height).square() < radius * radius).to(at::kFloat);
    const at::Tensor colour = at_random[i].slice(0, 3, 6).view({3, 1, 1}) * 0.8 + 0.1;
    picture = picture * (1 - inside) + colour * inside;
  }
  const Image soft = low_passed(picture.expand({3, height, width}).contiguous(), 0.7);
  return quantized(soft + low_passed(grey_noise(soft, 6, seed + 1), 0.8));
}

Image letters(int rows, int columns) {
  Image page = at::full({3, rows * 24, columns * 20}, 0.92, at::kFloat);
  for (int row = 0; row < rows; ++row)
    for (int column = 0; column < columns; ++column) {
      const int x = column * 20 + 5, y = row * 24 + 5;
      const auto ink = [&](int left, int top, int width, int height) {
        part(page, x + left, y + top, width, height).fill_(0.1);
      };
      ink(0, 0, 2, 14);  // an upright stroke,
      ink(0, 0, 10, 2);  // and with three more a letter with one hole
      ink(8, 0, 2, 8);
      ink(0, 6, 10, 2);
    }
  return quantized(page);
}

Image reduced(const Image& image, int factor) {
  return quantized(at::avg_pool2d(image.unsqueeze(0), factor).squeeze(0));
}

Image part(const Image& image, int x, int y, int width, int height) {
  return image.slice(1, y, y + height).slice(2, x, x + width);
}

Detection found_by(const char* detector, const Subject& subject) {
  return detect(subject, *find_detector(detector));
}

double value_of(const char* detector, const Image& output, const Image& reference) {
  return found_by(detector, {.output = &output, .reference = &reference}).value;
}

}  // namespace upbench::test
