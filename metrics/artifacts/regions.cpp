#include "metrics/artifacts/regions.h"

#include <algorithm>
#include <cmath>

#include <opencv2/imgproc.hpp>

namespace upbench {

ArtifactMap artifact_map(const cv::Mat& cells) {
  ArtifactMap map{.width = cells.cols, .height = cells.rows};
  map.values.reserve(cells.total());
  for (int y = 0; y < cells.rows; ++y)
    map.values.insert(map.values.end(), cells.ptr<float>(y), cells.ptr<float>(y) + cells.cols);
  return map;
}

std::vector<ArtifactBox> worst_regions(const cv::Mat& cells, double level, int width, int height) {
  const cv::Mat above = cells > level;
  cv::Mat labels, statistics, centres;
  const int regions = cv::connectedComponentsWithStats(above, labels, statistics, centres, 8, CV_32S);
  std::vector<ArtifactBox> boxes;
  for (int region = 1; region < regions; ++region) {
    const cv::Rect area(
        statistics.at<int>(region, cv::CC_STAT_LEFT), statistics.at<int>(region, cv::CC_STAT_TOP),
        statistics.at<int>(region, cv::CC_STAT_WIDTH), statistics.at<int>(region, cv::CC_STAT_HEIGHT));
    double largest = 0;
    cv::minMaxLoc(cells(area), nullptr, &largest, nullptr, nullptr, labels(area) == region);
    const auto pixel = [](int cell, int count, int side) {
      return static_cast<int>(static_cast<std::int64_t>(cell) * side / count);
    };
    const int x = pixel(area.x, cells.cols, width), y = pixel(area.y, cells.rows, height);
    boxes.push_back({.x = x,
                     .y = y,
                     .width = pixel(area.br().x, cells.cols, width) - x,
                     .height = pixel(area.br().y, cells.rows, height) - y,
                     .value = largest});
  }
  std::ranges::stable_sort(boxes, std::ranges::greater{}, &ArtifactBox::value);
  if (boxes.size() > kMostBoxes) boxes.resize(kMostBoxes);
  return boxes;
}

double quantile(const cv::Mat& cells, double share) {
  std::vector<float> sorted = artifact_map(cells).values;
  const auto rank = static_cast<std::size_t>(std::ceil(share * static_cast<double>(sorted.size())));
  const std::size_t place = std::min(rank > 0 ? rank - 1 : 0, sorted.size() - 1);
  std::nth_element(sorted.begin(), sorted.begin() + static_cast<std::ptrdiff_t>(place), sorted.end());
  return sorted[place];
}

}  // namespace upbench
