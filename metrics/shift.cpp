#include "metrics/shift.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include <opencv2/core.hpp>
#include <opencv2/imgproc.hpp>

#include "metrics/entries.h"
#include "metrics/opencv_picture.h"

namespace upbench {
namespace {

constexpr int kSmallest = 32, kLargest = 1024, kMargin = 8, kMostWhole = 4, kRounds = 30;
constexpr double kMost = kMostWhole + 1, kStill = 1e-5;

// Weights of the samples at -1, 0, 1, 2 around a position t in [0, 1) (Keys, a = -0.5).
cv::Mat cubic(double t) {
  return (cv::Mat_<double>(1, 4) << ((-t + 2) * t - 1) * t / 2, ((3 * t - 5) * t * t + 2) / 2,
          ((-3 * t + 4) * t + 1) * t / 2, (t - 1) * t * t / 2);
}

// The picture's content moved right and down: the value at x is that of x - right.
cv::Mat moved(const cv::Mat& picture, const GlobalShift& shift) {
  const auto whole_x = static_cast<int>(std::floor(-shift.right)),
             whole_y = static_cast<int>(std::floor(-shift.down));
  cv::Mat interpolated;
  cv::sepFilter2D(picture, interpolated, CV_32F, cubic(-shift.right - whole_x), cubic(-shift.down - whole_y),
                  cv::Point(1, 1), 0, cv::BORDER_REPLICATE);
  const cv::Mat whole = (cv::Mat_<double>(2, 3) << 1, 0, -whole_x, 0, 1, -whole_y);
  cv::Mat result;
  cv::warpAffine(interpolated, result, whole, picture.size(), cv::INTER_NEAREST, cv::BORDER_REPLICATE);
  return result;
}

cv::Rect inside(const cv::Mat& picture) {
  return {kMargin, kMargin, picture.cols - 2 * kMargin, picture.rows - 2 * kMargin};
}

GlobalShift best_whole(const cv::Mat& output, const cv::Mat& reference) {
  const cv::Rect window = inside(output);
  GlobalShift best;
  double least = cv::norm(output(window), reference(window), cv::NORM_L2SQR);
  for (int down = -kMostWhole; down <= kMostWhole; ++down)
    for (int right = -kMostWhole; right <= kMostWhole; ++right) {
      const double left =
          cv::norm(output(window), reference(window - cv::Point(right, down)), cv::NORM_L2SQR);
      if (left >= least) continue;
      least = left;
      best = {static_cast<double>(right), static_cast<double>(down)};
    }
  return best;
}

// The step that brings `warped` nearest to `output` to first order; empty without structure in two
// directions.
std::optional<GlobalShift> step(const cv::Mat& warped, const cv::Mat& output) {
  const cv::Mat across = (cv::Mat_<double>(1, 3) << -0.5, 0, 0.5);
  cv::Mat by_x, by_y;
  cv::filter2D(warped, by_x, CV_32F, across);
  cv::filter2D(warped, by_y, CV_32F, across.t());
  const cv::Rect window = inside(output);
  const cv::Mat gx = by_x(window), gy = by_y(window), left = warped(window) - output(window);
  const double xx = gx.dot(gx), xy = gx.dot(gy), yy = gy.dot(gy), xr = gx.dot(left), yr = gy.dot(left);
  const double determinant = xx * yy - xy * xy;
  // One direction alone: the smaller eigenvalue is lost in float32 noise of the larger one.
  if (!(determinant > 1e-6 * (xx + yy) * (xx + yy))) return std::nullopt;
  return GlobalShift{(yy * xr - xy * yr) / determinant, (xx * yr - xy * xr) / determinant};
}

cv::Mat prepared(const cv::Mat& luma) {
  const int width = std::min(luma.cols, kLargest), height = std::min(luma.rows, kLargest);
  cv::Mat smooth;
  cv::GaussianBlur(luma(cv::Rect((luma.cols - width) / 2, (luma.rows - height) / 2, width, height)), smooth,
                   {}, 1.0, 1.0, cv::BORDER_REPLICATE);
  return smooth;
}

Score score(const Image& output, const Image& reference) {
  const auto shift = global_shift(luma_of(planes_of(output)), luma_of(planes_of(reference)));
  if (!shift)
    return {.flag = ScoreFlag::undefined,
            .reason = "smaller than 32 pixels, or without structure in two directions"};
  return {.value = std::hypot(shift->right, shift->down)};
}

}  // namespace

std::optional<GlobalShift> global_shift(const cv::Mat& output, const cv::Mat& reference) {
  if (std::min(output.cols, output.rows) < kSmallest) return std::nullopt;
  const cv::Mat target = prepared(output), source = prepared(reference);
  GlobalShift shift = best_whole(target, source);
  for (int round = 0; round < kRounds; ++round) {
    const auto by = step(moved(source, shift), target);
    if (!by) return std::nullopt;
    shift.right = std::clamp(shift.right + by->right, -kMost, kMost);
    shift.down = std::clamp(shift.down + by->down, -kMost, kMost);
    if (std::hypot(by->right, by->down) < kStill) break;
  }
  return shift;
}

Metric shift() {
  return {.name = "shift",
          .unit = "px",
          .convention =
              "length of the global sub-pixel translation against the reference, least squares on "
              "BT.601 luma low-passed with sigma 1 px, up to 5 px each way",
          .better = Better::lower,
          .decimals = 3,
          .make = [](std::string&) { return score; }};
}

}  // namespace upbench
