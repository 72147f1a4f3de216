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

void for_each_region(const cv::Mat& mask, const std::function<void(const cv::Rect&, const cv::Mat&)>& visit) {
  cv::Mat labels, statistics, centres;
  const int regions = cv::connectedComponentsWithStats(mask, labels, statistics, centres, 8, CV_32S);
  for (int region = 1; region < regions; ++region) {
    const cv::Rect box(
        statistics.at<int>(region, cv::CC_STAT_LEFT), statistics.at<int>(region, cv::CC_STAT_TOP),
        statistics.at<int>(region, cv::CC_STAT_WIDTH), statistics.at<int>(region, cv::CC_STAT_HEIGHT));
    visit(box, labels(box) == region);
  }
}

std::vector<ArtifactBox> worst_regions(const cv::Mat& cells, double level, int width, int height) {
  std::vector<ArtifactBox> boxes;
  for_each_region(cells > level, [&](const cv::Rect& area, const cv::Mat& mask) {
    double largest = 0;
    cv::minMaxLoc(cells(area), nullptr, &largest, nullptr, nullptr, mask);
    const auto pixel = [](int cell, int count, int side) {
      return static_cast<int>(static_cast<std::int64_t>(cell) * side / count);
    };
    const int x = pixel(area.x, cells.cols, width), y = pixel(area.y, cells.rows, height);
    boxes.push_back({.x = x,
                     .y = y,
                     .width = pixel(area.br().x, cells.cols, width) - x,
                     .height = pixel(area.br().y, cells.rows, height) - y,
                     .value = largest});
  });
  std::ranges::stable_sort(boxes, std::ranges::greater{}, &ArtifactBox::value);
  if (boxes.size() > kMostBoxes) boxes.resize(kMostBoxes);
  return boxes;
}

namespace {

cv::Size cells_of(const cv::Mat& values, int side) {
  return {std::max(1, values.cols / side), std::max(1, values.rows / side)};
}

}  // namespace

cv::Mat cell_means(const cv::Mat& values, int side) {
  cv::Mat cells;
  cv::resize(values, cells, cells_of(values, side), 0, 0, cv::INTER_AREA);
  return cells;
}

cv::Mat cell_maxima(const cv::Mat& values, int side) {
  const cv::Size size = cells_of(values, side);
  cv::Mat cells(size, CV_32F, cv::Scalar(0));
  for (int y = 0; y < values.rows; ++y) {
    const auto* row = values.ptr<float>(y);
    auto* cell = cells.ptr<float>(std::min(y / side, size.height - 1));
    for (int x = 0; x < values.cols; ++x) {
      float& most = cell[std::min(x / side, size.width - 1)];
      most = std::max(most, row[x]);
    }
  }
  return cells;
}

double quantile(const cv::Mat& cells, double share) {
  std::vector<float> sorted = artifact_map(cells).values;
  const auto rank = static_cast<std::size_t>(std::ceil(share * static_cast<double>(sorted.size())));
  const std::size_t place = std::min(rank > 0 ? rank - 1 : 0, sorted.size() - 1);
  std::nth_element(sorted.begin(), sorted.begin() + static_cast<std::ptrdiff_t>(place), sorted.end());
  return sorted[place];
}

}  // namespace upbench
