#include "metrics/artifacts/seam_lines.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace upbench {
namespace {

constexpr int kReach = 24;           // px to each side: the parallel lines of the null
constexpr int kStrip = 4;            // px on each side whose means are compared
constexpr int kSegment = 32;         // px along the line over which tone is averaged
constexpr double kFloor = 0.15;      // levels: what rounding to 8 bit leaves
constexpr double kNullShare = 0.95;  // of the parallel lines are below what counts as excess
constexpr float kLargestStep = 16;   // levels

// How much the step between x - 1 and x differs from its neighbours.
double detail_at(const cv::Mat& difference, const cv::Mat& weight, int x) {
  double sum = 0;
  for (int y = 0; y < difference.rows; ++y) {
    const auto* row = difference.ptr<float>(y);
    const float step = std::abs(1.5F * (row[x] - row[x - 1]) - 0.5F * (row[x + 1] - row[x - 2]));
    sum += static_cast<double>(std::min(step, kLargestStep) * weight.ptr<float>(y)[x]);
  }
  return sum / difference.rows;
}

// Mean over the segments of |right - left| of strips that begin `gap` px beside x.
double tone_at(const cv::Mat& difference, const cv::Mat& weight, int x, int gap) {
  double total = 0;
  int segments = 0;
  for (int top = 0; top < difference.rows; top += kSegment) {
    const int bottom = std::min(top + kSegment, difference.rows);
    if (bottom - top < kSegment / 2) continue;
    double sum = 0;
    for (int y = top; y < bottom; ++y) {
      const auto *row = difference.ptr<float>(y), *of = weight.ptr<float>(y);
      float right = 0, left = 0;
      float least = 1;
      for (int i = 0; i < kStrip; ++i) {
        right += row[x + gap + i];
        left += row[x - gap - 1 - i];
        least = std::min({least, of[x + gap + i], of[x - gap - 1 - i]});
      }
      sum += static_cast<double>(least * (right - left) / kStrip);
    }
    total += std::abs(sum / (bottom - top));
    ++segments;
  }
  return segments > 0 ? total / segments : 0;
}

// The share of all values that is below, by rank.
double ranked(std::vector<double>& values, double share) {
  const auto place = static_cast<std::ptrdiff_t>(share * static_cast<double>(values.size() - 1));
  std::nth_element(values.begin(), values.begin() + place, values.end());
  return values[static_cast<std::size_t>(place)];
}

bool near_a_line(double x, double clear, const std::vector<SeamLine>& lines) {
  const auto near = [&](const SeamLine& line) {
    return std::abs(x - line.position) <= line.half_width + clear;
  };
  return std::ranges::any_of(lines, near);
}

struct Excess {
  double ratio = 0, levels = 0;
};

// extent: how many pixels to each side the statistic looks at.
template <class Statistic>
Excess excess_over_null(int at, int extent, int width, const std::vector<SeamLine>& lines,
                        Statistic statistic) {
  const int margin = extent + 1, reach = kReach + extent;
  if (at < margin || at > width - margin - 1) return {};
  std::vector<double> null;
  for (int x = std::max(margin, at - reach); x <= std::min(width - margin - 1, at + reach); ++x)
    if (!near_a_line(x, extent, lines)) null.push_back(statistic(x));
  if (null.size() < 8) return {};
  const double here = statistic(at), median = ranked(null, 0.5), high = ranked(null, kNullShare);
  return {.ratio = std::max(0.0, here - high) / std::max(median, kFloor),
          .levels = std::max(0.0, here - median)};
}

}  // namespace

SeamFigures measure_seam(const cv::Mat& difference, const cv::Mat& weight, const SeamLine& line,
                         const std::vector<SeamLine>& all) {
  const auto at = static_cast<int>(std::lround(line.position));
  const auto half = static_cast<int>(std::ceil(line.half_width));
  // A soft transition shows where it begins, in the middle or where it ends.
  const Excess detail = excess_over_null(at, half + 2, difference.cols, all, [&](int x) {
    double most = detail_at(difference, weight, x);
    if (half > 0)
      most =
          std::max({most, detail_at(difference, weight, x - half), detail_at(difference, weight, x + half)});
    return most;
  });
  const Excess tone = excess_over_null(at, half + kStrip, difference.cols, all,
                                       [&](int x) { return tone_at(difference, weight, x, half); });
  return {.detail = detail.ratio, .tone = tone.ratio, .tone_levels = tone.levels};
}

std::vector<SeamLine> suspected_lines(const cv::Mat& difference, const cv::Mat& weight) {
  constexpr int kNear = 16, kPeak = 3, kPiece = 16;
  constexpr double kTwice = 1.5, kShare = 0.6;
  const int width = difference.cols, height = difference.rows;
  std::vector<double> whole(static_cast<std::size_t>(width));
  for (int x = 2; x + 1 < width; ++x) whole[static_cast<std::size_t>(x)] = detail_at(difference, weight, x);
  std::vector<SeamLine> lines;
  for (int x = kNear + 2; x + kNear + 1 < width; ++x) {
    double beside = 0;
    for (int other = x - kNear; other <= x + kNear; ++other)
      if (std::abs(other - x) > 1) beside = std::max(beside, whole[static_cast<std::size_t>(other)]);
    if (whole[static_cast<std::size_t>(x)] < kTwice * std::max(beside, kFloor)) continue;
    int peaks = 0, pieces = 0;
    for (int top = 0; top + kPiece <= height; top += kPiece, ++pieces) {
      const cv::Range rows(top, top + kPiece);
      const cv::Mat piece = difference.rowRange(rows), of = weight.rowRange(rows);
      const double here = detail_at(piece, of, x);
      bool peak = here > 0;
      for (int other = x - kPeak; other <= x + kPeak; ++other)
        peak = peak && (other == x || detail_at(piece, of, other) < here);
      peaks += peak ? 1 : 0;
    }
    if (peaks >= kShare * pieces) lines.push_back({.position = static_cast<double>(x)});
  }
  return lines;
}

}  // namespace upbench
