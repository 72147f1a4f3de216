#include "metrics/artifacts/local.h"

#include <cmath>
#include <numbers>

#include <opencv2/imgproc.hpp>

#include "metrics/artifacts/regions.h"

namespace upbench {
namespace {

cv::Mat box(const cv::Mat& plane, int side) {
  cv::Mat mean;
  cv::blur(plane, mean, {side, side});
  return mean;
}

}  // namespace

cv::Mat blurred(const cv::Mat& plane, double sigma) {
  cv::Mat result;
  cv::GaussianBlur(plane, result, {0, 0}, sigma, sigma, cv::BORDER_REFLECT_101);
  return result;
}

cv::Mat high_pass(const cv::Mat& plane, double sigma) {
  return plane - blurred(plane, sigma);
}

LocalMoments local_moments(const cv::Mat& a, const cv::Mat& b, int side) {
  const cv::Mat mean_a = box(a, side), mean_b = box(b, side);
  LocalMoments moments{.variance_a = box(a.mul(a), side) - mean_a.mul(mean_a),
                       .variance_b = box(b.mul(b), side) - mean_b.mul(mean_b),
                       .covariance = box(a.mul(b), side) - mean_a.mul(mean_b)};
  moments.variance_a = cv::max(moments.variance_a, 0);
  moments.variance_b = cv::max(moments.variance_b, 0);
  return moments;
}

cv::Mat local_deviation(const cv::Mat& plane, int side) {
  const cv::Mat mean = box(plane, side);
  cv::Mat variance = box(plane.mul(plane), side) - mean.mul(mean);
  variance = cv::max(variance, 0);
  cv::sqrt(variance, variance);
  return variance;
}

cv::Mat local_maximum(const cv::Mat& plane, int radius) {
  cv::Mat result;
  cv::dilate(plane, result, cv::Mat::ones(2 * radius + 1, 2 * radius + 1, CV_8U));
  return result;
}

cv::Mat local_minimum(const cv::Mat& plane, int radius) {
  cv::Mat result;
  cv::erode(plane, result, cv::Mat::ones(2 * radius + 1, 2 * radius + 1, CV_8U));
  return result;
}

namespace {

cv::Mat laplacian_pairs(const cv::Mat& plane) {
  static const cv::Mat mask = (cv::Mat_<float>(3, 3) << 1, -2, 1, -2, 4, -2, 1, -2, 1);
  cv::Mat response;
  cv::filter2D(plane, response, CV_32F, mask);
  return response;
}

}  // namespace

cv::Mat cell_noise(const cv::Mat& plane, int side) {
  // E|N(0, 36 sigma^2)| = 6 sigma sqrt(2 / pi)
  return cell_means(cv::abs(laplacian_pairs(plane)), side) * (std::sqrt(std::numbers::pi / 2) / 6);
}

cv::Mat cell_regularity(const cv::Mat& plane, int side) {
  constexpr int kFirst = 3, kLast = 7;  // px; nearer, the mask itself correlates
  const cv::Mat response = laplacian_pairs(plane);
  const cv::Mat power = cell_means(response.mul(response), side) + 1e-3;
  cv::Mat most = cv::Mat::zeros(power.size(), CV_32F), padded;
  cv::copyMakeBorder(response, padded, kLast, kLast, kLast, kLast, cv::BORDER_REFLECT_101);
  for (const cv::Point direction : {cv::Point(1, 0), cv::Point(0, 1), cv::Point(1, 1), cv::Point(1, -1)})
    for (int distance = kFirst; distance <= kLast; ++distance) {
      const cv::Rect at(cv::Point(kLast, kLast) + direction * distance, plane.size());
      most = cv::max(most, cv::abs(cell_means(response.mul(padded(at)), side) / power));
    }
  return most;
}

}  // namespace upbench
