// Defects of the same kinds made in other ways; no threshold sees them.
#include <algorithm>
#include <cmath>
#include <numbers>

#include <ATen/ATen.h>
#include <opencv2/core.hpp>
#include <opencv2/imgproc.hpp>

#include "datasets/image.h"
#include "datasets/resample.h"
#include "harness/calibration/injectors.h"
#include "harness/calibration/networks.h"
#include "harness/calibration/pixels.h"

namespace upbench {
namespace {

// A network that sees too little beyond the borders of its tiles.
void tile_without_context(CalibrationCase& subject, double context, Random&) {
  subject.output =
      calibration_network_tiled(subject.input, subject.picture->scale, static_cast<int>(context));
}

// Laplacian of 8 neighbours added: a halo of one pixel, stronger along diagonals.
void add_laplacian(CalibrationCase& subject, double percent, Random&) {
  const cv::Mat kernel = (cv::Mat_<float>(3, 3) << -1, -1, -1, -1, 8, -1, -1, -1, -1);
  const Image detail = per_plane(subject.output, [&](const cv::Mat& from, cv::Mat& to) {
    cv::filter2D(from, to, CV_32F, kernel, {-1, -1}, 0, cv::BORDER_REFLECT);
  });
  subject.output.add_(detail, percent / 300);  // a straight edge overshoots by three times the amount
}

// What an ideal low-pass adds to a Gaussian one: the sinc filter of Real-ESRGAN's degradations, cut off at a
// third of the band.
void filter_ideally(CalibrationCase& subject, double percent, Random&) {
  constexpr double kCutOff = std::numbers::pi / 3;
  subject.output.add_(filtered(subject.output, ringing_kernel([](double r) {
                                 return r < 1e-9 ? kCutOff / 2 : std::cyl_bessel_j(1.0, kCutOff * r) / r;
                               })),
                      percent / 100);
}

// The detail of another picture, pasted.
void paste_foreign_detail(CalibrationCase& subject, double amount, Random& random) {
  const Image& other = subject.picture->other;
  Image detail = other - blurred(other, 2.0);
  const double spread = detail.std().item<double>();
  if (spread > 0) detail = detail * (20.0 / 255 / spread);
  const Rectangle where = random_rectangle(subject.output, 0.3, 0.5, random);
  subject.output.add_(detail * soft_mask(subject.output, where), amount);
}

// One region slides to the side.
void slide_region(CalibrationCase& subject, double pixels, Random& random) {
  const Rectangle where = random_rectangle(subject.output, 0.5, 0.7, random);
  const Image mask = soft_mask(subject.output, where);
  const auto* weight = mask.const_data_ptr<float>();
  const std::int64_t width = subject.output.size(2);
  const double angle = 2 * std::numbers::pi * random.uniform();
  subject.output = warped(subject.output, [&](int x, int y) {
    const double by = pixels * weight[y * width + x];
    return cv::Point2f(static_cast<float>(by * std::cos(angle)), static_cast<float>(by * std::sin(angle)));
  });
}

// White balance: red and blue multiplied.
void balance_wrongly(CalibrationCase& subject, double percent, Random& random) {
  const double by = percent / 100;
  const bool warm = random.uniform() < 0.5;
  subject.output[warm ? 0 : 2].mul_(1 + by);
  subject.output[warm ? 2 : 0].mul_(1 - by);
}

void take_median(CalibrationCase& subject, double side, Random&) {
  subject.output = per_plane(subject.output, [&](const cv::Mat& from, cv::Mat& to) {
    cv::Mat bytes;
    from.convertTo(bytes, CV_8U, 255);
    cv::medianBlur(bytes, bytes, static_cast<int>(side));
    bytes.convertTo(to, CV_32F, 1 / 255.0);
  });
}

// As a sensor's: it grows with the root of the light.
void leave_shot_noise(CalibrationCase& subject, double levels, Random& random) {
  subject.output.add_(normal_noise(subject.output, random, false) *
                      (subject.output.clamp(0.02, 1) * 2).sqrt() * (levels / 255));
}

// The whole picture cut to a few bits.
void cut_bits(CalibrationCase& subject, double step, Random&) {
  subject.output = (blurred(subject.output, 1.5) * 255 / step).floor() * (step / 255);
}

// Blocks of 8 x 8 with their own tone each, and none of the detail between.
void flatten_blocks(CalibrationCase& subject, double amount, Random&) {
  const at::Tensor means = at::avg_pool2d(subject.output.unsqueeze(0), 8);
  const at::Tensor blocks =
      at::upsample_nearest2d(means, {subject.output.size(1), subject.output.size(2)})[0];
  subject.output = subject.output * (1 - amount) + blocks * amount;
}

// Another picture's tile, or a neighbouring one's, taken by a wrong index.
void take_stale_tile(CalibrationCase& subject, double, Random& random) {
  const std::int64_t height = subject.output.size(1) / 3, width = subject.output.size(2) / 3;
  const auto place = random.below(9), from = (place + 1 + random.below(8)) % 9;
  const auto tile = [&](const Image& image, std::uint32_t index) {
    return image.narrow(1, height * (index / 3), height).narrow(2, width * (index % 3), width);
  };
  const bool same_picture = random.uniform() < 0.5;
  tile(subject.output, place)
      .copy_(same_picture ? tile(subject.output, from).clone() : tile(subject.picture->other, place));
}

// Letters with missing pieces: dashes of the background across the strokes.
void break_strokes(CalibrationCase& subject, double dashes, Random& random) {
  const Image background = per_plane(subject.output, [](const cv::Mat& from, cv::Mat& to) {
    cv::Mat bytes;
    from.convertTo(bytes, CV_8U, 255);
    cv::medianBlur(bytes, bytes, 15);
    bytes.convertTo(to, CV_32F, 1 / 255.0);
  });
  for (int i = 0; i < static_cast<int>(dashes); ++i) {
    Rectangle where = random_rectangle(subject.output, 0.05, 0.12, random);
    (random.uniform() < 0.5 ? where.height : where.width) = 2;
    cut(subject.output, where).copy_(cut(background, where));
  }
}

}  // namespace

const std::vector<Injector>& second_injectors() {
  static const std::vector<Injector> all = {
      {"seam",
       "network tiled with too little context",
       "px of context",
       {1, 0, 0},
       tile_without_context,
       "",
       true},
      {"halo", "Laplacian added", "% of edge height", {8, 20, 50}, add_laplacian, ""},
      {"ringing", "ideal low-pass", "% of edge height", {3, 8, 20}, filter_ideally, ""},
      {"hallucination", "detail of another picture", "share", {0.3, 0.7, 1.5}, paste_foreign_detail, ""},
      {"drift", "one region slides", "px", {0.7, 2, 5}, slide_region, ""},
      {"colour-shift", "wrong white balance", "%", {3, 8, 20}, balance_wrongly, ""},
      {"texture-loss", "median filter", "px, side", {3, 5, 9}, take_median, ""},
      {"noise-residue", "shot noise", "levels of 255, sigma", {3, 8, 20}, leave_shot_noise, ""},
      {"banding", "picture cut to few bits", "levels of 255 a step", {4, 8, 16}, cut_bits, "smooth-shading"},
      {"blocking", "blocks of 8 x 8 flattened", "share", {0.15, 0.4, 0.8}, flatten_blocks, ""},
      {"broken", "tile of another place or picture", "tiles", {1, 1, 1}, take_stale_tile, ""},
      {"text-damage", "dashes across strokes", "dashes", {15, 40, 100}, break_strokes, "text"},
  };
  return all;
}

}  // namespace upbench
