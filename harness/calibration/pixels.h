#pragma once

#include <functional>

#include <opencv2/core/mat.hpp>

#include "datasets/image_fwd.h"
#include "reports/statistics/random.h"

// What several injectors do with pixels. Pictures in CPU memory.
namespace upbench {

// Each plane as CV_32F through a function of OpenCV.
Image per_plane(const Image& image, const std::function<void(const cv::Mat& from, cv::Mat& to)>& change);
Image blurred(const Image& image, double sigma);

Image filtered(const Image& image, const cv::Mat& kernel);  // mirrored at borders

// 33 x 33, around the middle as `profile` of the distance, less the Gaussian of sigma 2 that answers
// constants alike: what it makes of a straight edge of height 1 has a magnitude of at most 1 where 3 px and
// more from it.
cv::Mat ringing_kernel(const std::function<double(double distance)>& profile);

// Standard normal noise of the shape of the picture; grey: the same in every channel.
Image normal_noise(const Image& like, Random& random, bool grey);

struct Rectangle {
  int x = 0, y = 0, width = 0, height = 0;
};
// Somewhere inside, with sides of these shares of the picture's.
Rectangle random_rectangle(const Image& image, double least, double most, Random& random);
Image cut(const Image& image, const Rectangle& rectangle);  // a view

// 1 in the middle of the rectangle, falling smoothly to 0 outside of it; [1, H, W].
Image soft_mask(const Image& image, const Rectangle& rectangle);

// The content moved by right(x, y) and down(x, y) pixels, cubic.
Image warped(const Image& image, const std::function<cv::Point2f(int x, int y)>& shift);

}  // namespace upbench
