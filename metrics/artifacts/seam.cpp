#include <algorithm>
#include <cmath>
#include <span>
#include <vector>

#include <opencv2/imgproc.hpp>

#include "metrics/artifacts/entries.h"
#include "metrics/artifacts/local.h"
#include "metrics/artifacts/prepared.h"
#include "metrics/artifacts/regions.h"
#include "metrics/artifacts/seam_lines.h"

namespace upbench {
namespace {

using Picture = Prepared::Picture;

constexpr int kCell = 16;      // px of the map
constexpr double kMarked = 1;  // ratio
constexpr int kBoxMargin = 8;  // px beside a seam
constexpr int kSmallestSide = 32;

// One direction: lines are vertical in these planes.
struct Side {
  cv::Mat difference;  // output less witness; the output itself without one
  cv::Mat weight;      // near 0 where the witness is busy: what happens there says little
};

cv::Mat weights(const cv::Mat& luma, int radius) {
  constexpr float kBusy = 6;  // levels/px
  cv::Mat gradient;
  cv::Sobel(luma, gradient, CV_32F, 1, 0, 3, 1.0 / 8);
  const cv::Mat busy = local_maximum(cv::abs(gradient), radius) / kBusy;
  const cv::Mat square = busy.mul(busy);
  return 1 / (1 + square.mul(square));
}

Side side_of(const Prepared& prepared, bool vertical) {
  const auto witness = prepared.first_of({Picture::reference, Picture::base, Picture::input});
  const cv::Mat& output = prepared.luma(Picture::output);
  if (!witness) {
    const cv::Mat turned = vertical ? output : cv::Mat(output.t());
    return {turned, cv::Mat(turned.size(), CV_32F, cv::Scalar(1))};
  }
  const cv::Mat& truth = prepared.full_luma(*witness);
  const cv::Mat difference = output - truth;
  const int radius = *witness == Picture::input ? 1 + static_cast<int>(std::ceil(prepared.scale_x())) : 2;
  return {vertical ? difference : cv::Mat(difference.t()),
          weights(vertical ? truth : cv::Mat(truth.t()), radius)};
}

void paint(cv::Mat& map, const SeamLine& line, bool vertical, double value, const Prepared& prepared) {
  const int cells = vertical ? map.cols : map.rows, side = vertical ? prepared.width() : prepared.height();
  const int at = std::clamp(static_cast<int>(line.position * cells / side), 0, cells - 1);
  cv::Mat strip = vertical ? map.col(at) : map.row(at);
  strip = cv::max(strip, value);
}

ArtifactBox box_of(const SeamLine& line, bool vertical, double value, const Prepared& prepared) {
  const int from = std::max(0, static_cast<int>(line.position - line.half_width) - kBoxMargin);
  const int size = 2 * (static_cast<int>(std::ceil(line.half_width)) + kBoxMargin);
  if (vertical) return {from, 0, std::min(size, prepared.width() - from), prepared.height(), value};
  return {0, from, prepared.width(), std::min(size, prepared.height() - from), value};
}

std::vector<SeamLine> lines_of(const Subject& subject, bool vertical) {
  std::vector<SeamLine> lines;
  for (const TileBoundary& boundary : subject.boundaries)
    if (boundary.vertical == vertical) lines.push_back({boundary.position, boundary.half_width});
  return lines;
}

Detection seam(const Prepared& prepared) {
  const Subject& subject = prepared.subject();
  const bool blind = !subject.boundaries_known && subject.boundaries.empty();
  if (std::min(prepared.width(), prepared.height()) < kSmallestSide)
    return {.missing = "needs pictures of 32 px and more"};
  cv::Mat map =
      cv::Mat::zeros(std::max(1, prepared.height() / kCell), std::max(1, prepared.width() / kCell), CV_32F);
  Detection found;
  SeamFigures worst;
  for (const bool vertical : {true, false}) {
    std::vector<SeamLine> lines = lines_of(subject, vertical);
    if (!blind && lines.empty()) continue;
    const Side side = side_of(prepared, vertical);
    if (blind) lines = suspected_lines(side.difference, side.weight);
    for (const SeamLine& line : lines) {
      const SeamFigures figures = measure_seam(side.difference, side.weight, line, lines);
      worst.detail = std::max(worst.detail, figures.detail);
      worst.tone = std::max(worst.tone, figures.tone);
      worst.tone_levels = std::max(worst.tone_levels, figures.tone_levels);
      const double value = std::max(figures.detail, figures.tone);
      paint(map, line, vertical, value, prepared);
      if (value > kMarked) found.boxes.push_back(box_of(line, vertical, value, prepared));
    }
  }
  std::ranges::stable_sort(found.boxes, std::ranges::greater{}, &ArtifactBox::value);
  if (found.boxes.size() > kMostBoxes) found.boxes.resize(kMostBoxes);
  found.value = std::max(worst.detail, worst.tone);
  found.parts = {{"steps, excess", "ratio", worst.detail},
                 {"tone, excess", "ratio", worst.tone},
                 {"tone step", "levels", worst.tone_levels}};
  found.map = artifact_map(map);
  return found;
}

}  // namespace

Detector seam_detector() {
  return {.name = "seam",
          .unit = "ratio",
          .convention =
              "steps and changes of tone across tile boundaries beyond those across 95 % of the "
              "parallel lines nearby, in units of their median, of the difference to the reference, "
              "base or input; worst boundary. Unknown boundaries: straight lines across the picture",
          .needs = "",
          .decimals = 2,
          .detect = seam};
}

}  // namespace upbench
