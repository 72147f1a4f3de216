#include "reports/gate/picture_tone.h"

#include <algorithm>
#include <array>
#include <cmath>

#include <fmt/format.h>

namespace upbench {
namespace {

constexpr int kLevels = 256;

// Sums of the new values over the pixels whose base value is a level: what every tone curve is judged by.
struct Levels {
  std::array<double, kLevels> count{}, sum{};
  double squares = 0;

  void add(std::span<const float> base, std::span<const float> now) {
    for (std::size_t i = 0; i < base.size(); ++i) {
      const auto level = static_cast<std::size_t>(
          std::lround(std::clamp(base[i], 0.0f, 1.0f) * static_cast<float>(kLevels - 1)));
      count[level] += 1;
      sum[level] += now[i];
      squares += static_cast<double>(now[i]) * now[i];
    }
  }

  // Sum of squared differences to the curve.
  template <class Curve>
  double left(Curve curve) const {
    double total = squares;
    for (std::size_t level = 0; level < kLevels; ++level) {
      const double value = curve(static_cast<double>(level) / (kLevels - 1));
      total += count[level] * value * value - 2 * value * sum[level];
    }
    return std::max(total, 0.0);
  }
};

struct Line {
  double gain = 1, offset = 0;
};

// Least squares; what clipping does at both ends is part of the error.
Line best_line(const Levels& levels) {
  double n = 0, x = 0, y = 0, xx = 0, xy = 0;
  for (std::size_t level = 0; level < kLevels; ++level) {
    const double at = static_cast<double>(level) / (kLevels - 1);
    n += levels.count[level];
    x += levels.count[level] * at;
    y += levels.sum[level];
    xx += levels.count[level] * at * at;
    xy += levels.sum[level] * at;
  }
  const double spread = n * xx - x * x;
  if (spread <= 1e-12 * n * n) return {1, (y - x) / n};
  const double gain = (n * xy - x * y) / spread;
  return {gain, (y - gain * x) / n};
}

double error_of(const Levels& levels, const Line& line) {
  return levels.left([&](double at) { return std::clamp(line.gain * at + line.offset, 0.0, 1.0); });
}

double best_gamma(const Levels& levels) {
  constexpr int kSteps = 278;  // of half a percent: 1/4 to 4
  double best = 1, least = levels.left([](double at) { return at; });
  for (int step = -kSteps; step <= kSteps; ++step) {
    const double gamma = std::pow(1.005, step);
    const double error = levels.left([&](double at) { return std::pow(at, gamma); });
    if (error >= least) continue;
    least = error;
    best = gamma;
  }
  return best;
}

std::string line_text(const Line& line) {
  const auto is = [&](double gain, double offset) {
    return std::abs(line.gain - gain) < 0.015 && std::abs(line.offset - offset) < 0.01;
  };
  if (is(219.0 / 255, 16.0 / 255)) return "range: full written as limited (16..235)";
  if (is(255.0 / 219, -16.0 / 219)) return "range: limited (16..235) stretched to full";
  if (is(255.0 / 256, 0) || is(256.0 / 255, 0)) return "range: scaled by 255/256 or 256/255";
  return fmt::format("levels: {:.3f} times the base {} {:.1f} of 255", line.gain, line.offset < 0 ? "-" : "+",
                     std::abs(255 * line.offset));
}

}  // namespace

PictureChange best_tone(const PicturePlanes& base, const PicturePlanes& now, double difference) {
  Levels all;
  std::array<Levels, 3> each;
  for (std::size_t c = 0; c < 3; ++c) {
    all.add(base.rgb[c], now.rgb[c]);
    each[c].add(base.rgb[c], now.rgb[c]);
  }
  std::vector<PictureChange> fits;  // simplest first
  const auto add = [&](double left, std::string text) {
    fits.push_back(
        {.kind = PictureChange::Kind::tone, .explained = 1 - left / difference, .text = std::move(text)});
  };
  const double gamma = best_gamma(all);
  add(all.left([&](double at) { return std::pow(at, gamma); }), fmt::format("gamma {:.2f}", gamma));
  const Line line = best_line(all);
  add(error_of(all, line), line_text(line));
  double left = 0;
  std::string text = "colour balance:";
  for (std::size_t c = 0; c < 3; ++c) {
    const Line own = best_line(each[c]);
    left += error_of(each[c], own);
    text += fmt::format("{} {} {:.3f} times {} {:.1f}", c > 0 ? "," : "", "RGB"[c], own.gain,
                        own.offset < 0 ? "-" : "+", std::abs(255 * own.offset));
  }
  add(left, text + " of 255");
  const double most = std::ranges::max(fits, {}, &PictureChange::explained).explained;
  return *std::ranges::find_if(fits, [&](const PictureChange& fit) { return fit.explained > most - 0.02; });
}

}  // namespace upbench
