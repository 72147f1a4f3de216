#pragma once

#include <array>

#include <opencv2/core/mat.hpp>

// The ways in which a picture is broken, each as cells of kBrokenCell pixels, CV_8U, 255 where it is. Planes
// are luma of 8-bit levels, CV_32F, of one size; `truth` is what the picture should look like, perhaps less
// sharp: a detail of it takes `scale` pixels, and above 1 more evidence is asked for.
namespace upbench {

inline constexpr int kBrokenCell = 4;

// mask: CV_8U of pixels, may be empty; empty result: none.
cv::Mat broken_cells(const cv::Mat& mask, cv::Size picture);

// Without any change in any channel, over 20 px and more each way, where the truth has structure or another
// tone.
cv::Mat constant_cells(const std::array<cv::Mat, 3>& rgb, const cv::Mat& truth, double scale);

// Where structure contradicts the truth that agrees elsewhere: a tile of another place or picture.
cv::Mat foreign_cells(const cv::Mat& output, const cv::Mat& truth, double scale);

// Lone pixels, black or white, that stand out from all around them and in the truth do not.
cv::Mat speck_cells(const cv::Mat& output, const cv::Mat& truth, double scale);

// A pattern with a period of 2, 3 or 4 px both ways that the truth does not have.
cv::Mat checkerboard_cells(const cv::Mat& output, const cv::Mat& truth, double scale);

// Areas that occur twice, equal in every pixel, 32 px and more each way; flat areas and periodic patterns do
// not count. With a truth: of 24 px and more, where that does not repeat itself, the one that contradicts it.
cv::Mat repeated_cells(const cv::Mat& output, const cv::Mat& truth = {});

}  // namespace upbench
