#include "datasets/resample.h"

#include <algorithm>
#include <array>
#include <memory>
#include <stdexcept>

#include <ATen/ATen.h>
#include <fmt/format.h>
#include <opencv2/imgproc.hpp>

#include "datasets/image.h"
#include "datasets/resampling/fixed_point.h"
#include "datasets/resampling/kernels.h"
#include "datasets/resampling/levels.h"
#include "datasets/resampling/separable.h"

namespace upbench {
namespace {

int opencv_mode(std::string_view kernel) {
  if (kernel == "cv2-nearest") return cv::INTER_NEAREST;
  if (kernel == "cv2-linear") return cv::INTER_LINEAR;
  if (kernel == "cv2-cubic") return cv::INTER_CUBIC;
  if (kernel == "cv2-area") return cv::INTER_AREA;
  if (kernel == "cv2-lanczos4") return cv::INTER_LANCZOS4;
  throw std::logic_error(fmt::format("kernel '{}' is none of OpenCV's", kernel));
}

cv::Mat plane_of(std::uint8_t* levels, std::int64_t height, std::int64_t width) {
  return {static_cast<int>(height), static_cast<int>(width), CV_8UC1, levels};
}

// OpenCV's last bit depends on a sample's place in the row: the picture is handed over as imread gives it.
Image by_opencv(const Image& image, int height, int width, std::string_view kernel) {
  const std::int64_t in_height = image.size(1), in_width = image.size(2);
  const auto in_plane = static_cast<std::size_t>(in_height * in_width);
  const auto out_plane = static_cast<std::size_t>(height) * static_cast<std::size_t>(width);
  const auto levels = std::make_unique_for_overwrite<std::uint8_t[]>(3 * std::max(in_plane, out_plane));
  const auto planes = [&](std::size_t size, std::int64_t h, std::int64_t w) {  // blue first
    return std::array{plane_of(&levels[2 * size], h, w), plane_of(&levels[size], h, w),
                      plane_of(levels.get(), h, w)};
  };
  to_levels(image.const_data_ptr<float>(), 3 * in_plane, levels.get());
  cv::Mat from, to;
  cv::merge(planes(in_plane, in_height, in_width), from);
  cv::resize(from, to, {width, height}, 0, 0, opencv_mode(kernel));
  auto results = planes(out_plane, height, width);
  cv::split(to, results);
  at::Tensor out = at::empty({3, height, width}, image.options());
  to_samples(levels.get(), 3 * out_plane, out.mutable_data_ptr<float>());
  return out;
}

Image by_weights(const Image& image, int height, int width, std::string_view kernel, bool as_uint8) {
  const auto in_height = static_cast<int>(image.size(1)), in_width = static_cast<int>(image.size(2));
  at::Tensor out = at::empty({3, height, width}, image.options());
  const auto resize_with = [&](auto function) {
    function(image.const_data_ptr<float>(), 3, in_height, in_width, kernel_weights(kernel, in_height, height),
             kernel_weights(kernel, in_width, width), out.mutable_data_ptr<float>());
  };
  if (kernel_arithmetic(kernel) == Arithmetic::fixed_point)
    resize_with([](const float* in, auto&&... rest) { resize_fixed_point(in, rest...); });
  else if (as_uint8 && kernel.starts_with("matlab-bicubic"))
    resize_with(resize_separable_8_bit);
  else
    resize_with(resize_separable);
  return out;
}

}  // namespace

Image resample(const Image& image, int height, int width, std::string_view kernel, bool as_uint8) {
  require_image(image, "resample");
  require_kernel(kernel);
  constexpr int kLargestSide = 1 << 20;
  if (height <= 0 || width <= 0 || height > kLargestSide || width > kLargestSide) {
    throw std::invalid_argument(
        fmt::format("resample to {}x{}: expected sides of 1 to {}", width, height, kLargestSide));
  }
  const at::Tensor in = image.detach().to(at::kCPU).contiguous();
  const Image out = kernel_arithmetic(kernel) == Arithmetic::opencv
                        ? by_opencv(in, height, width, kernel)
                        : by_weights(in, height, width, kernel, as_uint8);
  return out.to(image.device());
}

}  // namespace upbench
