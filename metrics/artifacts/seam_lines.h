#pragma once

#include <vector>

#include <opencv2/core/mat.hpp>

// Vertical lines across a plane: does something happen there that does not happen beside them?
namespace upbench {

struct SeamLine {
  double position = 0;  // x; between the pixels x - 1 and x
  double half_width = 0;
};

// What is looked at, CV_32F planes of 8-bit levels. What a real edge on a line does to the difference is
// known from the witness's range there, and left out.
struct SeamPlanes {
  cv::Mat difference;  // output less witness; the output itself without one
  cv::Mat witness;     // empty: none
  cv::Mat steps;       // how much a step between x - 1 and x differs from its neighbours, beyond the edges'
  float share = 0;     // of an edge of the witness, which an honest result may leave in the difference
};
// reach: px to each side over which the witness may blur an edge.
SeamPlanes seam_planes(const cv::Mat& output, const cv::Mat& witness, int reach, float share);

struct SeamFigures {
  double detail = 0;       // steps between neighbouring pixels: excess over the null, in its medians
  double places = 0;       // the same in the worst quarter of pieces of 16 px along the line
  double tone = 0;         // steps between means of strips, the same
  double tone_levels = 0;  // that step less the null's median, levels
};

// `all`: the lines, which are no part of each other's null.
SeamFigures measure_seam(const SeamPlanes& planes, const SeamLine& line, const std::vector<SeamLine>& all);

// Where a line may be when nobody says: steps at x exceed all those within 16 px and are the largest within
// 3 px along most of the height.
std::vector<SeamLine> suspected_lines(const SeamPlanes& planes);

}  // namespace upbench
