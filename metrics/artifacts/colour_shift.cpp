#include <algorithm>
#include <cmath>
#include <vector>

#include <opencv2/imgproc.hpp>

#include "metrics/artifacts/entries.h"
#include "metrics/artifacts/prepared.h"
#include "metrics/artifacts/regions.h"

namespace upbench {
namespace {

using Picture = Prepared::Picture;

constexpr int kCell = 16;             // pixels: finer structure is not colour
constexpr double kWorstShare = 0.98;  // of the area lies below the value
constexpr double kMarked = 3;         // DeltaE of a region worth a box

// IEC 61966-2-1.
float linear(float level) {
  return level <= 0.04045F ? level / 12.92F : std::pow((level + 0.055F) / 1.055F, 2.4F);
}

float lab_root(float t) {
  constexpr float kDelta = 6.0F / 29;
  return t > kDelta * kDelta * kDelta ? std::cbrt(t) : t / (3 * kDelta * kDelta) + 4.0F / 29;
}

// CIE 15: L*a*b* of sRGB under D65. OpenCV's is up to 0.2 off, from a table.
cv::Vec3f lab(const cv::Vec3f& rgb) {
  const float r = linear(rgb[0]), g = linear(rgb[1]), b = linear(rgb[2]);
  const float x = lab_root((0.4124564F * r + 0.3575761F * g + 0.1804375F * b) / 0.95047F);
  const float y = lab_root(0.2126729F * r + 0.7151522F * g + 0.0721750F * b);
  const float z = lab_root((0.0193339F * r + 0.1191920F * g + 0.9503041F * b) / 1.08883F);
  return {116 * y - 16, 500 * (x - y), 200 * (y - z)};
}

cv::Mat lab_cells(const std::array<cv::Mat, 3>& rgb, cv::Size cells) {
  std::vector<cv::Mat> means(3);
  for (std::size_t channel = 0; channel < 3; ++channel) {
    cv::resize(rgb[channel], means[channel], cells, 0, 0, cv::INTER_AREA);
    means[channel] *= 1.0 / 255;
  }
  cv::Mat colour;
  cv::merge(means, colour);
  for (cv::Vec3f& pixel : cv::Mat_<cv::Vec3f>(colour)) pixel = lab(pixel);
  return colour;
}

cv::Mat length_of(const cv::Mat& vectors) {
  std::vector<cv::Mat> parts;
  cv::split(vectors, parts);
  cv::Mat squares = parts[0].mul(parts[0]) + parts[1].mul(parts[1]) + parts[2].mul(parts[2]);
  cv::sqrt(squares, squares);
  return squares;
}

Detection colour_shift(const Prepared& prepared) {
  const auto witness = prepared.first_of({Picture::base, Picture::input, Picture::reference});
  if (!witness) return {.missing = "needs a base picture, an input or a reference"};
  const cv::Size cells(std::max(1, prepared.width() / kCell), std::max(1, prepared.height() / kCell));
  const cv::Mat difference =
      lab_cells(prepared.rgb(Picture::output), cells) - lab_cells(prepared.rgb(*witness), cells);
  cv::Mat smooth;  // of what differs by chance, neighbours cancel
  cv::blur(difference, smooth, {3, 3});
  const cv::Mat map = length_of(smooth);
  const cv::Scalar mean = cv::mean(difference);
  const double cast = std::sqrt(mean.dot(mean));
  const double worst = quantile(map, kWorstShare);
  return {.value = std::max(cast, worst),
          .parts = {{"global cast", "DeltaE", cast},
                    {"lightness of the cast", "L*", mean[0]},
                    {"98 % of the area below", "DeltaE", worst}},
          .map = artifact_map(map),
          .boxes = worst_regions(map, kMarked, prepared.width(), prepared.height())};
}

}  // namespace

Detector colour_shift_detector() {
  return {.name = "colour-shift",
          .unit = "DeltaE",
          .convention =
              "CIE76 DeltaE of colours averaged over 48 x 48 px, to the base picture, the "
              "input or the reference; 98 % of the area below",
          .needs = "base, input or reference",
          .detect = colour_shift};
}

}  // namespace upbench
