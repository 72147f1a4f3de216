#include <algorithm>
#include <cstdint>
#include <map>
#include <unordered_map>
#include <utility>
#include <vector>

#include <opencv2/imgproc.hpp>

#include "metrics/artifacts/broken_parts.h"
#include "metrics/artifacts/regions.h"

namespace upbench {
namespace {

constexpr int kWindow = 16;            // px: compared by hash
constexpr int kStride = 4;             // px between the windows that are looked for
constexpr int kSide = 32;              // px that a copy must have each way
constexpr int kSideBesideTruth = 24;   // where a truth says that it is none of the picture's own
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
    cv::blur(luma, smooth, {kWindow, kWindow});
    cv::blur(luma.mul(luma), squares, {kWindow, kWindow});
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

// Of a mask, what squares inside it cover. (morphologyEx moves it by a pixel where the side is even, and lets
// squares stand out of the picture.)
void keep_whole_squares(cv::Mat& mask, int side) {
  const cv::Mat square = cv::Mat::ones(side, side, CV_8U);
  const int anchor = (side - 1) / 2, opposite = side - 1 - anchor;
  cv::erode(mask, mask, square, {anchor, anchor}, 1, cv::BORDER_CONSTANT, 0);
  cv::dilate(mask, mask, square, {opposite, opposite}, 1, cv::BORDER_CONSTANT, 0);
}

// Of areas that are copies of what lies `displacement` before them: those that contradict the truth, or the
// areas that they were copied from where these do. Where the truth repeats itself, too, neither does; where
// it is an input, which saw the two a fraction of its pixel apart, both do a little.
cv::Mat wrong_copies(const cv::Mat& copies, Displacement displacement, const cv::Mat& output,
                     const cv::Mat& truth) {
  constexpr double kOther = 8;  // levels, mean absolute difference
  cv::Mat wrong = cv::Mat::zeros(copies.size(), CV_8U);
  for_each_region(copies, [&](const cv::Rect& here, const cv::Mat& mask) {
    const cv::Rect there = here - cv::Point(displacement.first, displacement.second);
    const auto distance = [&](const cv::Mat& a, const cv::Mat& b) {
      cv::Mat difference;
      cv::absdiff(a, b, difference);
      return cv::mean(difference, mask)[0];
    };
    if (distance(truth(here), truth(there)) < kOther) return;
    const double at_copy = distance(output(here), truth(here)),
                 at_first = distance(output(there), truth(there));
    if (std::max(at_copy, at_first) < 2 * std::min(at_copy, at_first) + kOther / 2) return;
    wrong(at_copy > at_first ? here : there).setTo(255, mask);
  });
  return wrong;
}

}  // namespace

cv::Mat repeated_cells(const cv::Mat& output, const cv::Mat& truth) {
  const int side = truth.empty() ? kSide : kSideBesideTruth;
  if (std::min(output.cols, output.rows) < side) return {};
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
    const int enough = (side - kWindow) / kStride;
    if (static_cast<int>(places.size()) < enough * enough) continue;
    cv::Mat mask = cv::Mat::zeros(output.size(), CV_8U);
    for (const cv::Point& place : places) mask(cv::Rect(place.x, place.y, kWindow, kWindow)).setTo(255);
    keep_whole_squares(mask, side);
    if (cv::countNonZero(mask) == 0) continue;
    if (++displacements > kMostDisplacements) return {};
    if (!truth.empty()) mask = wrong_copies(mask, displacement, output, truth);
    const cv::Mat part = broken_cells(mask, output.size());
    cells = cells.empty() ? part : cv::Mat(cells | part);
  }
  return cells;
}

}  // namespace upbench
