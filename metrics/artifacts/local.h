#pragma once

#include <opencv2/core/mat.hpp>

// Statistics of neighbourhoods, CV_32F planes.
namespace upbench {

cv::Mat blurred(const cv::Mat& plane, double sigma);
cv::Mat high_pass(const cv::Mat& plane, double sigma);  // plane - blurred

// Over windows of side x side around each pixel, mirrored at borders.
struct LocalMoments {
  cv::Mat variance_a, variance_b, covariance;  // of a, of b, of both
};
LocalMoments local_moments(const cv::Mat& a, const cv::Mat& b, int side);
cv::Mat local_deviation(const cv::Mat& plane, int side);

// Largest and smallest value within `radius` pixels, squares.
cv::Mat local_maximum(const cv::Mat& plane, int radius);
cv::Mat local_minimum(const cv::Mat& plane, int radius);

// Standard deviation of white noise from the mean absolute response to the mask 1 -2 1, -2 4 -2, 1 -2 1
// (Immerkaer, Fast noise variance estimation, CVIU 64(2), 1996), for each cell of `side` pixels.
cv::Mat cell_noise(const cv::Mat& plane, int side);

// For each such cell the largest magnitude of the response's autocorrelation 3 to 7 px away in four
// directions: near 0 for noise, near 1 for stripes and grids that the mask answers, too.
cv::Mat cell_regularity(const cv::Mat& plane, int side);

}  // namespace upbench
