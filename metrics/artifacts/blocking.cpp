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

constexpr double kLargestStep = 12;  // levels: more is an edge, whatever the grid
constexpr int kBlock = 8;            // of JPEG and most video codecs
constexpr double kMarked = 2;        // levels

// How much the step between the columns x - 1 and x differs from its neighbours, capped.
cv::Mat steps(const cv::Mat& luma) {
  cv::Mat result = cv::Mat::zeros(luma.size(), CV_32F);
  for (int y = 0; y < luma.rows; ++y) {
    const auto* row = luma.ptr<float>(y);
    auto* out = result.ptr<float>(y);
    for (int x = 2; x + 1 < luma.cols; ++x) {
      const float excess = std::abs(1.5F * (row[x] - row[x - 1]) - 0.5F * (row[x + 1] - row[x - 2]));
      out[x] = std::min(excess, static_cast<float>(kLargestStep));
    }
  }
  return result;
}

double median(std::vector<double> values) {
  std::ranges::nth_element(values, values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2));
  return values[values.size() / 2];
}

// For each phase of the period the median of its columns: a real edge on one of them says nothing of a grid.
std::vector<double> phase_steps(const cv::Mat& picture_steps, int period) {
  cv::Mat columns;
  cv::reduce(picture_steps, columns, 0, cv::REDUCE_AVG, CV_32F);
  std::vector<std::vector<double>> of_phase(static_cast<std::size_t>(period));
  for (int x = 2; x + 1 < columns.cols; ++x)
    of_phase[static_cast<std::size_t>(x % period)].push_back(static_cast<double>(columns.at<float>(0, x)));
  std::vector<double> medians;
  for (const auto& of : of_phase) medians.push_back(of.empty() ? 0 : median(of));
  return medians;
}

struct Grid {
  double excess = 0;  // levels, of steps on the grid over those beside it
  int phase = 0;
};

// The strongest phase of the output, less what the witness has there.
Grid strongest_grid(const cv::Mat& output, const cv::Mat& witness, int period) {
  const std::vector<double> means = phase_steps(output, period);
  const auto strongest = std::ranges::max_element(means);
  Grid grid{.excess = *strongest - median(means), .phase = static_cast<int>(strongest - means.begin())};
  if (witness.empty()) return grid;
  const std::vector<double> there = phase_steps(witness, period);
  grid.excess -= std::max(0.0, there[static_cast<std::size_t>(grid.phase)] - median(there));
  grid.excess = std::max(0.0, grid.excess);
  return grid;
}

// Mean of each cell on the grid less that beside it.
cv::Mat cell_excess(const cv::Mat& picture_steps, int period, int phase) {
  cv::Mat weighted = picture_steps.clone();
  for (int y = 0; y < weighted.rows; ++y) {
    auto* row = weighted.ptr<float>(y);
    for (int x = 0; x < weighted.cols; ++x)
      row[x] *= static_cast<float>(x % period == phase ? period : -period / (period - 1.0));
  }
  return cell_means(weighted, 4 * period);
}

Detection blocking(const Prepared& prepared) {
  if (std::min(prepared.width(), prepared.height()) < 6 * kBlock)
    return {.missing = "needs pictures of 48 px and more"};
  const auto witness = prepared.first_of({Picture::reference, Picture::input});
  std::vector<int> periods{kBlock};
  const auto scale = static_cast<int>(std::lround(prepared.scale_x()));
  if (scale > 1 && 6 * kBlock * scale <= std::min(prepared.width(), prepared.height()))
    periods.push_back(kBlock * scale);
  double strongest = 0;
  int period = kBlock;
  Grid columns, rows;
  const auto both = [&](Picture picture) {
    const cv::Mat& luma = prepared.full_luma(picture);
    return std::pair(steps(luma), steps(luma.t()));
  };
  const auto [across, down] = both(Picture::output);
  std::pair<cv::Mat, cv::Mat> there;
  if (witness) there = both(*witness);
  for (const int candidate : periods) {
    const Grid across_grid = strongest_grid(across, there.first, candidate),
               down_grid = strongest_grid(down, there.second, candidate);
    const double excess = (across_grid.excess + down_grid.excess) / 2;
    if (excess <= strongest) continue;
    strongest = excess;
    period = candidate;
    columns = across_grid;
    rows = down_grid;
  }
  Detection found{.value = strongest, .parts = {{"period", "px", static_cast<double>(period)}}};
  if (strongest <= 0) return found;
  const auto map_of = [&](const cv::Mat& a, const cv::Mat& b) {
    return cv::Mat((cell_excess(a, period, columns.phase) + cell_excess(b, period, rows.phase).t()) * 0.5);
  };
  cv::Mat map = map_of(across, down);
  if (witness) map -= cv::max(map_of(there.first, there.second), 0);
  map = cv::max(map, 0);
  found.map = artifact_map(map);
  found.boxes = worst_regions(map, kMarked, prepared.width(), prepared.height());
  return found;
}

}  // namespace

Detector blocking_detector() {
  return {
      .name = "blocking",
      .unit = "levels",
      .convention =
          "how much steps on a grid of 8 px, or 8 px of the input, exceed those beside it (medians over the "
          "lines), mean of both directions, less the same of the reference or the input",
      .needs = "",
      .version = 2,
      .detect = blocking};
}

}  // namespace upbench
