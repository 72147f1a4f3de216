#include <cstdint>
#include <map>
#include <unordered_map>
#include <utility>
#include <vector>

#include <opencv2/imgproc.hpp>

#include "metrics/artifacts/broken_parts.h"

namespace upbench {
namespace {

constexpr int kWindow = 16;            // px: compared by hash
constexpr int kStride = 4;             // px between the windows that are looked for
constexpr int kSide = 32;              // px that a copy must have each way
constexpr int kMostDisplacements = 8;  // more: a pattern that repeats itself
constexpr std::uint32_t kAcross = 0x01000193, kDown = 0x9E3779B1;

// Hash of the window whose top left pixel is there; 0 where nothing changes in it.
class Windows {
 public:
  explicit Windows(const cv::Mat& luma) : width_(luma.cols - kWindow + 1), height_(luma.rows - kWindow + 1) {
    cv::Mat levels;
    luma.convertTo(levels, CV_16U, 64);
    const cv::Mat rows = rolled(levels);
    hashes_.resize(static_cast<std::size_t>(width_) * static_cast<std::size_t>(height_));
    std::uint32_t leaving = 1;
    for (int i = 0; i < kWindow; ++i) leaving *= kDown;
    for (int x = 0; x < width_; ++x) {
      std::uint32_t hash = 0;
      for (int y = 0; y < luma.rows; ++y) {
        hash = hash * kDown + static_cast<std::uint32_t>(rows.at<std::int32_t>(y, x));
        if (y >= kWindow) hash -= leaving * static_cast<std::uint32_t>(rows.at<std::int32_t>(y - kWindow, x));
        if (y + 1 >= kWindow) at(x, y + 1 - kWindow) = hash;
      }
    }
    cv::Mat smooth, squares;
    cv::Mat plane = luma;
    cv::blur(plane, smooth, {kWindow, kWindow});
    cv::blur(plane.mul(plane), squares, {kWindow, kWindow});
    for (int y = 0; y < height_; ++y)
      for (int x = 0; x < width_; ++x) {
        const int cx = x + kWindow / 2, cy = y + kWindow / 2;
        const float mean = smooth.at<float>(cy, cx);
        if (squares.at<float>(cy, cx) - mean * mean < 9) at(x, y) = 0;
      }
  }
  int width() const { return width_; }
  int height() const { return height_; }
  std::uint32_t& at(int x, int y) {
    return hashes_[static_cast<std::size_t>(y) * static_cast<std::size_t>(width_) +
                   static_cast<std::size_t>(x)];
  }

 private:
  // Of kWindow pixels to the right.
  static cv::Mat rolled(const cv::Mat& levels) {
    cv::Mat rows(levels.rows, levels.cols - kWindow + 1, CV_32S);
    std::uint32_t leaving = 1;
    for (int i = 0; i < kWindow; ++i) leaving *= kAcross;
    for (int y = 0; y < levels.rows; ++y) {
      std::uint32_t hash = 0;
      for (int x = 0; x < levels.cols; ++x) {
        hash = hash * kAcross + levels.at<std::uint16_t>(y, x) + 1;
        if (x >= kWindow)
          hash -= leaving * (static_cast<std::uint32_t>(levels.at<std::uint16_t>(y, x - kWindow)) + 1);
        if (x + 1 >= kWindow) rows.at<std::int32_t>(y, x + 1 - kWindow) = static_cast<std::int32_t>(hash);
      }
    }
    return rows;
  }

  int width_, height_;
  std::vector<std::uint32_t> hashes_;
};

using Displacement = std::pair<int, int>;

}  // namespace

cv::Mat repeated_cells(const cv::Mat& output) {
  if (std::min(output.cols, output.rows) < kSide) return {};
  Windows windows(output);
  std::unordered_map<std::uint32_t, cv::Point> looked_for;  // the first of its kind
  for (int y = 0; y < windows.height(); y += kStride)
    for (int x = 0; x < windows.width(); x += kStride)
      if (const std::uint32_t hash = windows.at(x, y)) looked_for.try_emplace(hash, x, y);
  std::map<Displacement, std::vector<cv::Point>> found;
  for (int y = 0; y < windows.height(); ++y)
    for (int x = 0; x < windows.width(); ++x) {
      const auto first = looked_for.find(windows.at(x, y));
      if (first == looked_for.end()) continue;
      const cv::Point from = first->second;
      if (std::abs(from.x - x) < kWindow && std::abs(from.y - y) < kWindow) continue;
      found[{x - from.x, y - from.y}].emplace_back(x, y);
    }
  cv::Mat cells;
  int displacements = 0;
  for (const auto& [displacement, places] : found) {
    constexpr int kEnough = (kSide - kWindow) / kStride;
    if (static_cast<int>(places.size()) < kEnough * kEnough) continue;
    cv::Mat mask = cv::Mat::zeros(output.size(), CV_8U);
    for (const cv::Point& place : places) mask(cv::Rect(place.x, place.y, kWindow, kWindow)).setTo(255);
    cv::morphologyEx(mask, mask, cv::MORPH_OPEN, cv::Mat::ones(kSide, kSide, CV_8U));
    if (cv::countNonZero(mask) == 0) continue;
    if (++displacements > kMostDisplacements) return {};
    const cv::Mat part = broken_cells(mask, output.size());
    cells = cells.empty() ? part : cv::Mat(cells | part);
  }
  return cells;
}

}  // namespace upbench
