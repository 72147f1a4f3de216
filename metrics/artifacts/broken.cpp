#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include <opencv2/imgproc.hpp>

#include "metrics/artifacts/broken_parts.h"
#include "metrics/artifacts/entries.h"
#include "metrics/artifacts/prepared.h"
#include "metrics/artifacts/regions.h"

namespace upbench {
namespace {

using Picture = Prepared::Picture;

constexpr char kCheckerboard[] = "checkerboard";

// Of a square as large as the cells, in pixels: a tile is as broken in a large picture as in a small one.
double side_of(const cv::Mat& cells) {
  return cells.empty() ? 0 : kBrokenCell * std::sqrt(static_cast<double>(cv::countNonZero(cells)));
}

bool wrong_size(const Prepared& prepared) {
  const Subject& subject = prepared.subject();
  return subject.expected_width > 0 && subject.expected_height > 0 &&
         (subject.expected_width != prepared.width() || subject.expected_height != prepared.height());
}

// The output with the truth in those cells: what is broken in one way is not judged in others.
cv::Mat without(const cv::Mat& output, const cv::Mat& truth, const cv::Mat& cells) {
  if (cells.empty() || cv::countNonZero(cells) == 0) return output;
  cv::Mat pixels, rest = output.clone();
  cv::resize(cells, pixels, output.size(), 0, 0, cv::INTER_NEAREST);
  truth.copyTo(rest, pixels);
  return rest;
}

// Everything is a set of cells of kBrokenCell pixels; the value is what they cover together.
Detection broken(const Prepared& prepared) {
  const auto witness = prepared.first_of({Picture::reference, Picture::base, Picture::input});
  const cv::Mat& output = prepared.luma(Picture::output);
  std::vector<std::pair<std::string, cv::Mat>> kinds;
  kinds.emplace_back("NaN or infinite", broken_cells(prepared.broken_mask(), output.size()));
  if (witness) {
    const cv::Mat& truth = prepared.full_luma(*witness);
    // A base was made from the input and holds no more.
    const double scale = *witness == Picture::reference ? 1 : std::max(2.0, prepared.scale_x());
    kinds.emplace_back("constant", constant_cells(prepared.rgb(Picture::output), truth, scale));
    const cv::Mat rest = without(without(output, truth, kinds[0].second), truth, kinds[1].second);
    kinds.emplace_back("of another place", foreign_cells(rest, truth, scale));
    kinds.emplace_back("repeated", repeated_cells(rest, truth));
    kinds.emplace_back("specks", speck_cells(rest, truth, scale));
    kinds.emplace_back(kCheckerboard, checkerboard_cells(rest, truth, scale));
  } else {
    kinds.emplace_back("repeated", repeated_cells(output));
  }
  cv::Mat all;
  Detection found;
  for (const auto& [name, cells] : kinds) {
    // Without a reference nobody knows of patterns as fine as a checkerboard's whether they belong there.
    const bool counts = name != kCheckerboard || witness == Picture::reference;
    if (!cells.empty() && counts) all = all.empty() ? cells.clone() : cv::Mat(all | cells);
    found.parts.push_back({name, "px", side_of(cells)});
  }
  const bool other_size = wrong_size(prepared);
  const double whole = std::sqrt(static_cast<double>(prepared.width()) * prepared.height());
  found.parts.push_back({"wrong size", "px", other_size ? whole : 0});
  found.value = other_size ? whole : side_of(all);
  if (all.empty() || cv::countNonZero(all) == 0) return found;
  cv::Mat map;
  all.convertTo(map, CV_32F, found.value / 255);
  found.boxes = worst_regions(map, 0, prepared.width(), prepared.height());
  found.map = artifact_map(map);
  return found;
}

}  // namespace

Detector broken_detector() {
  return {.name = "broken",
          .unit = "px",
          .convention =
              "side of a square as large as the area that is NaN, constant where the reference, base or "
              "input is not, of another "
              "place or picture, an exact copy, of saturated specks or, with a reference, a "
              "checkerboard; all of it where the size is wrong",
          .needs = "",
          .version = 3,
          .decimals = 1,
          .detect = broken};
}

}  // namespace upbench
