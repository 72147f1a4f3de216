#pragma once

#include <functional>
#include <vector>

#include <opencv2/core/mat.hpp>

#include "metrics/artifacts/detector.h"

// From a map of cells to what a detection carries.
namespace upbench {

ArtifactMap artifact_map(const cv::Mat& cells);  // CV_32F

// visit(box, mask) for each 8-connected region of a mask (CV_8U): where it lies, and it within that box.
void for_each_region(const cv::Mat& mask, const std::function<void(const cv::Rect&, const cv::Mat&)>& visit);

// Boxes around the 8-connected regions of cells above `level`, worst first, at most kMostBoxes; in pixels of
// a picture of that size, which the cells cover evenly.
std::vector<ArtifactBox> worst_regions(const cv::Mat& cells, double level, int width, int height);

// Mean (or largest value) of squares of `side` pixels; at least one cell each way, the last ones may be
// larger. CV_32F, of the same channels.
cv::Mat cell_means(const cv::Mat& values, int side);
cv::Mat cell_maxima(const cv::Mat& values, int side);

// The value that this share of all cells does not exceed, by rank. cells: CV_32F, not empty; share in [0, 1].
double quantile(const cv::Mat& cells, double share);

}  // namespace upbench
