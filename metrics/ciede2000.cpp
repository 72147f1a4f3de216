#include "metrics/ciede2000.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <numbers>

#include "metrics/entries.h"
#include "metrics/planes.h"

namespace upbench {
namespace {

constexpr double kPi = std::numbers::pi;

double linear_of(double value) {
  return value <= 0.04045 ? value / 12.92 : std::pow((value + 0.055) / 1.055, 2.4);
}

// The cube root with its straight part near black (CIE 15).
double lab_curve(double ratio) {
  return ratio > 0.008856 ? std::cbrt(ratio) : 7.787 * ratio + 16.0 / 116;
}

double degrees(double angle) {
  return angle * kPi / 180;
}

struct Chroma {
  double chroma, hue;  // hue in [0, 2 pi)
};

Chroma polar(double a, double b) {
  const double hue = a == 0 && b == 0 ? 0 : std::atan2(b, a);
  return {std::hypot(a, b), hue < 0 ? hue + 2 * kPi : hue};
}

// How much of the chroma the blue region's terms see: sqrt(C^7 / (C^7 + 25^7)).
double high_chroma(double chroma) {
  const double seventh = std::pow(chroma, 7);
  return std::sqrt(seventh / (seventh + 6103515625.0));
}

// Over the shorter way round the circle.
double mean_hue(const Chroma& first, const Chroma& second) {
  const double sum = first.hue + second.hue;
  if (first.chroma * second.chroma == 0) return sum;
  if (std::abs(first.hue - second.hue) <= kPi) return sum / 2;
  return (sum < 2 * kPi ? sum + 2 * kPi : sum - 2 * kPi) / 2;
}

double hue_difference(const Chroma& first, const Chroma& second) {
  double turn = second.hue - first.hue;
  if (turn > kPi) turn -= 2 * kPi;
  if (turn < -kPi) turn += 2 * kPi;
  return 2 * std::sqrt(first.chroma * second.chroma) * std::sin(turn / 2);
}

// Linear light of the 8-bit levels; other values are computed.
const std::array<double, 256>& linear_levels() {
  static const auto table = [] {
    std::array<double, 256> levels{};
    for (int i = 0; i < 256; ++i) levels[i] = linear_of(i / 255.0);
    return levels;
  }();
  return table;
}

double linear_light(float value) {
  const float level = value * 255.0F;
  const auto index = static_cast<int>(level);
  return static_cast<float>(index) == level && index >= 0 && index < 256 ? linear_levels()[index]
                                                                         : linear_of(value);
}

Lab lab_of_linear(double red, double green, double blue) {
  const double x = lab_curve((0.412453 * red + 0.357580 * green + 0.180423 * blue) / 0.95047);
  const double y = lab_curve(0.212671 * red + 0.715160 * green + 0.072169 * blue);
  const double z = lab_curve((0.019334 * red + 0.119193 * green + 0.950227 * blue) / 1.08883);
  return {116 * y - 16, 500 * (x - y), 200 * (y - z)};
}

struct Rgb {
  float red, green, blue;
  bool operator==(const Rgb&) const = default;
};

Lab lab_of(const Rgb& colour) {
  return lab_of_linear(linear_light(colour.red), linear_light(colour.green), linear_light(colour.blue));
}

Score score(const Image& output, const Image& reference) {
  const Planes first = planes_of(output), second = planes_of(reference);
  double sum = 0;
  for (int y = 0; y < first.height; ++y) {
    const auto colour = [y](const Planes& planes, int x) {
      return Rgb{planes.row(0, y)[x], planes.row(1, y)[x], planes.row(2, y)[x]};
    };
    for (int x = 0; x < first.width; ++x) {
      const Rgb one = colour(first, x), other = colour(second, x);
      if (one != other) sum += ciede2000_difference(lab_of(one), lab_of(other));
    }
  }
  return {.value = sum / (static_cast<double>(first.width) * first.height)};
}

}  // namespace

Lab lab_of_srgb(double red, double green, double blue) {
  return lab_of_linear(linear_of(red), linear_of(green), linear_of(blue));
}

double ciede2000_difference(const Lab& first, const Lab& second) {
  const double stretch =
      1.5 - 0.5 * high_chroma((std::hypot(first.a, first.b) + std::hypot(second.a, second.b)) / 2);
  const Chroma one = polar(first.a * stretch, first.b), other = polar(second.a * stretch, second.b);
  const double lightness = (first.lightness + second.lightness) / 2 - 50;
  const double chroma = (one.chroma + other.chroma) / 2, hue = mean_hue(one, other);
  const double weight = 1 - 0.17 * std::cos(hue - degrees(30)) + 0.24 * std::cos(2 * hue) +
                        0.32 * std::cos(3 * hue + degrees(6)) - 0.20 * std::cos(4 * hue - degrees(63));
  const double scale_of_lightness = 1 + 0.015 * lightness * lightness / std::sqrt(20 + lightness * lightness);
  const double by_lightness = (second.lightness - first.lightness) / scale_of_lightness;
  const double by_chroma = (other.chroma - one.chroma) / (1 + 0.045 * chroma);
  const double by_hue = hue_difference(one, other) / (1 + 0.015 * chroma * weight);
  const double blueness = (hue * 180 / kPi - 275) / 25;
  const double rotation =
      -2 * high_chroma(chroma) * std::sin(2 * degrees(30) * std::exp(-blueness * blueness));
  const double squared =
      by_lightness * by_lightness + by_chroma * by_chroma + by_hue * by_hue + rotation * by_chroma * by_hue;
  return std::sqrt(std::max(squared, 0.0));
}

Metric ciede2000() {
  return {.name = "ciede2000",
          .unit = "DeltaE",
          .convention = "mean CIEDE2000 over pixels, kL = kC = kH = 1; sRGB, D65, 2 degree observer",
          .better = Better::lower,
          .decimals = 3,
          .make = [](std::string&) { return score; }};
}

}  // namespace upbench
