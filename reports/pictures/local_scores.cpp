#include "reports/pictures/local_scores.h"

#include <algorithm>
#include <stdexcept>

#include <opencv2/imgproc.hpp>

#include "metrics/ssim_window.h"

namespace upbench {
namespace {

cv::Mat luma(const Raster& raster) {
  if (raster.channels != 3 || raster.bit_depth != 8)
    throw std::invalid_argument("local_scores: pictures must be RGB of 8 bit");
  const cv::Mat rgb(raster.height, raster.width, CV_8UC3, const_cast<std::uint8_t*>(raster.samples.data()));
  cv::Mat real, y;
  rgb.convertTo(real, CV_32F, 1 / 255.0);
  cv::transform(real, y, cv::Matx14f(65.481F, 128.553F, 24.966F, 16));
  return y;
}

cv::Mat blurred(const cv::Mat& values) {
  const SsimWindow half = ssim_window();
  cv::Mat taps(kSsimWindow, 1, CV_32F), result;
  for (int i = 0; i < kSsimWindow; ++i) taps.at<float>(i) = half[std::min(i, kSsimWindow - 1 - i)];
  cv::sepFilter2D(values, result, CV_32F, taps, taps, {-1, -1}, 0, cv::BORDER_REFLECT_101);
  return result;
}

// 1 - SSIM at each pixel. With s = a + b and d = a - b as in metrics/ssim_kernel.cpp: it does not cancel
// where pictures are alike.
cv::Mat ssim_loss(const cv::Mat& a, const cv::Mat& b) {
  const cv::Mat s = a + b - 2 * kSsimCentre, d = a - b;
  const cv::Mat mean_s = blurred(s), mean_d = blurred(d);
  const cv::Mat square_s = blurred(s.mul(s)), square_d = blurred(d.mul(d));
  cv::Mat loss(a.size(), CV_32F);
  for (int y = 0; y < loss.rows; ++y)
    for (int x = 0; x < loss.cols; ++x) {
      const double ms = mean_s.at<float>(y, x), md = mean_d.at<float>(y, x);
      const double vs = square_s.at<float>(y, x) - ms * ms, vd = square_d.at<float>(y, x) - md * md;
      const double whole = ms + 2 * kSsimCentre;
      const double means = (whole * whole + md * md) / 2 + kSsimC1, variances = (vs + vd) / 2 + kSsimC2;
      loss.at<float>(y, x) =
          static_cast<float>(1 - (means - md * md) * (variances - vd) / (means * variances));
    }
  return loss;
}

cv::Mat block_means(const cv::Mat& values) {
  const auto blocks = [](int size) { return (size + LocalScores::kBlock - 1) / LocalScores::kBlock; };
  cv::Mat means;
  cv::resize(values, means, {blocks(values.cols), blocks(values.rows)}, 0, 0, cv::INTER_AREA);
  return means;
}

}  // namespace

LocalScores local_scores(const Raster& output, const Raster& reference) {
  if (output.width != reference.width || output.height != reference.height)
    throw std::invalid_argument("local_scores: pictures must be of one size");
  const cv::Mat a = luma(output), b = luma(reference), difference = a - b;
  const cv::Mat loss = block_means(ssim_loss(a, b));
  cv::Mat error;
  cv::sqrt(block_means(difference.mul(difference)), error);
  LocalScores scores{.columns = loss.cols, .rows = loss.rows, .ssim_loss = {}, .error = {}};
  scores.ssim_loss.assign(loss.begin<float>(), loss.end<float>());
  scores.error.assign(error.begin<float>(), error.end<float>());
  return scores;
}

}  // namespace upbench
