#include "metrics/artifacts/seam_lines.h"

#include <algorithm>
#include <cmath>
#include <functional>

#include <opencv2/imgproc.hpp>

namespace upbench {
namespace {

constexpr int kReach = 24;           // px to each side: the parallel lines of the null
constexpr int kStrip = 4;            // px on each side whose means are compared
constexpr int kSegment = 32;         // px along the line over which tone is averaged
constexpr int kAlong = 9;            // px along a line over which an edge of the witness must hold
constexpr int kPiece = 16;           // px along the line over which steps are averaged
constexpr double kFloor = 0.15;      // levels: what rounding to 8 bit leaves
constexpr double kNullShare = 0.95;  // of the parallel lines are below what counts as excess
constexpr float kLargestStep = 16;   // levels

double mean_of_column(const cv::Mat& plane, int x) {
  double sum = 0;
  for (int y = 0; y < plane.rows; ++y) sum += static_cast<double>(plane.ptr<float>(y)[x]);
  return sum / plane.rows;
}

// Mean of right - left over rows [top, bottom), of strips that begin `gap` px beside x.
double across(const cv::Mat& plane, int x, int gap, int top, int bottom) {
  double sum = 0;
  for (int y = top; y < bottom; ++y) {
    const auto* row = plane.ptr<float>(y);
    for (int i = 0; i < kStrip; ++i) sum += static_cast<double>(row[x + gap + i] - row[x - gap - 1 - i]);
  }
  return sum / (kStrip * (bottom - top));
}

// Mean over the segments of |right - left| of strips that begin `gap` px beside x, beyond what edges of the
// witness may leave.
double tone_at(const SeamPlanes& planes, int x, int gap) {
  double total = 0;
  int segments = 0;
  for (int top = 0; top < planes.difference.rows; top += kSegment) {
    const int bottom = std::min(top + kSegment, planes.difference.rows);
    if (bottom - top < kSegment / 2) continue;
    double step = std::abs(across(planes.difference, x, gap, top, bottom));
    if (!planes.witness.empty()) step -= planes.share * std::abs(across(planes.witness, x, gap, top, bottom));
    total += std::max(0.0, step);
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

// Of the worst quarter of the pieces along the line: how far each is above every parallel piece nearby.
double excess_in_places(const SeamPlanes& planes, int at, int half, const std::vector<SeamLine>& all) {
  const int extent = half + 2, margin = extent + 1, reach = kReach + extent, width = planes.steps.cols;
  const int pieces = planes.steps.rows / kPiece;
  if (at < margin || at > width - margin - 1 || pieces == 0) return 0;
  std::vector<double> excess, medians;
  for (int piece = 0; piece < pieces; ++piece) {
    const cv::Mat rows = planes.steps.rowRange(piece * kPiece, (piece + 1) * kPiece);
    std::vector<double> null;
    for (int x = std::max(margin, at - reach); x <= std::min(width - margin - 1, at + reach); ++x)
      if (!near_a_line(x, extent, all)) null.push_back(mean_of_column(rows, x));
    if (null.size() < 8) continue;
    double here = mean_of_column(rows, at);
    if (half > 0) here = std::max({here, mean_of_column(rows, at - half), mean_of_column(rows, at + half)});
    excess.push_back(std::max(0.0, here - *std::ranges::max_element(null)));
    medians.push_back(ranked(null, 0.5));
  }
  if (excess.empty()) return 0;
  std::ranges::sort(excess, std::ranges::greater{});
  const std::size_t worst = (excess.size() + 3) / 4;
  double sum = 0;
  for (std::size_t i = 0; i < worst; ++i) sum += excess[i];
  return sum / static_cast<double>(worst) / std::max(ranked(medians, 0.5), kFloor);
}

}  // namespace

SeamPlanes seam_planes(const cv::Mat& output, const cv::Mat& witness, int reach, float share) {
  SeamPlanes planes{
      .difference = {}, .witness = witness, .steps = cv::Mat::zeros(output.size(), CV_32F), .share = share};
  cv::Mat edges = cv::Mat::zeros(output.size(), CV_32F);
  if (witness.empty()) {
    planes.difference = output;
  } else {
    cv::subtract(output, witness, planes.difference);
    // Edges along the line, not those that cross it.
    cv::Mat along, high, low;
    cv::blur(witness, along, {1, kAlong});
    const cv::Mat line = cv::Mat::ones(1, 2 * reach + 1, CV_8U);
    cv::dilate(along, high, line);
    cv::erode(along, low, line);
    edges = (high - low) * share;
  }
  for (int y = 0; y < output.rows; ++y) {
    const auto *row = planes.difference.ptr<float>(y), *edge = edges.ptr<float>(y);
    auto* to = planes.steps.ptr<float>(y);
    for (int x = 2; x + 1 < output.cols; ++x) {
      const float step = std::abs(1.5F * (row[x] - row[x - 1]) - 0.5F * (row[x + 1] - row[x - 2]));
      to[x] = std::min(std::max(0.0F, step - std::max(edge[x], edge[x - 1])), kLargestStep);
    }
  }
  return planes;
}

SeamFigures measure_seam(const SeamPlanes& planes, const SeamLine& line, const std::vector<SeamLine>& all) {
  const auto at = static_cast<int>(std::lround(line.position));
  const auto half = static_cast<int>(std::ceil(line.half_width));
  const int width = planes.difference.cols;
  // A soft transition shows where it begins, in the middle or where it ends.
  const Excess detail = excess_over_null(at, half + 2, width, all, [&](int x) {
    double most = mean_of_column(planes.steps, x);
    if (half > 0)
      most = std::max({most, mean_of_column(planes.steps, x - half), mean_of_column(planes.steps, x + half)});
    return most;
  });
  const Excess tone =
      excess_over_null(at, half + kStrip, width, all, [&](int x) { return tone_at(planes, x, half); });
  return {.detail = detail.ratio,
          .places = excess_in_places(planes, at, half, all),
          .tone = tone.ratio,
          .tone_levels = tone.levels};
}

std::vector<SeamLine> suspected_lines(const SeamPlanes& planes) {
  constexpr int kNear = 16, kPeak = 3;
  constexpr double kTwice = 1.5, kShare = 0.6;
  const int width = planes.steps.cols, height = planes.steps.rows;
  std::vector<double> whole(static_cast<std::size_t>(width));
  for (int x = 2; x + 1 < width; ++x) whole[static_cast<std::size_t>(x)] = mean_of_column(planes.steps, x);
  std::vector<SeamLine> lines;
  for (int x = kNear + 2; x + kNear + 1 < width; ++x) {
    double beside = 0;
    for (int other = x - kNear; other <= x + kNear; ++other)
      if (std::abs(other - x) > 1) beside = std::max(beside, whole[static_cast<std::size_t>(other)]);
    if (whole[static_cast<std::size_t>(x)] < kTwice * std::max(beside, kFloor)) continue;
    int peaks = 0, pieces = 0;
    for (int top = 0; top + kPiece <= height; top += kPiece, ++pieces) {
      const cv::Mat piece = planes.steps.rowRange(top, top + kPiece);
      const double here = mean_of_column(piece, x);
      bool peak = here > 0;
      for (int other = x - kPeak; other <= x + kPeak; ++other)
        peak = peak && (other == x || mean_of_column(piece, other) < here);
      peaks += peak ? 1 : 0;
    }
    if (peaks >= kShare * pieces) lines.push_back({.position = static_cast<double>(x)});
  }
  return lines;
}

}  // namespace upbench
