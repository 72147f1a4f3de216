#include "metrics/erqa.h"

#include <array>
#include <cmath>
#include <cstdint>
#include <limits>

#include <opencv2/core.hpp>
#include <opencv2/imgproc.hpp>

#include "metrics/entries.h"
#include "metrics/opencv_picture.h"

namespace upbench {
namespace {

constexpr int kMostShift = 3, kSmallest = 8;
constexpr double kLowThreshold = 100, kHighThreshold = 200;  // of Canny
constexpr std::array<int, 3> kNearestFirst = {0, -1, 1};

struct Overlap {
  cv::Mat output, reference;
};

// What both pictures share when the output's content lies `down` and `right` of the reference's.
Overlap overlap(const cv::Mat& output, const cv::Mat& reference, int down, int right) {
  const cv::Size size(output.cols - std::abs(right), output.rows - std::abs(down));
  return {output(cv::Rect({std::max(right, 0), std::max(down, 0)}, size)),
          reference(cv::Rect({std::max(-right, 0), std::max(-down, 0)}, size))};
}

double mean_squared_difference(const Overlap& pair) {
  std::int64_t sum = 0;
  const int count = pair.output.cols * pair.output.channels();
  for (int y = 0; y < pair.output.rows; ++y) {
    const auto *one = pair.output.ptr<std::uint8_t>(y), *other = pair.reference.ptr<std::uint8_t>(y);
    std::int32_t of_row = 0;  // a row of up to 33,000 levels' squares fits
    for (int x = 0; x < count; ++x) {
      const int difference = one[x] - other[x];
      of_row += difference * difference;
      if ((x & 0x3FFF) == 0x3FFF) {
        sum += of_row;
        of_row = 0;
      }
    }
    sum += of_row;
  }
  return static_cast<double>(sum) / (static_cast<double>(pair.output.rows) * count);
}

cv::Mat edges_of(const cv::Mat& bgr) {
  cv::Mat edges;
  cv::Canny(bgr, edges, kLowThreshold, kHighThreshold);
  return edges / 255;
}

// Moves the content down and right, round the borders, as the original does.
cv::Mat rolled(const cv::Mat& mask, int down, int right) {
  cv::Mat result(mask.size(), mask.type());
  for (int y = 0; y < mask.rows; ++y) {
    const auto* from = mask.ptr<std::uint8_t>((y - down + mask.rows) % mask.rows);
    auto* to = result.ptr<std::uint8_t>(y);
    for (int x = 0; x < mask.cols; ++x) to[x] = from[(x - right + mask.cols) % mask.cols];
  }
  return result;
}

// Each edge of the reference is used once: a wider edge has no second partner.
void pair_up(EdgeMatches& matches, const cv::Mat& reference_edges) {
  matches.lost = reference_edges.clone();
  matches.matched = cv::Mat::zeros(matches.edges.size(), CV_8U);
  for (const int down : kNearestFirst)
    for (const int right : kNearestFirst) {
      const cv::Mat found = matches.edges & rolled(matches.lost, down, right) & (1 - matches.matched);
      matches.matched |= found;
      matches.lost &= 1 - rolled(found, -down, -right);
    }
}

double share(double part, double rest) {
  return part + rest > 0 ? part / (part + rest) : std::numeric_limits<double>::quiet_NaN();
}

Score score(const Image& output, const Image& reference) {
  const Planes first = planes_of(output);
  if (std::min(first.width, first.height) < kSmallest)
    return {.flag = ScoreFlag::undefined, .reason = "smaller than 8 x 8 pixels"};
  const EdgeMatches matches = match_edges(first, planes_of(reference));
  const double precision = matches.precision(), recall = matches.recall();
  if (std::isnan(precision) && std::isnan(recall))
    return {.flag = ScoreFlag::undefined, .reason = "neither picture has an edge"};
  if (std::isnan(precision) || std::isnan(recall) || precision + recall == 0) return {.value = 0};
  return {.value = 2 * precision * recall / (precision + recall)};
}

}  // namespace

cv::Mat EdgeMatches::false_edges() const {
  return edges & (1 - matched);
}

double EdgeMatches::precision() const {
  const double used = cv::countNonZero(matched);
  return share(used, cv::countNonZero(edges) - used);
}

double EdgeMatches::recall() const {
  return share(cv::countNonZero(matched), cv::countNonZero(lost));
}

EdgeMatches match_edges(const Planes& output, const Planes& reference) {
  const cv::Mat first = bgr_of(output), second = bgr_of(reference);
  EdgeMatches matches;
  double least = std::numeric_limits<double>::infinity();
  for (int down = -kMostShift; down <= kMostShift; ++down)
    for (int right = -kMostShift; right <= kMostShift; ++right) {
      const double difference = mean_squared_difference(overlap(first, second, down, right));
      if (difference >= least) continue;
      least = difference;
      matches.down = down;
      matches.right = right;
    }
  const Overlap pair = overlap(first, second, matches.down, matches.right);
  matches.edges = edges_of(pair.output);
  pair_up(matches, edges_of(pair.reference));
  return matches;
}

Metric erqa() {
  return {.name = "erqa",
          .unit = "",
          .convention =
              "ERQA 1.1: F1 of Canny(100, 200) edges, one pixel of tolerance, each edge used once, "
              "whole-pixel shift up to 3 px removed; 8-bit RGB, no border cut",
          .better = Better::higher,
          .make = [](std::string&) { return score; }};
}

}  // namespace upbench
