#include "metrics/artifacts/broken_parts.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include <opencv2/imgproc.hpp>

#include "metrics/artifacts/local.h"
#include "metrics/artifacts/regions.h"

namespace upbench {
namespace {

// Of regions of 8-connected cells, those that satisfy `wanted(cells of the region as a mask, its box)`.
template <class Wanted>
cv::Mat regions_that(const cv::Mat& cells, Wanted wanted) {
  cv::Mat kept = cv::Mat::zeros(cells.size(), CV_8U);
  for_each_region(cells, [&](const cv::Rect& box, const cv::Mat& mask) {
    if (wanted(mask, box)) kept(box).setTo(255, mask);
  });
  return kept;
}

// Whether every pixel of a cell has the value of the first.
cv::Mat flat_cells(const cv::Mat& plane) {
  cv::Mat cells(std::max(1, plane.rows / kBrokenCell), std::max(1, plane.cols / kBrokenCell), CV_8U,
                cv::Scalar(255));
  for (int y = 0; y < plane.rows; ++y) {
    const int row = std::min(y / kBrokenCell, cells.rows - 1);
    for (int x = 0; x < plane.cols; ++x) {
      const int column = std::min(x / kBrokenCell, cells.cols - 1);
      if (plane.at<float>(y, x) != plane.at<float>(row * kBrokenCell, column * kBrokenCell))
        cells.at<std::uint8_t>(row, column) = 0;
    }
  }
  return cells;
}

// Of flat cells: areas of one colour, numbered from 1; 0 elsewhere.
cv::Mat areas_of_one_colour(const cv::Mat& flat, const std::array<cv::Mat, 3>& rgb,
                            std::vector<std::size_t>& sizes) {
  const auto same = [&](cv::Point a, cv::Point b) {
    return std::ranges::all_of(rgb, [&](const cv::Mat& plane) {
      return plane.at<float>(a * kBrokenCell) == plane.at<float>(b * kBrokenCell);
    });
  };
  cv::Mat areas = cv::Mat::zeros(flat.size(), CV_32S);
  const cv::Rect all({}, flat.size());
  std::vector<cv::Point> open;
  sizes.assign(1, 0);
  for (int y = 0; y < flat.rows; ++y)
    for (int x = 0; x < flat.cols; ++x) {
      if (flat.at<std::uint8_t>(y, x) == 0 || areas.at<int>(y, x) != 0) continue;
      const auto area = static_cast<int>(sizes.size());
      sizes.push_back(0);
      areas.at<int>(y, x) = area;
      open.assign(1, {x, y});
      while (!open.empty()) {
        const cv::Point at = open.back();
        open.pop_back();
        ++sizes.back();
        for (const cv::Point step : {cv::Point(1, 0), cv::Point(-1, 0), cv::Point(0, 1), cv::Point(0, -1)}) {
          const cv::Point next = at + step;
          if (!all.contains(next) || flat.at<std::uint8_t>(next) == 0 || areas.at<int>(next) != 0) continue;
          if (!same(at, next)) continue;
          areas.at<int>(next) = area;
          open.push_back(next);
        }
      }
    }
  return areas;
}

// From pixels (or squares of them) to cells: any.
cv::Mat to_cells(const cv::Mat& mask, cv::Size picture) {
  cv::Mat values, cells;
  mask.convertTo(values, CV_32F);
  if (mask.size() != picture) cv::resize(values, values, picture, 0, 0, cv::INTER_NEAREST);
  return cell_maxima(values, kBrokenCell) > 0;
}

}  // namespace

cv::Mat broken_cells(const cv::Mat& mask, cv::Size picture) {
  return mask.empty() ? cv::Mat() : to_cells(mask, picture);
}

cv::Mat constant_cells(const std::array<cv::Mat, 3>& rgb, const cv::Mat& truth, double scale) {
  constexpr int kSide = 20 / kBrokenCell;      // cells
  constexpr double kStructure = 4, kTone = 8;  // levels
  const cv::Mat luma = 0.299 * cell_means(rgb[0], kBrokenCell) + 0.587 * cell_means(rgb[1], kBrokenCell) +
                       0.114 * cell_means(rgb[2], kBrokenCell);
  const cv::Mat wanted = cell_means(truth, kBrokenCell);
  std::vector<std::size_t> sizes;
  const cv::Mat areas =
      areas_of_one_colour(flat_cells(rgb[0]) & flat_cells(rgb[1]) & flat_cells(rgb[2]), rgb, sizes);
  // An input blurs what borders on the area: the truth is looked at further inside.
  const int blurred = scale > 1 ? 1 + static_cast<int>(scale) / kBrokenCell : 0;
  const cv::Mat square = cv::Mat::ones(kSide, kSide, CV_8U),
                margin = cv::Mat::ones(2 * blurred + 1, 2 * blurred + 1, CV_8U);
  cv::Mat broken = cv::Mat::zeros(areas.size(), CV_8U);
  for (int area = 1; area < static_cast<int>(sizes.size()); ++area) {
    if (sizes[static_cast<std::size_t>(area)] < kSide * kSide) continue;
    cv::Mat core;
    // Only what holds a whole square of that side.
    cv::morphologyEx(areas == area, core, cv::MORPH_OPEN, square);
    cv::Mat inside;
    cv::erode(core, inside, margin);
    if (cv::countNonZero(inside) == 0) continue;
    cv::Scalar mean, deviation;
    cv::meanStdDev(wanted, mean, deviation, inside);
    if (deviation[0] > kStructure || std::abs(mean[0] - cv::mean(luma, inside)[0]) > kTone) broken |= core;
  }
  return broken;
}

cv::Mat foreign_cells(const cv::Mat& output, const cv::Mat& truth, double scale) {
  constexpr int kWindow = 9;             // reduced pixels
  constexpr double kContrast = 6;        // levels of standard deviation, in the truth or the output
  constexpr double kOff = 10;            // levels, mean absolute difference
  constexpr double kSame = 0.35;         // correlation below which the structure is another
  constexpr double kElsewhere = 0.8;     // what it is elsewhere
  constexpr double kAliases = 0.35;      // px of the input, sigma
  constexpr double kCoarse = 3;          // reduced pixels, sigma
  constexpr double kOtherTone = 6;       // levels, mean absolute difference of what is coarser
  constexpr double kLargestShare = 0.5;  // of the picture: more is no broken place but another picture
  const int factor = std::max(2, static_cast<int>(std::lround(scale)));
  // What an input cannot hold must not come back aliased.
  const auto reduced = [&](const cv::Mat& plane) {
    return cell_means(scale > 1 ? blurred(plane, kAliases * scale) : plane, factor);
  };
  const cv::Mat here = reduced(output), there = reduced(truth);
  if (std::min(here.cols, here.rows) < kWindow) return {};
  const LocalMoments moments = local_moments(here, there, kWindow);
  cv::Mat product = moments.variance_a.mul(moments.variance_b);
  cv::sqrt(product, product);
  const cv::Mat correlation = moments.covariance / (product + 1);
  cv::Mat off;
  cv::blur(cv::abs(here - there), off, {kWindow, kWindow});
  const cv::Mat structured =
      (moments.variance_a > kContrast * kContrast) | (moments.variance_b > kContrast * kContrast);
  cv::Mat foreign = structured & (correlation < kSame) & (off > kOff);
  cv::morphologyEx(foreign, foreign, cv::MORPH_OPEN, cv::Mat::ones(3, 3, CV_8U));
  const int found = cv::countNonZero(foreign);
  if (found == 0 || found > kLargestShare * static_cast<double>(foreign.total())) return {};
  std::vector<float> elsewhere;
  for (int y = 0; y < foreign.rows; ++y)
    for (int x = 0; x < foreign.cols; ++x)
      if (structured.at<std::uint8_t>(y, x) != 0 && foreign.at<std::uint8_t>(y, x) == 0)
        elsewhere.push_back(correlation.at<float>(y, x));
  if (elsewhere.empty() || quantile(cv::Mat(elsewhere), 0.5) < kElsewhere) return {};
  // Another place has other tones, too; fine patterns that a network draws in another direction have not.
  const cv::Mat tone = cv::abs(blurred(here - there, kCoarse));
  // The window reaches over the edges of a tile; a tile fills its box.
  const cv::Mat tiles = regions_that(foreign, [&](const cv::Mat& mask, const cv::Rect& box) {
    return box.width >= kWindow / 2 && box.height >= kWindow / 2 &&
           2 * cv::countNonZero(mask) >= box.area() && cv::mean(tone(box), mask)[0] > kOtherTone;
  });
  return to_cells(tiles, output.size());
}

cv::Mat speck_cells(const cv::Mat& output, const cv::Mat& truth, double scale) {
  const double least = scale > 1 ? 100 : 60;  // levels
  constexpr float kIn = 25;
  constexpr double kMostSpecks = 0.05;  // of the cells, beside an input
  constexpr float kBlack = 4, kWhite = 251;
  cv::Mat levels, median, wide;
  output.convertTo(levels, CV_8U);
  cv::medianBlur(levels, median, 5);
  median.convertTo(wide, CV_32F);
  const cv::Mat out = cv::abs(output - wide) > least;
  const cv::Mat extreme = (output <= kBlack) | (output >= kWhite);
  const cv::Mat range = local_maximum(truth, 2) - local_minimum(truth, 2);
  cv::Mat cells = to_cells(out & extreme & (range < kIn), output.size());
  // So many are a texture that the input cannot hold.
  if (scale > 1 && cv::countNonZero(cells) > kMostSpecks * static_cast<double>(cells.total())) return {};
  return cells;
}

namespace {

// Variance of the means of the phases of `period` within a block, and what chance leaves of it.
struct Periodicity {
  double pattern = 0, chance = 0;
};

Periodicity periodicity(const cv::Mat& block, int period) {
  const auto side = static_cast<std::size_t>(period);
  std::vector<double> sums(side * side), counts(sums.size());
  double square = 0;
  for (int y = 0; y < block.rows; ++y)
    for (int x = 0; x < block.cols; ++x) {
      const auto phase = static_cast<std::size_t>(y % period) * side + static_cast<std::size_t>(x % period);
      const auto value = static_cast<double>(block.at<float>(y, x));
      sums[phase] += value;
      counts[phase] += 1;
      square += value * value;
    }
  Periodicity result;
  for (std::size_t i = 0; i < sums.size(); ++i) result.pattern += std::pow(sums[i] / counts[i], 2);
  result.pattern /= static_cast<double>(sums.size());
  result.chance = square / static_cast<double>(block.total()) * static_cast<double>(sums.size()) /
                  static_cast<double>(block.total());
  return result;
}

bool is_checkerboard(const cv::Mat& output, const cv::Mat& truth, double scale) {
  const double amplitude = scale > 1 ? 3 : 1.5;  // levels, RMS
  const double ratio = scale > 1 ? 20 : 8;       // over chance
  for (const int period : {2, 3, 4}) {
    const Periodicity here = periodicity(output, period);
    if (here.pattern < amplitude * amplitude || here.pattern < ratio * here.chance) continue;
    if (here.pattern > 4 * periodicity(truth, period).pattern) return true;
  }
  return false;
}

}  // namespace

cv::Mat checkerboard_cells(const cv::Mat& output, const cv::Mat& truth, double scale) {
  constexpr int kBlock = 24;  // px, a multiple of every period and of the cells
  const cv::Mat here = high_pass(output, 2), there = high_pass(truth, 2);
  cv::Mat mask = cv::Mat::zeros(output.size(), CV_8U);
  bool any = false;
  for (int y = 0; y + kBlock <= output.rows; y += kBlock)
    for (int x = 0; x + kBlock <= output.cols; x += kBlock) {
      const cv::Rect block(x, y, kBlock, kBlock);
      if (!is_checkerboard(here(block), there(block), scale)) continue;
      mask(block).setTo(255);
      any = true;
    }
  return any ? to_cells(mask, output.size()) : cv::Mat();
}

}  // namespace upbench
