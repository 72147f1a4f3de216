// The defects that thresholds are set on.
#include "harness/calibration/injectors.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

#include <ATen/ATen.h>
#include <opencv2/core.hpp>
#include <opencv2/imgproc.hpp>

#include "datasets/degradation/compress.h"
#include "datasets/image.h"
#include "harness/calibration/pixels.h"

namespace upbench {
namespace {

constexpr double kLevel = 1.0 / 255;

double sign(Random& random) {
  return random.uniform() < 0.5 ? -1 : 1;
}

// Tiles that differ in tone: neighbours by `levels`, as each is computed by itself.
void step_between_tiles(CalibrationCase& subject, double levels, Random& random) {
  const std::int64_t height = subject.output.size(1), width = subject.output.size(2);
  const double first = sign(random);
  for (int row = 0; row < 3; ++row)
    for (int column = 0; column < 3; ++column)
      subject.output.narrow(1, height * row / 3, height * (row + 1) / 3 - height * row / 3)
          .narrow(2, width * column / 3, width * (column + 1) / 3 - width * column / 3)
          .add_(((row + column) % 2 == 0 ? first : -first) * levels / 2 * kLevel);
}

// Unsharp mask of sigma 1.5: an edge overshoots by half of its height times the amount, at most.
void unsharp(CalibrationCase& subject, double percent, Random&) {
  subject.output.add_(subject.output - blurred(subject.output, 1.5), percent / 50);
}

// Waves of 5 px that die out within a few pixels of each edge; `percent`: of a straight edge's height, at
// most, 3 px and more beside it.
void let_edges_ring(CalibrationCase& subject, double percent, Random&) {
  constexpr double kPeriod = 5, kDecay = 4;
  subject.output.add_(filtered(subject.output, ringing_kernel([](double r) {
                                 return std::cos(2 * std::numbers::pi * r / kPeriod) * std::exp(-r / kDecay);
                               })),
                      percent / 100);
}

// Stripes and blobs of one to three pixels that no input has, in an area of a sixth to a third of the side.
void invent_texture(CalibrationCase& subject, double levels, Random& random) {
  const Rectangle where = random_rectangle(subject.output, 0.3, 0.5, random);
  const Image noise = normal_noise(subject.output, random, true);
  Image band = blurred(noise, 0.8) - blurred(noise, 2.0);
  band = band / band.std();
  subject.output.add_(band * soft_mask(subject.output, where), levels * kLevel);
}

// A smooth wave moves the content by at most so many pixels, as a diffusion pass does.
void wave(CalibrationCase& subject, double pixels, Random& random) {
  const double right = 2 * std::numbers::pi * random.uniform(),
               down = 2 * std::numbers::pi * random.uniform();
  const double turn = 2 * std::numbers::pi * 1.5 / static_cast<double>(subject.output.size(2));
  subject.output = warped(subject.output, [&](int x, int y) {
    return cv::Point2f(static_cast<float>(pixels * std::sin(turn * y + right)),
                       static_cast<float>(pixels * std::sin(turn * x + down)));
  });
}

// Red up and blue down, or the reverse; one level is about 0.4 DeltaE in mid tones.
void cast(CalibrationCase& subject, double levels, Random& random) {
  const double by = sign(random) * levels * kLevel;
  subject.output[0].add_(by);
  subject.output[2].sub_(by);
}

void soften(CalibrationCase& subject, double sigma, Random&) {
  subject.output = blurred(subject.output, sigma);
}

void leave_noise(CalibrationCase& subject, double levels, Random& random) {
  subject.output.add_(normal_noise(subject.output, random, false), levels * kLevel);
}

// Smooth areas in few levels, as too few bits leave them: each channel rounded after noise is taken out.
void round_levels(CalibrationCase& subject, double step, Random&) {
  const Image smooth = blurred(subject.output, 2.0);
  const Image detail = subject.output - smooth;
  const Image few = (smooth * 255 / step).round() * (step / 255);
  subject.output = at::where(detail.abs().amax(0, true) < 2 * kLevel, few, subject.output);
}

void compress(CalibrationCase& subject, double quality, Random&) {
  subject.output = to_image(through_jpeg(to_raster(subject.output), static_cast<int>(std::lround(quality))));
}

Image tile_of(Image& image, double share, Random& random, Rectangle* where = nullptr) {
  Rectangle rectangle = random_rectangle(image, share, share, random);
  if (where) *where = rectangle;
  return cut(image, rectangle);
}

// One tile black, constant, NaN, or a copy of another place.
void break_tile(CalibrationCase& subject, double share, Random& random) {
  Rectangle where;
  Image tile = tile_of(subject.output, share, random, &where);
  switch (random.below(4)) {
    case 0:
      tile.zero_();
      break;
    case 1:
      tile.copy_(tile.mean(at::IntArrayRef{1, 2}, true).expand_as(tile));
      break;
    case 2:
      tile.fill_(std::numeric_limits<float>::quiet_NaN());
      break;
    default: {
      const auto half = static_cast<int>(subject.output.size(2)) / 2;
      const Rectangle from{
          where.x < half ? where.x + half - where.width / 2 : where.x - half + where.width / 2, where.y,
          where.width, where.height};
      Rectangle inside = from;
      inside.x = std::clamp(inside.x, 0, static_cast<int>(subject.output.size(2)) - where.width);
      tile.copy_(cut(subject.output, inside).clone());
    }
  }
}

// Strokes closed by so many pixels: holes fill, gaps join.
void thicken_strokes(CalibrationCase& subject, double pixels, Random& random) {
  const int side = 2 * static_cast<int>(std::lround(pixels)) + 1;
  const cv::Mat window = cv::getStructuringElement(cv::MORPH_ELLIPSE, {side, side});
  const bool dark = random.uniform() < 0.5;
  subject.output = per_plane(subject.output, [&](const cv::Mat& from, cv::Mat& to) {
    cv::morphologyEx(from, to, dark ? cv::MORPH_OPEN : cv::MORPH_CLOSE, window);
  });
}

}  // namespace

const std::vector<Injector>& first_injectors() {
  static const std::vector<Injector> all = {
      {"seam", "tone step between tiles", "levels of 255", {2, 6, 16}, step_between_tiles, ""},
      {"halo", "unsharp mask, sigma 1.5 px", "% of edge height", {8, 20, 50}, unsharp, ""},
      {"ringing", "damped waves of 5 px", "% of edge height", {3, 8, 20}, let_edges_ring, ""},
      {"hallucination",
       "invented texture of 1 to 3 px",
       "levels of 255, RMS",
       {6, 14, 30},
       invent_texture,
       ""},
      {"drift", "smooth wave", "px", {0.7, 2, 5}, wave, ""},
      {"colour-shift", "cast between red and blue", "levels of 255", {3, 8, 20}, cast, ""},
      {"texture-loss", "Gaussian blur", "px, sigma", {0.8, 1.6, 3}, soften, ""},
      {"noise-residue", "white noise", "levels of 255, sigma", {3, 8, 20}, leave_noise, ""},
      {"banding",
       "smooth areas in fewer levels",
       "levels of 255 a step",
       {4, 8, 16},
       round_levels,
       "smooth-shading"},
      {"blocking", "JPEG", "quality", {40, 15, 5}, compress, ""},
      {"broken",
       "black, constant, NaN or repeated tile",
       "share of the side",
       {0.1, 0.2, 0.4},
       break_tile,
       ""},
      {"text-damage", "strokes opened or closed", "px", {1, 2, 3}, thicken_strokes, "text"},
  };
  return all;
}

}  // namespace upbench
