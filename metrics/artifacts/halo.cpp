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

constexpr int kRadius = 3;           // px around a pixel in which the reference's values are allowed
constexpr float kEdge = 40;          // levels: height of an edge worth a halo
constexpr float kVisible = 10;       // % of the height: what counts towards the width
constexpr int kNeighbourhood = 25;   // px
constexpr float kCrowded = 0.85F;    // of it with edges: texture
constexpr int kCell = 8;             // px
constexpr double kWorstShare = 0.9;  // of the cells with edges lie below the value
constexpr std::size_t kFewestCells = 4;
constexpr double kMarked = 15;

struct Overshoot {
  cv::Mat percent;  // of the height of the edge; 0 where there is no edge
  cv::Mat edges;    // CV_8U: where one would be seen
};

// Beyond every value that the witness has nearby.
Overshoot beyond(const cv::Mat& output, const cv::Mat& witness) {
  const cv::Mat high = local_maximum(witness, kRadius), low = local_minimum(witness, kRadius);
  const cv::Mat height = high - low;
  const cv::Mat above = output - high, below = low - output;
  const cv::Mat over = cv::max(cv::max(above, below), 0);
  Overshoot result{.percent = cv::Mat::zeros(output.size(), CV_32F), .edges = height >= kEdge};
  // Among many edges an overshoot is not told from texture.
  cv::Mat share;
  result.edges.convertTo(share, CV_32F, 1.0 / 255);
  cv::blur(share, share, {kNeighbourhood, kNeighbourhood});
  result.edges &= share < kCrowded;
  cv::Mat(over * 100 / height).copyTo(result.percent, result.edges);
  return result;
}

// Of the cells with edges: the overshoot that 90 % of them do not exceed.
Detection halo(const Prepared& prepared) {
  const bool referenced = prepared.has(Picture::reference);
  if (!referenced && !prepared.has(Picture::input)) return {.missing = "needs a reference or an input"};
  const Overshoot found =
      referenced ? beyond(prepared.luma(Picture::output), prepared.luma(Picture::reference))
                 : beyond(prepared.input_size_luma(Picture::output), prepared.luma(Picture::input));
  const double pixel = referenced ? 1 : prepared.scale_x();
  const cv::Mat worst = cell_maxima(found.percent, kCell);
  cv::Mat edges;
  found.edges.convertTo(edges, CV_32F, 1.0 / 255);
  const cv::Mat edge_share = cell_means(edges, kCell);
  std::vector<float> overshoots;
  for (int y = 0; y < worst.rows; ++y)
    for (int x = 0; x < worst.cols; ++x)
      if (edge_share.at<float>(y, x) > 0.1F) overshoots.push_back(worst.at<float>(y, x));
  if (overshoots.size() < kFewestCells) return {.missing = "too few edges of 40 levels and more"};
  const double visible = cv::countNonZero(found.percent > kVisible);
  return {.value = quantile(cv::Mat(overshoots), kWorstShare),
          .parts = {{"median overshoot", "%", quantile(cv::Mat(overshoots), 0.5)},
                    {"width", "px", pixel * visible / (static_cast<double>(overshoots.size()) * kCell)}},
          .map = artifact_map(worst),
          .boxes = worst_regions(worst, kMarked, prepared.width(), prepared.height())};
}

}  // namespace

Detector halo_detector() {
  return {.name = "halo",
          .unit = "%",
          .convention =
              "overshoot beside edges in % of their height, 90 % of the places with edges (40 "
              "levels and more, not in textures) below: beyond all values of the reference within 3 px, else "
              "beyond "
              "flat areas of the input",
          .needs = "reference or input",
          .version = 2,
          .decimals = 1,
          .detect = halo};
}

}  // namespace upbench
