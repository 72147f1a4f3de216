#include "datasets/resample.h"

#include <stdexcept>

#include <ATen/ATen.h>
#include <fmt/format.h>
#include <opencv2/imgproc.hpp>

#include "datasets/image.h"
#include "datasets/resampling/kernels.h"
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

// OpenCV's last bit depends on a sample's place in the row: the picture is handed over as imread gives it.
Image by_opencv(const Image& image, int height, int width, std::string_view kernel) {
  const at::Tensor levels = at::nan_to_num(image, 0.0).clamp(0, 1).mul(255).round().to(at::kByte);
  at::Tensor bgr = levels.flip(0).permute({1, 2, 0}).contiguous();
  at::Tensor out = at::empty({height, width, 3}, levels.options());
  const cv::Mat from(static_cast<int>(bgr.size(0)), static_cast<int>(bgr.size(1)), CV_8UC3,
                     bgr.mutable_data_ptr<std::uint8_t>());
  cv::Mat to(height, width, CV_8UC3, out.mutable_data_ptr<std::uint8_t>());
  cv::resize(from, to, to.size(), 0, 0, opencv_mode(kernel));
  return out.permute({2, 0, 1}).flip(0).to(at::kFloat).div_(255).contiguous();
}

Image by_weights(const Image& image, int height, int width, std::string_view kernel, bool as_uint8) {
  const auto in_height = static_cast<int>(image.size(1)), in_width = static_cast<int>(image.size(2));
  at::Tensor out = at::empty({3, height, width}, image.options());
  auto* resize = resize_separable;
  if (kernel_arithmetic(kernel) == Arithmetic::fixed_point) resize = resize_fixed_point;
  if (as_uint8 && kernel.starts_with("matlab-bicubic")) resize = resize_separable_8_bit;
  resize(image.const_data_ptr<float>(), 3, in_height, in_width, kernel_weights(kernel, in_height, height),
         kernel_weights(kernel, in_width, width), out.mutable_data_ptr<float>());
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
