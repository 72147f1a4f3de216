#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "datasets/degradation/settings.h"
#include "datasets/digest.h"
#include "datasets/procedural/random.h"

namespace upbench {

struct BlurStep {
  BlurSettings kernel;
  double share = 1;  // see blur_kernel()
};

struct ResizeStep {
  enum class Base { current, result };
  Base base = Base::result;  // times the picture as it is, or times the size of the result; rounded down
  double factor = 1;
  std::string kernel;
  bool whole_levels = false;  // the picture has 8-bit levels, and a kernel that can works on them
};

struct NoiseStep {
  bool poisson = false;
  double strength = 0;  // sigma in levels of 255, or the scale of Poisson noise
  bool grey = false;
  procedural::Random random;  // its own stream
};

struct CompressStep {
  enum class Format { jpeg, webp };
  Format format = Format::jpeg;
  int quality = 0;
};

using DegradeStep = std::variant<BlurStep, ResizeStep, NoiseStep, CompressStep>;

// The random numbers of one picture: they depend on the seed and on its content alone, so that neither other
// pictures nor their order nor the settings' other numbers matter.
procedural::Random degradation_random(std::uint64_t seed, const Digest& content);

// Everything drawn; the picture itself is not needed for it.
std::vector<DegradeStep> degrade_steps(const DegradeSettings& settings, std::uint64_t seed,
                                       const Digest& content);

// The second-order chain of Real-ESRGAN (X. Wang, L. Xie, C. Dong, Y. Shan, 2021) with the ranges of
// options/train_realesrgan_x4plus.yml, at a severity in [0, 1]. All draws are made as for severity 1 and then
// scaled: variance of blurs, sigma and scale of noises, 100 - quality, the logarithm of resizing factors and
// the share of sinc filters are proportional to the severity. So one picture's ladder has the same noise
// pattern, kernel shapes, resize modes and order of steps on every rung; severity 0 is resizing alone.
std::vector<DegradeStep> real_esrgan_steps(double severity, const procedural::Random& random);

// torch-area, bilinear or bicubic-a75, each equally likely: the modes of torch's interpolate.
std::string drawn_resize_kernel(procedural::Random& random);

// "blur plateau 1.32x0.4 at 31 degrees beta 1.2 size 13; resize x0.41 bilinear; gaussian noise 12.3 grey;
// jpeg 71": what was drawn, for a record.
std::string describe(const std::vector<DegradeStep>& steps);

}  // namespace upbench
