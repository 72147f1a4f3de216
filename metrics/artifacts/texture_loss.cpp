#include <opencv2/imgproc.hpp>

#include "metrics/artifacts/entries.h"
#include "metrics/artifacts/local.h"
#include "metrics/artifacts/prepared.h"
#include "metrics/artifacts/regions.h"

namespace upbench {
namespace {

using Picture = Prepared::Picture;

constexpr double kSigma = 1.5;  // px: finer than this is texture
constexpr int kCell = 16;       // px
constexpr float kTextured = 3;  // levels of standard deviation in the witness
constexpr double kWorstShare = 0.9;
constexpr double kFewestCells = 0.01;  // of all cells, else nothing can be lost
constexpr double kMarked = 50;

cv::Mat texture_energy(const cv::Mat& luma, int cell) {
  const cv::Mat detail = high_pass(luma, kSigma);
  cv::Mat deviation;
  cv::sqrt(cell_means(detail.mul(detail), cell), deviation);
  return deviation;
}

// With a reference at full size; with the input alone what it has itself, at its size.
Detection texture_loss(const Prepared& prepared) {
  const bool referenced = prepared.has(Picture::reference);
  if (!referenced && !prepared.has(Picture::input)) return {.missing = "needs a reference or an input"};
  const cv::Mat& wanted = prepared.luma(referenced ? Picture::reference : Picture::input);
  const cv::Mat& found =
      referenced ? prepared.luma(Picture::output) : prepared.input_size_luma(Picture::output);
  const cv::Mat there = texture_energy(wanted, kCell), here = texture_energy(found, kCell);
  const cv::Mat textured = there > kTextured;
  const int cells = cv::countNonZero(textured);
  if (cells < kFewestCells * static_cast<double>(textured.total()))
    return {.missing = "no texture that could be lost"};
  cv::Mat loss = cv::Mat::zeros(there.size(), CV_32F);
  cv::Mat share = cv::max(1 - here / there, 0) * 100;
  share.copyTo(loss, textured);
  double total = 0, lost = 0;
  std::vector<float> losses;
  for (int y = 0; y < loss.rows; ++y)
    for (int x = 0; x < loss.cols; ++x) {
      if (textured.at<std::uint8_t>(y, x) == 0) continue;
      const double energy = there.at<float>(y, x);
      total += energy;
      lost += energy * static_cast<double>(loss.at<float>(y, x));
      losses.push_back(loss.at<float>(y, x));
    }
  return {.value = lost / total,
          .parts = {{"90 % of the textured area below", "%", quantile(cv::Mat(losses), kWorstShare)},
                    {"textured area", "%", 100.0 * cells / static_cast<double>(textured.total())}},
          .map = artifact_map(loss),
          .boxes = worst_regions(loss, kMarked, prepared.width(), prepared.height())};
}

}  // namespace

Detector texture_loss_detector() {
  return {.name = "texture-loss",
          .unit = "%",
          .convention =
              "how much less contrast finer than 1.5 px (sigma) textured areas have than in the "
              "reference, at the output's size; else than in the input, at the input's size",
          .needs = "reference or input",
          .version = 2,
          .decimals = 1,
          .detect = texture_loss};
}

}  // namespace upbench
