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
SeamPlanes planes_across(const Prepared& prepared, bool vertical) {
  constexpr float kShare = 1;  // what is blurred leaves up to all of an edge
  const auto turned = [vertical](const cv::Mat& plane) { return vertical ? plane : cv::Mat(plane.t()); };
  const auto witness = prepared.first_of({Picture::reference, Picture::base, Picture::input});
  const cv::Mat output = turned(prepared.luma(Picture::output));
  if (!witness) return seam_planes(output, {}, 0, 0);
  const cv::Mat truth = turned(prepared.full_luma(*witness));
  if (*witness == Picture::reference) return seam_planes(output, truth, 2, kShare);
  return seam_planes(output, truth, 1 + static_cast<int>(std::ceil(1.5 * prepared.scale_x())), kShare);
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
    const SeamPlanes planes = planes_across(prepared, vertical);
    if (blind) lines = suspected_lines(planes);
    for (const SeamLine& line : lines) {
      const SeamFigures figures = measure_seam(planes, line, lines);
      worst.detail = std::max(worst.detail, figures.detail);
      worst.places = std::max(worst.places, figures.places);
      worst.tone = std::max(worst.tone, figures.tone);
      worst.tone_levels = std::max(worst.tone_levels, figures.tone_levels);
      const double value = std::max({figures.detail, figures.places, figures.tone});
      paint(map, line, vertical, value, prepared);
      if (value > kMarked) found.boxes.push_back(box_of(line, vertical, value, prepared));
    }
  }
  std::ranges::stable_sort(found.boxes, std::ranges::greater{}, &ArtifactBox::value);
  if (found.boxes.size() > kMostBoxes) found.boxes.resize(kMostBoxes);
  found.value = std::max({worst.detail, worst.places, worst.tone});
  found.parts = {{"steps, excess", "ratio", worst.detail},
                 {"tone, excess", "ratio", worst.tone},
                 {"tone step", "levels", worst.tone_levels},
                 {"steps in the worst places, excess", "ratio", worst.places}};
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
          .version = 2,
          .decimals = 2,
          .by_boundaries = true,
          .detect = seam};
}

}  // namespace upbench
