#include "datasets/resample.h"

#include <stdexcept>

#include <ATen/ATen.h>
#include <fmt/format.h>

#include "datasets/image.h"
#include "datasets/resampling/kernels.h"
#include "datasets/resampling/separable.h"

namespace upbench {

Image resample(const Image& image, int height, int width, std::string_view kernel, bool as_uint8) {
  require_image(image, "resample");
  require_kernel(kernel);
  constexpr int kLargestSide = 1 << 20;
  if (height <= 0 || width <= 0 || height > kLargestSide || width > kLargestSide) {
    throw std::invalid_argument(
        fmt::format("resample to {}x{}: expected sides of 1 to {}", width, height, kLargestSide));
  }
  const at::Tensor in = image.detach().to(at::kCPU).contiguous();
  const auto in_height = static_cast<int>(in.size(1)), in_width = static_cast<int>(in.size(2));
  at::Tensor out = at::empty({3, height, width}, in.options());
  const auto resize =
      as_uint8 && kernel.starts_with("matlab-bicubic") ? resize_separable_8_bit : resize_separable;
  resize(in.const_data_ptr<float>(), 3, in_height, in_width, kernel_weights(kernel, in_height, height),
         kernel_weights(kernel, in_width, width), out.mutable_data_ptr<float>());
  return out.to(image.device());
}

}  // namespace upbench
