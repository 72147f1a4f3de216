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

constexpr float kEdge = 40;          // levels: height of an edge that may ring
constexpr float kFlat = 6;           // levels: range within kFlatRadius of a flat place of the witness
constexpr int kFlatRadius = 2;       // px; what lies nearer to an edge is a halo's
constexpr double kGrain = 1;         // px, sigma: finer than this, the witness may have grain
constexpr int kReach = 9;            // px: how far from its edge ringing is looked for
constexpr double kWave = 2.5;        // px, sigma: slower than this is tone
constexpr int kWindow = 5;           // px over which the waves' deviation is taken
constexpr int kCell = 8;             // px
constexpr double kLeastShare = 0.2;  // of a cell's pixels must be flat and near an edge
constexpr std::size_t kFewestCells = 4;
constexpr double kWorstShare = 0.9;  // of these cells lie below the value
constexpr double kMarked = 5;        // % of the edge's height

// Enlarged without overshoot: what rings beside its edges must not be the enlarging.
const cv::Mat& witness_luma(const Prepared& prepared, Picture witness) {
  if (witness != Picture::input) return prepared.luma(witness);
  return prepared.shared("input, linear", [&] {
    cv::Mat large;
    cv::resize(prepared.luma(Picture::input), large, {prepared.width(), prepared.height()}, 0, 0,
               cv::INTER_LINEAR);
    return large;
  });
}

struct Zones {
  cv::Mat near_edges, far;  // CV_8U: flat places of the witness
  cv::Mat height;           // of the edges within reach, levels
};

Zones zones_of(const cv::Mat& truth, int reach) {
  const cv::Mat smooth = blurred(truth, kGrain);
  const cv::Mat flat = (local_maximum(smooth, kFlatRadius) - local_minimum(smooth, kFlatRadius)) < kFlat;
  Zones zones{.height = local_maximum(smooth, reach) - local_minimum(smooth, reach)};
  zones.near_edges = flat & (zones.height >= kEdge);
  zones.far = flat & (zones.height < kEdge / 2);
  return zones;
}

// Waves in flat places beside edges, beyond those in flat places without edges.
Detection ringing(const Prepared& prepared) {
  const auto witness = prepared.first_of({Picture::reference, Picture::input});
  if (!witness) return {.missing = "needs a reference or an input"};
  const cv::Mat& truth = witness_luma(prepared, *witness);
  const int reach =
      kReach + (*witness == Picture::input ? static_cast<int>(std::lround(prepared.scale_x())) : 0);
  const Zones zones = zones_of(truth, reach);
  const cv::Mat wave = high_pass(prepared.luma(Picture::output) - truth, kWave);
  const cv::Mat deviation = local_deviation(wave, kWindow);
  const double elsewhere = cv::countNonZero(zones.far) > 0 ? cv::mean(deviation, zones.far)[0] : 0;
  cv::Mat excess = cv::max(deviation.mul(deviation) - elsewhere * elsewhere, 0);
  cv::sqrt(excess, excess);
  cv::Mat percent = cv::Mat::zeros(excess.size(), CV_32F), mask;
  cv::Mat(excess * 100 / zones.height).copyTo(percent, zones.near_edges);
  zones.near_edges.convertTo(mask, CV_32F, 1.0 / 255);
  const cv::Mat share = cell_means(mask, kCell), sums = cell_means(percent, kCell);
  cv::Mat cells = cv::Mat::zeros(share.size(), CV_32F);
  std::vector<float> values;
  for (int y = 0; y < cells.rows; ++y)
    for (int x = 0; x < cells.cols; ++x) {
      if (share.at<float>(y, x) < static_cast<float>(kLeastShare)) continue;
      cells.at<float>(y, x) = sums.at<float>(y, x) / share.at<float>(y, x);
      values.push_back(cells.at<float>(y, x));
    }
  if (values.size() < kFewestCells) return {.missing = "too few flat places beside edges"};
  return {.value = quantile(cv::Mat(values), kWorstShare),
          .parts = {{"median", "%", quantile(cv::Mat(values), 0.5)},
                    {"waves away from edges", "levels", elsewhere}},
          .map = artifact_map(cells),
          .boxes = worst_regions(cells, kMarked, prepared.width(), prepared.height())};
}

}  // namespace

Detector ringing_detector() {
  return {.name = "ringing",
          .unit = "%",
          .convention =
              "waves (standard deviation of what is finer than 2.5 px, sigma) in flat places 3 to 9 px "
              "beside edges of 40 levels and more, beyond those in other flat places, in % of the edge's "
              "height; 90 % of the places below",
          .needs = "reference or input",
          .decimals = 1,
          .detect = ringing};
}

}  // namespace upbench
