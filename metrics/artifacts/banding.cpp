#include <algorithm>
#include <cmath>

#include <opencv2/imgproc.hpp>

#include "metrics/artifacts/entries.h"
#include "metrics/artifacts/local.h"
#include "metrics/artifacts/prepared.h"
#include "metrics/artifacts/regions.h"

namespace upbench {
namespace {

using Picture = Prepared::Picture;

constexpr double kSigma = 2;        // px: the slope of the witness is measured over it
constexpr float kLeast = 0.03F;     // levels/px: a slope that bands could show on
constexpr float kSteepest = 2;      // levels/px: more is an edge
constexpr float kDetail = 10;       // levels of deviation of an output that has bands
constexpr float kGrain = 1.5F;      // levels of deviation of a smooth witness, rounding included
constexpr int kWindow = 17;         // px: windows of the map
constexpr double kFewest = 0.02;    // of the picture must be smooth
constexpr float kStill = 0.3F;      // levels: neighbours that differ by less are of one band
constexpr float kLargestStep = 40;  // levels: more is an edge of the output
constexpr int kCell = 8;            // px of the map
constexpr double kMarked = 1;       // levels

// Where the witness slopes smoothly, away from its edges, which an input blurs over `scale` pixels.
cv::Mat smooth_slopes(const cv::Mat& truth, double scale) {
  const int clear = 4 + (scale > 1 ? static_cast<int>(std::ceil(2 * scale)) : 0);
  const cv::Mat base = blurred(truth, kSigma);
  cv::Mat gx, gy, slope;
  cv::Sobel(base, gx, CV_32F, 1, 0, 3, 1.0 / 8);
  cv::Sobel(base, gy, CV_32F, 0, 1, 3, 1.0 / 8);
  cv::magnitude(gx, gy, slope);
  const cv::Mat grain = local_maximum(local_deviation(truth - base, 5), 3);
  return (slope > kLeast) & (local_maximum(slope, clear) < kSteepest) & (grain < kGrain);
}

// Neighbouring pixels: how they differ, to the right and below, within a band (0) or between two.
struct Steps {
  cv::Mat squares, sums, still;  // squared and absolute differences, share of equal ones; weighted
};

Steps steps_of(const cv::Mat& plane, const cv::Mat& weight) {
  Steps steps{.squares = cv::Mat::zeros(plane.size(), CV_32F),
              .sums = cv::Mat::zeros(plane.size(), CV_32F),
              .still = cv::Mat::zeros(plane.size(), CV_32F)};
  for (int y = 0; y + 1 < plane.rows; ++y) {
    const auto *row = plane.ptr<float>(y), *below = plane.ptr<float>(y + 1), *of = weight.ptr<float>(y);
    auto *squares = steps.squares.ptr<float>(y), *sums = steps.sums.ptr<float>(y),
         *still = steps.still.ptr<float>(y);
    for (int x = 0; x + 1 < plane.cols; ++x)
      for (const float step : {row[x + 1] - row[x], below[x] - row[x]}) {
        if (std::abs(step) > kLargestStep) continue;
        squares[x] += of[x] * step * step;
        sums[x] += of[x] * std::abs(step);
        still[x] += of[x] * (std::abs(step) < kStill ? 0.5F : 0.0F);
      }
  }
  return steps;
}

// Height of the steps by which a plane climbs, levels, times the share of neighbours that are equal: bands
// are still but for a few high steps, a slope climbs everywhere, noise stands nowhere still.
double band_height(const Steps& steps, double weight) {
  const double sums = cv::sum(steps.sums)[0];
  return sums > 0 ? cv::sum(steps.squares)[0] / sums * cv::sum(steps.still)[0] / weight : 0;
}

// The same around each pixel.
cv::Mat band_heights(const Steps& steps, const cv::Mat& weight) {
  const auto window = [](const cv::Mat& plane) {
    cv::Mat mean;
    cv::blur(plane, mean, {kWindow, kWindow});
    return mean;
  };
  return (window(steps.squares) / (window(steps.sums) + 1e-4))
      .mul(window(steps.still) / (window(weight) + 1e-4));
}

Detection banding(const Prepared& prepared) {
  const auto witness = prepared.first_of({Picture::reference, Picture::base, Picture::input});
  if (!witness) return {.missing = "needs a reference, base or input"};
  // Detail of the output that the witness knows nothing of is something else.
  const cv::Mat& output = prepared.luma(Picture::output);
  const cv::Mat detail = local_deviation(output - blurred(output, kSigma), 5);
  const cv::Mat smooth =
      smooth_slopes(prepared.full_luma(*witness), *witness == Picture::reference ? 1 : prepared.scale_x()) &
      (detail < kDetail);
  const double area = cv::countNonZero(smooth) / static_cast<double>(smooth.total());
  if (area < kFewest) return {.missing = "no smooth slope, on which bands could show"};
  cv::Mat weight;
  smooth.convertTo(weight, CV_32F, 1.0 / 255);
  const double weights = cv::sum(weight)[0];
  double value = 0;
  cv::Mat excess = cv::Mat::zeros(smooth.size(), CV_32F);
  for (std::size_t channel = 0; channel < 3; ++channel) {
    cv::Mat truth;  // an enlarged input is not rounded, a picture is
    prepared.full_rgb(*witness)[channel].convertTo(truth, CV_8U);
    truth.convertTo(truth, CV_32F);
    const Steps here = steps_of(prepared.rgb(Picture::output)[channel], weight),
                there = steps_of(truth, weight);
    value = std::max(value, band_height(here, weights) - band_height(there, weights));
    excess = cv::max(excess, band_heights(here, weight) - band_heights(there, weight));
  }
  excess.setTo(0, smooth == 0);
  const cv::Mat covered = cell_means(weight, kCell);
  cv::Mat cells = cell_means(excess, kCell) / (covered + 1e-4);
  cells.setTo(0, covered < 0.1);
  return {.value = value,
          .parts = {{"smooth area", "%", 100 * area}},
          .map = artifact_map(cells),
          .boxes = worst_regions(cells, kMarked, prepared.width(), prepared.height())};
}

}  // namespace

Detector banding_detector() {
  return {.name = "banding",
          .unit = "levels",
          .convention =
              "height of the steps by which smooth slopes climb, times the share of neighbouring pixels that "
              "are equal, beyond that of the reference, base or input; strongest channel, 8-bit levels",
          .needs = "reference, base or input",
          .decimals = 2,
          .detect = banding};
}

}  // namespace upbench
