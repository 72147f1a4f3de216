#include "tests/metrics/pictures.h"

#include <cstdlib>

#include <ATen/CPUGeneratorImpl.h>

#include "datasets/codec/decode.h"
#include "datasets/image.h"

namespace upbench::test {
namespace {

at::Tensor uniform(at::IntArrayRef shape, std::uint64_t seed) {
  return at::rand(shape, at::detail::createCPUGenerator(seed), at::kFloat);
}

}  // namespace

Image constant(int height, int width, double value) {
  return at::full({3, height, width}, value, at::kFloat);
}

Image textured(int height, int width, std::uint64_t seed) {
  const at::Tensor y = at::arange(height, at::kFloat).view({1, height, 1});
  const at::Tensor x = at::arange(width, at::kFloat).view({1, 1, width});
  const at::Tensor phase = at::arange(3, at::kFloat).view({3, 1, 1});
  const at::Tensor waves = at::sin(0.11 * x + phase) * at::cos(0.07 * y - phase);
  return quantized(0.5 + 0.4 * waves + 0.1 * (uniform({3, height, width}, seed) - 0.5));
}

Image noisy(const Image& image, double amplitude, std::uint64_t seed) {
  return quantized(image + (uniform(image.sizes(), seed) * 2 - 1) * (amplitude / 255));
}

Image read_picture(const std::filesystem::path& file) {
  return to_image(decode_file(file));
}

ScopedVariable::ScopedVariable(std::string name, const char* value) : name_(std::move(name)) {
  const char* before = std::getenv(name_.c_str());
  was_set_ = before != nullptr;
  if (before) before_ = before;
  value ? setenv(name_.c_str(), value, 1) : unsetenv(name_.c_str());
}

ScopedVariable::~ScopedVariable() {
  was_set_ ? setenv(name_.c_str(), before_.c_str(), 1) : unsetenv(name_.c_str());
}

}  // namespace upbench::test
