#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include <ATen/ATen.h>

#include "datasets/image_fwd.h"

namespace upbench::test {

Image constant(int height, int width, double value);

// Seeded 8-bit pictures: waves with noise, so that windows differ in mean and variance.
Image textured(int height, int width, std::uint64_t seed);

// image + uniform noise of +-amplitude 8-bit steps, rounded to 8 bit, clamped.
Image noisy(const Image& image, double amplitude, std::uint64_t seed);

Image read_picture(const std::filesystem::path& file);

// Sets a variable of the environment (nullptr: removes it), restores it at the end of the scope.
class ScopedVariable {
 public:
  ScopedVariable(std::string name, const char* value);
  ~ScopedVariable();
  ScopedVariable(const ScopedVariable&) = delete;
  ScopedVariable& operator=(const ScopedVariable&) = delete;

 private:
  std::string name_, before_;
  bool was_set_;
};

}  // namespace upbench::test
