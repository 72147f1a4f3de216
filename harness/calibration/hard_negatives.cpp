#include <algorithm>
#include <cmath>

#include <ATen/ATen.h>
#include <opencv2/core.hpp>
#include <opencv2/imgproc.hpp>

#include "datasets/degradation/compress.h"
#include "datasets/image.h"
#include "harness/calibration/injectors.h"
#include "harness/calibration/networks.h"
#include "harness/calibration/pixels.h"

namespace upbench {
namespace {

void leave(CalibrationCase&, Random&) {}

// A picture that its input holds in full: what a network makes of more than that is a guess, and its errors
// are no clean picture.
void upscale_by_network(CalibrationCase& subject, Random&) {
  subject.start_from(blurred(subject.reference, 0.45 * subject.picture->scale));
  subject.output = quantized(calibration_network(subject.input, subject.picture->scale));
}

// Strong, and no value leaves the range of its neighbours: edges get steeper without overshoot.
void sharpen_without_overshoot(CalibrationCase& subject, Random&) {
  const Image sharp = subject.output + 1.5 * (subject.output - blurred(subject.output, 1.0));
  const cv::Mat window = cv::Mat::ones(3, 3, CV_8U);
  const Image low =
      per_plane(subject.output, [&](const cv::Mat& from, cv::Mat& to) { cv::erode(from, to, window); });
  const Image high =
      per_plane(subject.output, [&](const cv::Mat& from, cv::Mat& to) { cv::dilate(from, to, window); });
  subject.output = quantized(at::minimum(at::maximum(sharp, low), high));
}

// It belongs to the picture: reference and input have it, too.
void add_film_grain(CalibrationCase& subject, Random& random) {
  subject.start_from(subject.reference +
                     blurred(normal_noise(subject.reference, random, true), 0.6) * (8.0 / 255));
}

void come_from_jpeg(CalibrationCase& subject, Random&) {
  subject.start_from(to_image(through_jpeg(to_raster(subject.reference), 80)));
}

// Real edges of a drawing exactly where tiles meet.
void draw_edges_on_boundaries(CalibrationCase& subject, Random& random) {
  Image reference = subject.reference.clone();
  for (const TileBoundary& boundary : subject.boundaries) {
    const auto at = static_cast<std::int64_t>(boundary.position);
    const std::int64_t axis = boundary.vertical ? 2 : 1, length = reference.size(axis);
    const double step = (random.uniform() < 0.5 ? -1 : 1) * (10 + 40 * random.uniform()) / 255;
    reference.narrow(axis, at, std::min(length - at, std::int64_t{12})).add_(step);
  }
  subject.start_from(reference.clamp(0, 1));
}

// Stripes of two to five pixels, as fabrics and blinds have.
void draw_fine_texture(CalibrationCase& subject, Random& random) {
  const Rectangle where = random_rectangle(subject.reference, 0.4, 0.8, random);
  const double period = 2.5 + 2.5 * random.uniform(), angle = 3.14159265358979 * random.uniform();
  const at::Tensor x = at::arange(where.width, at::kFloat).view({1, 1, -1}),
                   y = at::arange(where.height, at::kFloat).view({1, -1, 1});
  const at::Tensor phase = (x * std::cos(angle) + y * std::sin(angle)) * (2 * 3.14159265358979 / period);
  Image reference = subject.reference.clone();
  cut(reference, where).mul_(0.6).add_(0.2).add_(at::sin(phase), 0.12);
  subject.start_from(reference.clamp(0, 1));
}

// Flat areas of few colours with hard borders.
void stylise(CalibrationCase& subject, Random&) {
  const Image smooth = blurred(subject.reference, 1.5);
  subject.start_from((smooth * 5).round() / 5);
}

void add_faint_noise(CalibrationCase& subject, Random& random) {
  subject.output = quantized(subject.output + normal_noise(subject.output, random, false) * (0.7 / 255));
}

}  // namespace

const std::vector<HardNegative>& hard_negatives() {
  static const std::vector<HardNegative> all = {
      {"as drawn", leave},
      {"upscaled by the embedded network", upscale_by_network},
      {"sharpened without overshoot", sharpen_without_overshoot},
      {"film grain in the picture", add_film_grain},
      {"picture from a JPEG", come_from_jpeg},
      {"edges where tiles meet", draw_edges_on_boundaries},
      {"fine regular texture", draw_fine_texture},
      {"stylised", stylise},
      {"faint noise", add_faint_noise},
  };
  return all;
}

}  // namespace upbench
