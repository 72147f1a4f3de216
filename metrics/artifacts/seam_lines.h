#pragma once

#include <vector>

#include <opencv2/core/mat.hpp>

// Vertical lines across a plane: does something happen there that does not happen beside them?
namespace upbench {

struct SeamLine {
  double position = 0;  // x; between the pixels x - 1 and x
  double half_width = 0;
};

struct SeamFigures {
  double detail = 0;       // steps between neighbouring pixels: excess over the null, in its medians
  double tone = 0;         // steps between means of strips, the same
  double tone_levels = 0;  // that step less the null's median, levels
};

// difference: what to look at, 8-bit levels, CV_32F; weight: of each pixel, [0, 1]. `all`: the lines, which
// are no part of each other's null.
SeamFigures measure_seam(const cv::Mat& difference, const cv::Mat& weight, const SeamLine& line,
                         const std::vector<SeamLine>& all);

// Where a line may be when nobody says: steps at x exceed all those within 16 px and are the largest within
// 3 px along most of the height.
std::vector<SeamLine> suspected_lines(const cv::Mat& difference, const cv::Mat& weight);

}  // namespace upbench
