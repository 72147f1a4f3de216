#include "harness/calibration/pixels.h"

#include <algorithm>
#include <cmath>

#include <ATen/ATen.h>
#include <opencv2/core.hpp>
#include <opencv2/imgproc.hpp>

namespace upbench {

Image per_plane(const Image& image, const std::function<void(const cv::Mat&, cv::Mat&)>& change) {
  const Image from = image.contiguous();
  Image to = at::empty_like(from);
  const auto height = static_cast<int>(from.size(1)), width = static_cast<int>(from.size(2));
  for (std::int64_t channel = 0; channel < 3; ++channel) {
    const cv::Mat source(height, width, CV_32F, const_cast<float*>(from[channel].const_data_ptr<float>()));
    cv::Mat result;
    change(source, result);
    result.copyTo(cv::Mat(height, width, CV_32F, to[channel].mutable_data_ptr<float>()));
  }
  return to;
}

Image blurred(const Image& image, double sigma) {
  return per_plane(image, [sigma](const cv::Mat& from, cv::Mat& to) {
    cv::GaussianBlur(from, to, {}, sigma, sigma, cv::BORDER_REFLECT);
  });
}

Image filtered(const Image& image, const cv::Mat& kernel) {
  return per_plane(image, [&](const cv::Mat& from, cv::Mat& to) {
    cv::filter2D(from, to, CV_32F, kernel, {-1, -1}, 0, cv::BORDER_REFLECT);
  });
}

cv::Mat ringing_kernel(const std::function<double(double)>& profile) {
  constexpr int kRadius = 16, kSide = 2 * kRadius + 1, kBeside = 3;
  cv::Mat kernel(kSide, kSide, CV_32F);
  for (int y = 0; y < kSide; ++y)
    for (int x = 0; x < kSide; ++x)
      kernel.at<float>(y, x) = static_cast<float>(profile(std::hypot(x - kRadius, y - kRadius)));
  const cv::Mat line = cv::getGaussianKernel(kSide, 2, CV_32F);
  kernel -= cv::sum(kernel)[0] * line * line.t();
  // A vertical edge: its answer at each column is the sum of the kernel's columns that see its bright side.
  cv::Mat columns;
  cv::reduce(kernel, columns, 0, cv::REDUCE_SUM, CV_32F);
  double answer = 0, largest = 0;
  for (int x = 0; x < kRadius - kBeside; ++x) {
    answer += static_cast<double>(columns.at<float>(0, x));
    largest = std::max(largest, std::abs(answer));
  }
  return kernel / largest;
}

Image normal_noise(const Image& like, Random& random, bool grey) {
  Image noise = at::empty_like(like, at::MemoryFormat::Contiguous);
  auto* values = noise.mutable_data_ptr<float>();
  const std::int64_t count = grey ? like.size(1) * like.size(2) : like.numel();
  for (std::int64_t i = 0; i < count; ++i) values[i] = static_cast<float>(random.normal());
  if (grey) noise.narrow(0, 1, 2).copy_(noise.narrow(0, 0, 1).expand({2, -1, -1}));
  return noise;
}

Rectangle random_rectangle(const Image& image, double least, double most, Random& random) {
  const auto side = [&](std::int64_t whole) {
    return static_cast<int>(
        std::lround(static_cast<double>(whole) * (least + (most - least) * random.uniform())));
  };
  Rectangle rectangle;
  rectangle.height = std::max(1, side(image.size(1)));
  rectangle.width = std::max(1, side(image.size(2)));
  rectangle.y =
      static_cast<int>(random.below(static_cast<std::uint32_t>(image.size(1) - rectangle.height + 1)));
  rectangle.x =
      static_cast<int>(random.below(static_cast<std::uint32_t>(image.size(2) - rectangle.width + 1)));
  return rectangle;
}

Image cut(const Image& image, const Rectangle& rectangle) {
  return image.narrow(1, rectangle.y, rectangle.height).narrow(2, rectangle.x, rectangle.width);
}

Image soft_mask(const Image& image, const Rectangle& rectangle) {
  const auto profile = [](std::int64_t length, int start, int extent) {
    const at::Tensor at = at::arange(length, at::kFloat);
    const double edge = std::max(2.0, 0.25 * extent);
    const at::Tensor inside = at::minimum(at - start, start + extent - 1 - at) / edge;
    const at::Tensor t = inside.clamp(0, 1);
    return t * t * (3 - 2 * t);
  };
  return (profile(image.size(1), rectangle.y, rectangle.height).view({1, -1, 1}) *
          profile(image.size(2), rectangle.x, rectangle.width).view({1, 1, -1}))
      .contiguous();
}

Image warped(const Image& image, const std::function<cv::Point2f(int, int)>& shift) {
  const auto height = static_cast<int>(image.size(1)), width = static_cast<int>(image.size(2));
  cv::Mat map(height, width, CV_32FC2);
  for (int y = 0; y < height; ++y)
    for (int x = 0; x < width; ++x)
      map.at<cv::Point2f>(y, x) = cv::Point2f(static_cast<float>(x), static_cast<float>(y)) - shift(x, y);
  return per_plane(image, [&map](const cv::Mat& from, cv::Mat& to) {
    cv::remap(from, to, map, cv::noArray(), cv::INTER_CUBIC, cv::BORDER_REFLECT);
  });
}

}  // namespace upbench
