#include "datasets/degradation/noise.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <numbers>
#include <vector>

namespace upbench {
namespace {

// (0, 1], all 53 bits.
double uniform(procedural::Random& random) {
  return static_cast<double>((random.bits() >> 11U) + 1) * 0x1p-53;
}

// Natural logarithm by + - x / alone, to 1e-14: twice the area tangent of (m - 1) / (m + 1), m in [0.7, 1.4].
double logarithm(double value) {
  int exponent = 0;
  double mantissa = std::frexp(value, &exponent);
  if (mantissa < std::numbers::sqrt2 / 2) {
    mantissa *= 2;
    --exponent;
  }
  const double t = (mantissa - 1) / (mantissa + 1), square = t * t;
  double sum = 0;
  for (int power = 17; power >= 1; power -= 2) sum = sum * square + 1.0 / power;
  return exponent * std::numbers::ln2 + 2 * t * sum;
}

// Standard normal numbers, two at a time (G. E. P. Box, M. E. Muller, 1958).
class Normal {
 public:
  explicit Normal(procedural::Random random) : random_(random) {}

  float next() {
    if (has_second_) {
      has_second_ = false;
      return second_;
    }
    const auto radius = static_cast<float>(std::sqrt(-2 * logarithm(uniform(random_))));
    const float turn = random_.uniform();
    second_ = radius * procedural::wave(turn);
    has_second_ = true;
    return radius * procedural::wave(turn + 0.25F);
  }

 private:
  procedural::Random random_;
  float second_ = 0;
  bool has_second_ = false;
};

// Counts of a mean up to 256, by inverting the distribution.
class Poisson {
 public:
  Poisson() = default;
  explicit Poisson(double mean) {
    constexpr double kRest = 1e-13;  // of the probability, beyond the table
    double probability = std::exp(-mean), sum = probability;
    for (int count = 1; sum < 1 - kRest && count < 2000; ++count) {
      up_to_.push_back(sum);
      probability *= mean / count;
      sum += probability;
    }
  }
  int draw(procedural::Random& random) const {
    return static_cast<int>(std::ranges::lower_bound(up_to_, uniform(random)) - up_to_.begin());
  }

 private:
  std::vector<double> up_to_;  // up_to_[k]: the probability of at most k
};

std::uint8_t level(float sample) {
  return static_cast<std::uint8_t>(std::nearbyint((sample > 0 ? std::min(sample, 1.0F) : 0.0F) * 255));
}

std::vector<std::uint8_t> levels_of(const float* planes, std::size_t pixels, bool grey) {
  std::vector<std::uint8_t> levels(grey ? pixels : 3 * pixels);
  if (!grey) {
    std::transform(planes, planes + levels.size(), levels.begin(), level);
    return levels;
  }
  for (std::size_t i = 0; i < pixels; ++i)
    levels[i] = level(0.2989F * planes[i] + 0.587F * planes[pixels + i] + 0.114F * planes[2 * pixels + i]);
  return levels;
}

void add(float* planes, std::size_t pixels, std::size_t at, bool grey, float noise) {
  for (std::size_t channel = 0; channel < (grey ? 3U : 1U); ++channel) {
    float& sample = planes[at + channel * pixels];
    sample = std::clamp(sample + noise, 0.0F, 1.0F);
  }
}

}  // namespace

void add_gaussian_noise(float* planes, std::size_t pixels, double sigma, bool grey,
                        procedural::Random random) {
  Normal normal(random);
  const auto strength = static_cast<float>(sigma / 255);
  for (std::size_t i = 0; i < (grey ? pixels : 3 * pixels); ++i)
    add(planes, pixels, i, grey, normal.next() * strength);
}

void add_poisson_noise(float* planes, std::size_t pixels, double scale, bool grey,
                       procedural::Random random) {
  const std::vector<std::uint8_t> levels = levels_of(planes, pixels, grey);
  std::array<bool, 256> occurs{};
  for (const std::uint8_t value : levels) occurs[value] = true;
  const auto different = static_cast<std::uint32_t>(std::ranges::count(occurs, true));
  const double counts = std::bit_ceil(different);  // photons of white
  std::array<Poisson, 256> photons;
  for (std::size_t value = 0; value < 256; ++value)
    if (occurs[value]) photons[value] = Poisson(static_cast<double>(value) / 255 * counts);
  for (std::size_t i = 0; i < levels.size(); ++i) {
    const double noise = photons[levels[i]].draw(random) / counts - levels[i] / 255.0;
    add(planes, pixels, i, grey, static_cast<float>(noise * scale));
  }
}

}  // namespace upbench
