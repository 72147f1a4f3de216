#include <algorithm>
#include <cmath>
#include <vector>

#include <opencv2/imgproc.hpp>

#include "metrics/artifacts/entries.h"
#include "metrics/artifacts/local.h"
#include "metrics/artifacts/prepared.h"
#include "metrics/artifacts/regions.h"

namespace upbench {
namespace {

using Picture = Prepared::Picture;

constexpr int kWindow = 15;          // px of the level: content that moves together
constexpr int kSteps = 4;            // on each level
constexpr float kGradient = 6;       // mean square gradient (levels/px)^2 that the weaker direction needs
constexpr float kExplained = 0.65F;  // of the difference must be left at most, else it is no movement
constexpr int kCell = 8;             // px of the finer level
constexpr int kSmallestSide = 32;
constexpr double kWorstShare = 0.95;  // of the judged area lies below the value
constexpr std::size_t kFewestCells = 4;
constexpr double kMarked = 1;  // px

// How far the output's content lies right of and below the witness's, px of the level.
struct Flow {
  cv::Mat x, y;
};

cv::Mat moved(const cv::Mat& picture, const Flow& flow) {
  cv::Mat map_x(picture.size(), CV_32F), map_y(picture.size(), CV_32F), result;
  for (int y = 0; y < picture.rows; ++y)
    for (int x = 0; x < picture.cols; ++x) {
      map_x.at<float>(y, x) = static_cast<float>(x) - flow.x.at<float>(y, x);
      map_y.at<float>(y, x) = static_cast<float>(y) - flow.y.at<float>(y, x);
    }
  cv::remap(picture, result, map_x, map_y, cv::INTER_LINEAR, cv::BORDER_REPLICATE);
  return result;
}

// Without tone and contrast, which may change where nothing moves: locally of mean 0 and deviation 20.
cv::Mat structure_of(const cv::Mat& luma) {
  constexpr double kSigma = 8, kDeviation = 20, kFaint = 8;  // below it noise would be raised
  const cv::Mat detail = high_pass(luma, kSigma);
  cv::Mat deviation;
  cv::sqrt(blurred(detail.mul(detail), kSigma), deviation);
  return detail * kDeviation / (deviation + kFaint);
}

cv::Mat window_mean(const cv::Mat& plane) {
  cv::Mat mean;
  cv::blur(plane, mean, {kWindow, kWindow});
  return mean;
}

// Least squares over windows (Lucas, Kanade, 1981); where gradients have one direction only, that along them.
void step(const cv::Mat& output, const cv::Mat& witness, Flow& flow) {
  const cv::Mat there = moved(witness, flow);
  cv::Mat gx, gy;
  cv::Sobel(there, gx, CV_32F, 1, 0, 3, 1.0 / 8);
  cv::Sobel(there, gy, CV_32F, 0, 1, 3, 1.0 / 8);
  const cv::Mat difference = output - there;
  const cv::Mat xx = window_mean(gx.mul(gx)), yy = window_mean(gy.mul(gy)), xy = window_mean(gx.mul(gy));
  const cv::Mat dx = window_mean(gx.mul(difference)), dy = window_mean(gy.mul(difference));
  for (int y = 0; y < output.rows; ++y)
    for (int x = 0; x < output.cols; ++x) {
      const float a = xx.at<float>(y, x) + 1, b = xy.at<float>(y, x), c = yy.at<float>(y, x) + 1;
      const float u = -dx.at<float>(y, x), v = -dy.at<float>(y, x), determinant = a * c - b * b;
      flow.x.at<float>(y, x) += std::clamp((c * u - b * v) / determinant, -1.0F, 1.0F);
      flow.y.at<float>(y, x) += std::clamp((a * v - b * u) / determinant, -1.0F, 1.0F);
    }
  flow.x = window_mean(flow.x);
  flow.y = window_mean(flow.y);
}

Flow flow_between(const cv::Mat& output, const cv::Mat& witness) {
  const cv::Size half(output.cols / 2, output.rows / 2);
  cv::Mat small_output, small_witness;
  cv::resize(output, small_output, half, 0, 0, cv::INTER_AREA);
  cv::resize(witness, small_witness, half, 0, 0, cv::INTER_AREA);
  Flow flow{cv::Mat::zeros(half, CV_32F), cv::Mat::zeros(half, CV_32F)};
  for (int i = 0; i < kSteps; ++i) step(small_output, small_witness, flow);
  for (cv::Mat* part : {&flow.x, &flow.y}) {
    cv::Mat large;
    cv::resize(*part, large, output.size(), 0, 0, cv::INTER_LINEAR);
    *part = large * 2;
  }
  for (int i = 0; i < kSteps; ++i) step(output, witness, flow);
  return flow;
}

// Where a movement can be told: gradients in two directions.
cv::Mat judged(const cv::Mat& witness) {
  cv::Mat gx, gy;
  cv::Sobel(witness, gx, CV_32F, 1, 0, 3, 1.0 / 8);
  cv::Sobel(witness, gy, CV_32F, 0, 1, 3, 1.0 / 8);
  const cv::Mat xx = window_mean(gx.mul(gx)), yy = window_mean(gy.mul(gy)), xy = window_mean(gx.mul(gy));
  const cv::Mat half_difference = (xx - yy) * 0.5;
  cv::Mat root;
  cv::sqrt(half_difference.mul(half_difference) + xy.mul(xy), root);
  return (xx + yy) * 0.5 - root > kGradient;
}

cv::Mat explains(const cv::Mat& output, const cv::Mat& witness, const Flow& flow) {
  const cv::Mat before = output - witness, after = output - moved(witness, flow);
  return window_mean(after.mul(after)) < window_mean(before.mul(before)) * kExplained;
}

Detection drift(const Prepared& prepared) {
  const auto witness = prepared.first_of({Picture::base, Picture::input, Picture::reference});
  if (!witness) return {.missing = "needs a base picture, an input or a reference"};
  // Full size is halved: what moves is structure, not detail.
  const bool small = *witness == Picture::input && prepared.scale_x() > 1.5;
  const double factor = small ? prepared.scale_x() : 2;
  cv::Mat there = prepared.luma(*witness),
          here = small ? prepared.input_size_luma(Picture::output) : prepared.luma(Picture::output);
  if (!small) {
    const cv::Size half(prepared.width() / 2, prepared.height() / 2);
    if (half.width < 1 || half.height < 1) return {.missing = "needs pictures of 64 px and more"};
    cv::Mat reduced;
    cv::resize(there, reduced, half, 0, 0, cv::INTER_AREA);
    there = reduced;
    cv::Mat reduced_output;
    cv::resize(here, reduced_output, half, 0, 0, cv::INTER_AREA);
    here = reduced_output;
  }
  if (std::min(here.cols, here.rows) < kSmallestSide)
    return {.missing = "needs pictures of 64 px and more (the input: 32)"};
  const cv::Mat low_difference = cv::abs(blurred(here, 2) - blurred(there, 2));
  here = structure_of(here);
  there = structure_of(there);
  const Flow flow = flow_between(here, there);
  cv::Mat distance;
  cv::magnitude(flow.x, flow.y, distance);
  distance *= factor;
  distance.setTo(0, explains(here, there, flow) == 0);
  const cv::Mat judge = judged(there);
  distance.setTo(0, judge == 0);
  std::vector<float> distances;
  for (int y = kCell / 2; y < distance.rows; y += kCell)
    for (int x = kCell / 2; x < distance.cols; x += kCell)
      if (judge.at<std::uint8_t>(y, x) != 0) distances.push_back(distance.at<float>(y, x));
  if (distances.size() < kFewestCells) return {.missing = "too few places where a movement can be told"};
  const cv::Mat map = cell_means(distance, kCell);
  return {.value = quantile(cv::Mat(distances), kWorstShare),
          .parts = {{"median displacement", "px", quantile(cv::Mat(distances), 0.5)},
                    {"difference of low-pass structure", "levels", cv::mean(low_difference)[0]}},
          .map = artifact_map(map),
          .boxes = worst_regions(map, kMarked, prepared.width(), prepared.height())};
}

}  // namespace

Detector drift_detector() {
  return {.name = "drift",
          .unit = "px",
          .convention =
              "displacement of structure against the base picture, the input or the reference (least "
              "squares over windows, on halved pictures or at the input's size), px of the output; "
              "95 % of the places where it can be told below",
          .needs = "base, input or reference",
          .version = 2,
          .decimals = 2,
          .detect = drift};
}

}  // namespace upbench
