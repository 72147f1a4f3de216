#include "models/diffusion/control_hint.h"

#include <algorithm>
#include <cmath>

#include <ATen/ATen.h>
#include <opencv2/imgproc.hpp>

#include "datasets/resample.h"

namespace upbench {
namespace {

constexpr double kLeastRate = 1.1;  // of tile_resample: below, the picture stays

at::Tensor means(const at::Tensor& x, int radius) {
  const at::Tensor wider = at::pad(x, {radius, radius, radius, radius}, "replicate");
  return at::avg_pool2d(wider, {2 * radius + 1, 2 * radius + 1}, {1, 1});
}

}  // namespace

at::Tensor resampled_hint(const at::Tensor& picture, double rate) {
  if (rate < kLeastRate) return picture;
  const std::int64_t height = picture.size(2), width = picture.size(3);
  const auto smaller = [&](std::int64_t side) {
    return std::max<std::int64_t>(1, std::llround(static_cast<double>(side) / rate));
  };
  const Image small = resample(picture.squeeze(0), static_cast<int>(smaller(height)),
                               static_cast<int>(smaller(width)), "area");
  return resample(small, static_cast<int>(height), static_cast<int>(width), "bicubic-a75")
      .clamp(0, 1)
      .unsqueeze(0);
}

at::Tensor blurred_hint(const at::Tensor& picture, double deviation) {
  const at::Tensor made = picture.to(at::kCPU, at::kFloat).clone(at::MemoryFormat::Contiguous);
  for (std::int64_t channel = 0; channel < made.size(1); ++channel) {
    cv::Mat plane(static_cast<int>(made.size(2)), static_cast<int>(made.size(3)), CV_32F,
                  made.select(1, channel).data_ptr<float>());
    // The window of 8-bit pictures, three deviations to each side; of floats OpenCV takes four.
    const int taps = static_cast<int>(std::lround(deviation * 6 + 1)) | 1;
    cv::GaussianBlur(plane, plane, {taps, taps}, deviation);
  }
  return made.to(picture.options());
}

at::Tensor anchored(const at::Tensor& prediction, const at::Tensor& x, const at::Tensor& latents,
                    double sigma, Prediction kind, Branches branches, const ColourAnchor& anchor) {
  const double clean = 1 / std::sqrt(sigma * sigma + 1), noise = sigma * clean;  // x = clean x_0 + noise e
  const at::Tensor predicted = prediction.to(at::kFloat), seen = x.to(at::kFloat);
  const bool of_noise = kind == Prediction::epsilon;
  const at::Tensor guess = of_noise ? (seen - predicted * noise) / clean : seen * clean - predicted * noise;
  at::Tensor fixed = guess - means(guess, anchor.radius) + means(latents.to(at::kFloat), anchor.radius);
  if (anchor.sharpness > 0 && branches == Branches::uncond_and_cond) {
    at::Tensor negative = fixed.slice(0, 0, std::nullopt, 2);
    negative.lerp_(means(negative, anchor.radius), anchor.sharpness * 0.01);
  }
  const at::Tensor back = of_noise ? (seen - fixed * clean) / noise : (seen * clean - fixed) / noise;
  return predicted.lerp(back, std::clamp(anchor.weight, 0.0, 1.0));
}

}  // namespace upbench
