#pragma once

#include <opencv2/core/mat.hpp>

#include "metrics/planes.h"

namespace upbench {

// As an 8-bit file would hold it, CV_8UC3 in OpenCV's order B, G, R. Values in [0, 1] are rounded.
cv::Mat bgr_of(const Planes& planes);

// BT.601 luma 0.299 R + 0.587 G + 0.114 B, CV_32F, [0, 1].
cv::Mat luma_of(const Planes& planes);

}  // namespace upbench
