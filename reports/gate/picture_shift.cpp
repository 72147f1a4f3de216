#include "reports/gate/picture_shift.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <limits>

#include <fmt/format.h>

namespace upbench {
namespace {

constexpr int kMostSide = 1024, kMostSideOfSearch = 384, kWhole = 4, kRounds = 12;
constexpr double kMost = kWhole + 0.5, kStill = 1e-3;

using Weights = std::array<double, 4>;  // of the samples at -1, 0, 1, 2 around the position
using Taps = Weights (*)(double);

Weights linear(double t) {
  return {0, 1 - t, t, 0};
}

Weights cubic(double t) {  // Keys, a = -0.5
  return {((-t + 2) * t - 1) * t / 2, ((3 * t - 5) * t * t + 2) / 2, ((-3 * t + 4) * t + 1) * t / 2,
          (t - 1) * t * t / 2};
}

// One channel inside the margin; the source around it is there for every shift that is tried.
struct Window {
  int left, top, width, height, stride;
};

std::size_t place(std::ptrdiff_t x, std::ptrdiff_t y, std::ptrdiff_t width) {
  return static_cast<std::size_t>(y * width + x);
}

Window window_of(const PicturePlanes& planes, int most_side) {
  const int margin = std::min({8, planes.width / 4, planes.height / 4});
  const int width = std::min(planes.width - 2 * margin, most_side);
  const int height = std::min(planes.height - 2 * margin, most_side);
  return {(planes.width - width) / 2, (planes.height - height) / 2, width, height, planes.width};
}

std::vector<double> cut(const Window& window, std::span<const float> plane) {
  std::vector<double> values;
  for (int y = 0; y < window.height; ++y)
    for (int x = 0; x < window.width; ++x)
      values.push_back(plane[place(window.left + x, window.top + y, window.stride)]);
  return values;
}

// The window of `plane` moved right and down: the value at x is that of x - right. Beyond the border, the
// nearest pixel.
std::vector<double> moved(const Window& window, const PicturePlanes& planes, std::span<const float> plane,
                          double right, double down, Taps taps) {
  const int x0 = static_cast<int>(std::floor(-right)), y0 = static_cast<int>(std::floor(-down));
  const Weights across = taps(-right - x0), along = taps(-down - y0);
  const auto at = [&](int x, int y) -> double {
    return plane[place(std::clamp(x, 0, planes.width - 1), std::clamp(y, 0, planes.height - 1),
                       window.stride)];
  };
  std::vector<double> lines(place(0, window.height + 3, window.width));
  for (int y = 0; y < window.height + 3; ++y)
    for (int x = 0; x < window.width; ++x) {
      double sum = 0;
      for (int k = 0; k < 4; ++k)
        sum +=
            across[static_cast<std::size_t>(k)] * at(window.left + x + x0 + k - 1, window.top + y + y0 - 1);
      lines[place(x, y, window.width)] = sum;
    }
  std::vector<double> values(place(0, window.height, window.width));
  for (int y = 0; y < window.height; ++y)
    for (int x = 0; x < window.width; ++x) {
      double sum = 0;
      for (int k = 0; k < 4; ++k)
        sum += along[static_cast<std::size_t>(k)] * lines[place(x, y + k, window.width)];
      values[place(x, y, window.width)] = sum;
    }
  return values;
}

double squared(const std::vector<double>& first, const std::vector<double>& second) {
  double sum = 0;
  for (std::size_t i = 0; i < first.size(); ++i) sum += (first[i] - second[i]) * (first[i] - second[i]);
  return sum;
}

// The step of the shift that brings `warped` nearest to `now` to first order.
std::array<double, 2> least_squares_step(const Window& window, const std::vector<double>& warped,
                                         const std::vector<double>& now) {
  double xx = 0, xy = 0, yy = 0, xr = 0, yr = 0;
  for (int y = 1; y + 1 < window.height; ++y)
    for (int x = 1; x + 1 < window.width; ++x) {
      const std::size_t i = place(x, y, window.width);
      const auto row = static_cast<std::size_t>(window.width);
      const double gx = (warped[i + 1] - warped[i - 1]) / 2, gy = (warped[i + row] - warped[i - row]) / 2;
      const double left = warped[i] - now[i];
      xx += gx * gx;
      xy += gx * gy;
      yy += gy * gy;
      xr += gx * left;
      yr += gy * left;
    }
  const double determinant = xx * yy - xy * xy;
  if (determinant <= 1e-9 * xx * yy || xx == 0 || yy == 0) return {0, 0};
  return {(yy * xr - xy * yr) / determinant, (xx * yr - xy * xr) / determinant};
}

struct Shift {
  double right = 0, down = 0;
};

PicturePlanes luma_of(const PicturePlanes& planes) {
  PicturePlanes luma{.width = planes.width, .height = planes.height, .rgb = {}};
  for (std::size_t i = 0; i < planes.rgb[0].size(); ++i)
    luma.rgb[0].push_back(0.299f * planes.rgb[0][i] + 0.587f * planes.rgb[1][i] + 0.114f * planes.rgb[2][i]);
  return luma;
}

Shift best_whole(const PicturePlanes& luma, const PicturePlanes& now_luma) {
  const Window window = window_of(luma, kMostSideOfSearch);
  const std::vector<double> now = cut(window, now_luma.rgb[0]);
  Shift best;
  double least = std::numeric_limits<double>::infinity();
  for (int down = -kWhole; down <= kWhole; ++down)
    for (int right = -kWhole; right <= kWhole; ++right) {
      const double left = squared(moved(window, luma, luma.rgb[0], right, down, linear), now);
      if (left >= least) continue;
      least = left;
      best = {static_cast<double>(right), static_cast<double>(down)};
    }
  return best;
}

Shift refined(const Window& window, const PicturePlanes& luma, const std::vector<double>& now, Shift shift,
              Taps taps) {
  for (int round = 0; round < kRounds; ++round) {
    const auto [right, down] =
        least_squares_step(window, moved(window, luma, luma.rgb[0], shift.right, shift.down, taps), now);
    shift.right = std::clamp(shift.right + right, -kMost, kMost);
    shift.down = std::clamp(shift.down + down, -kMost, kMost);
    if (std::abs(right) + std::abs(down) < kStill) break;
  }
  return shift;
}

std::string shift_text(const Shift& shift) {
  std::string text;
  const auto add = [&](double by, const char* positive, const char* negative) {
    if (std::abs(by) >= 0.05)
      text += fmt::format("{}{:.2f} px {}", text.empty() ? "" : " and ", std::abs(by),
                          by > 0 ? positive : negative);
  };
  add(shift.right, "right", "left");
  add(shift.down, "down", "up");
  const auto half = [](double by) { return std::abs(std::abs(by) - 0.5) < 0.08; };
  const auto none = [](double by) { return std::abs(by) < 0.08; };
  const bool is_half = (half(shift.right) && (half(shift.down) || none(shift.down))) ||
                       (none(shift.right) && half(shift.down));
  return "shifted by " + (is_half ? "half a pixel: " : std::string()) + text;
}

}  // namespace

double squared_difference(std::span<const float> first, std::span<const float> second) {
  double sum = 0;
  for (std::size_t i = 0; i < first.size(); ++i) {
    const double d = first[i] - second[i];
    sum += d * d;
  }
  return sum;
}

PictureChange best_shift(const PicturePlanes& base, const PicturePlanes& now) {
  const Window window = window_of(base, kMostSide);
  const PicturePlanes luma = luma_of(base), now_luma = luma_of(now);
  const std::vector<double> target = cut(window, now_luma.rgb[0]);
  const Shift whole = best_whole(luma, now_luma);
  double difference = 0;
  for (int c = 0; c < 3; ++c) difference += squared(cut(window, base.rgb[c]), cut(window, now.rgb[c]));
  PictureChange best{.kind = PictureChange::Kind::shift, .explained = 0, .text = {}};
  if (difference == 0) return best;
  for (const Taps taps : {linear, cubic}) {
    const Shift shift = refined(window, luma, target, whole, taps);
    if (std::max(std::abs(shift.right), std::abs(shift.down)) < 0.05) continue;
    double left = 0;
    for (int c = 0; c < 3; ++c)
      left +=
          squared(moved(window, base, base.rgb[c], shift.right, shift.down, taps), cut(window, now.rgb[c]));
    if (1 - left / difference <= best.explained) continue;
    best.explained = 1 - left / difference;
    best.text = shift_text(shift);
    best.right = shift.right;
    best.down = shift.down;
  }
  return best;
}

}  // namespace upbench
