#pragma once

#include <optional>

#include <opencv2/core/mat.hpp>

namespace upbench {

// Translation in pixels: the content of the output lies so far right of and below the reference's.
struct GlobalShift {
  double right = 0, down = 0;
};

// The translation under which the reference comes nearest to the output in the least-squares sense: whole
// pixels by search, up to 4 px each way, then Gauss-Newton steps (Lucas, Kanade, An iterative image
// registration technique, 1981) on pictures low-passed with sigma 1 px. Luma CV_32F of one size, judged
// inside a margin of 8 px and, of large pictures, on the middle 1024 x 1024. Empty where the pictures are
// smaller than 32 px or have no structure in two directions.
std::optional<GlobalShift> global_shift(const cv::Mat& output, const cv::Mat& reference);

}  // namespace upbench
