#include "datasets/image.h"

#include <array>
#include <cstring>
#include <stdexcept>

#include <ATen/ATen.h>
#include <fmt/format.h>

namespace upbench {
namespace {

double largest_value(int bit_depth) {
  return bit_depth == 16 ? 65535.0 : 255.0;
}

void require_depth(int bit_depth) {
  if (bit_depth == 8 || bit_depth == 16) return;
  throw std::invalid_argument(fmt::format("bit depth {}: expected 8 or 16", bit_depth));
}

// Divides by a tensor on the image's own device: CUDA turns division by a host scalar into a multiplication
// by the reciprocal, which differs from the CPU's quotient in the last bit.
at::Tensor divided(const at::Tensor& values, double divisor) {
  return values.div(at::full({}, divisor, values.options()));
}

at::Tensor levels(const Image& image, int bit_depth) {
  return at::nan_to_num(image, 0.0).clamp(0, 1).mul(largest_value(bit_depth)).round();
}

// 16-bit samples are read as int16 and brought back to 0..65535, because ATen has little arithmetic for
// uint16.
at::Tensor samples_as_float(const Raster& raster) {
  auto* data = const_cast<std::uint8_t*>(raster.samples.data());
  const std::array<std::int64_t, 3> shape{raster.height, raster.width, raster.channels};
  if (raster.bit_depth == 8) return at::from_blob(data, shape, at::kByte).to(at::kFloat);
  return at::from_blob(data, shape, at::kShort).to(at::kInt).bitwise_and(0xffff).to(at::kFloat);
}

std::string description(const Image& image) {
  if (!image.defined()) return "no tensor";
  return fmt::format("[{}] of {}", fmt::join(image.sizes(), ", "), c10::toString(image.scalar_type()));
}

}  // namespace

Image to_image(const Raster& raster) {
  require_depth(raster.bit_depth);
  const bool fits = raster.width > 0 && raster.height > 0 && raster.channels >= 1 && raster.channels <= 4 &&
                    raster.samples.size() == raster.row_bytes() * static_cast<std::size_t>(raster.height);
  if (!fits) {
    throw std::invalid_argument(fmt::format("raster of {}x{}x{} at {} bit holds {} bytes", raster.width,
                                            raster.height, raster.channels, raster.bit_depth,
                                            raster.samples.size()));
  }
  const at::Tensor planes = samples_as_float(raster).permute({2, 0, 1});
  const bool grey = raster.channels <= 2;
  const at::Tensor rgb =
      grey ? planes.narrow(0, 0, 1).expand({3, raster.height, raster.width}) : planes.narrow(0, 0, 3);
  return divided(rgb, largest_value(raster.bit_depth)).contiguous();
}

Raster to_raster(const Image& image, int bit_depth) {
  require_image(image, "to_raster");
  require_depth(bit_depth);
  Raster raster{.width = static_cast<int>(image.size(2)),
                .height = static_cast<int>(image.size(1)),
                .channels = 3,
                .bit_depth = bit_depth};
  // int32 -> int16 keeps the low 16 bits, which is the unsigned sample.
  const at::Tensor integers =
      levels(image.detach(), bit_depth).to(at::kInt).to(bit_depth == 8 ? at::kByte : at::kShort);
  const at::Tensor interleaved = integers.permute({1, 2, 0}).to(at::kCPU).contiguous();
  raster.samples.resize(raster.row_bytes() * static_cast<std::size_t>(raster.height));
  std::memcpy(raster.samples.data(), interleaved.data_ptr(), raster.samples.size());
  return raster;
}

Image quantized(const Image& image) {
  require_image(image, "quantized");
  return divided(levels(image, 8), largest_value(8));
}

void require_image(const Image& image, std::string_view who) {
  const bool fits = image.defined() && image.dim() == 3 && image.size(0) == 3 && image.size(1) > 0 &&
                    image.size(2) > 0 && image.scalar_type() == at::kFloat;
  if (fits) return;
  throw std::invalid_argument(
      fmt::format("{}: expected an RGB image [3, H, W] of float32, got {}", who, description(image)));
}

}  // namespace upbench
