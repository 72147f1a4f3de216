#include "models/fitted_upscale.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>

#include <ATen/ATen.h>
#include <fmt/format.h>

#include "datasets/image.h"
#include "datasets/resample.h"
#include "models/upscale.h"

namespace upbench {
namespace {

constexpr int kMostPasses = 3;
constexpr int kMultiple = 8;
constexpr const char* kLanczos = "pil-lanczos";

// One that reaches any size, not whole factors alone.
bool is_interpolator(const Upscaler& upscaler) {
  return std::ranges::any_of(resample_kernels(), [&](const ResampleKernel& kernel) {
    return kernel.name == upscaler.info().name && upscaler.info().tensor_hash.is_zero();
  });
}

// Both tools mean Pillow's where they say Lanczos.
std::string kernel_of(const Upscaler& upscaler) {
  const std::string& name = upscaler.info().name;
  return name == "lanczos" ? kLanczos : name;
}

// Of a network that leaves the scale to the caller: the next one that is enough, else the greatest.
int scale_of(const UpscalerInfo& info, double wanted) {
  if (info.scale > 0) return info.scale;
  const auto enough = std::ranges::find_if(info.scales, [&](int scale) { return scale >= wanted; });
  if (enough != info.scales.end()) return *enough;
  return info.scales.empty() ? std::max(1, static_cast<int>(std::ceil(wanted))) : info.scales.back();
}

class Fitting {
 public:
  Fitting(const Upscaler* upscaler, Image picture, int height, int width)
      : upscaler_(upscaler),
        height_(height),
        width_(width),
        made_{.image = std::move(picture), .passes = {}} {}

  FittedUpscale as_a1111() {
    made_.image = truncated(made_.image);
    const double scale = factor();
    if (scale > 1 && upscaler_ != nullptr) grow(scale);
    resize(width_, height_, kLanczos);
    return std::move(made_);
  }

  FittedUpscale as_comfy() {
    made_.image = made_.image.clamp(0, 1);
    const bool interpolates = upscaler_ != nullptr && is_interpolator(*upscaler_);
    if (interpolates && kernel_of(*upscaler_) != kLanczos) {
      resize(width_, height_, kernel_of(*upscaler_));
      made_.image = made_.image.clamp(0, 1);
      return std::move(made_);
    }
    if (upscaler_ != nullptr && !interpolates) pass(factor());
    made_.image = made_.image.clamp(0, 1);
    if (width() != width_ || height() != height_) made_.image = truncated(made_.image);
    resize(width_, height_, kLanczos);
    return std::move(made_);
  }

 private:
  int width() const { return static_cast<int>(made_.image.size(2)); }
  int height() const { return static_cast<int>(made_.image.size(1)); }
  double factor() const {
    return std::max(static_cast<double>(width_) / width(), static_cast<double>(height_) / height());
  }

  void grow(double scale) {
    const auto wanted = [&](int side) { return static_cast<int>(side * scale); };
    const int wide = wanted(width()), high = wanted(height());
    const int least_width = wide / kMultiple * kMultiple, least_height = high / kMultiple * kMultiple;
    if (is_interpolator(*upscaler_)) {
      resize(wide, high, kernel_of(*upscaler_));
      made_.image = quantized(made_.image);
    } else {
      for (int done = 0; done < kMostPasses && (width() < least_width || height() < least_height); ++done) {
        const int before = width();
        pass(scale);
        made_.image = quantized(made_.image);
        if (width() == before) break;
      }
    }
    if (least_width > 0 && least_height > 0) resize(least_width, least_height, kLanczos);
  }

  void pass(double wanted) {
    const int scale = scale_of(upscaler_->info(), wanted);
    made_.image = upscale(*upscaler_, made_.image, {.scale = scale}).image;
    made_.passes.push_back(fmt::format("x{}", scale));
  }

  void resize(int wide, int high, const std::string& kernel) {
    if (width() == wide && height() == high) return;
    made_.image = resample(made_.image, high, wide, kernel);
    made_.passes.push_back(fmt::format("{} {}x{}", kernel, wide, high));
  }

  const Upscaler* upscaler_;
  int height_, width_;
  FittedUpscale made_;
};

}  // namespace

FitRules parse_fit_rules(std::string_view name) {
  if (name == "a1111") return FitRules::a1111;
  if (name == "comfy") return FitRules::comfy;
  throw std::invalid_argument(fmt::format("rules '{}', expected a1111 or comfy", name));
}

Image truncated(const Image& picture) {
  return (picture.clamp(0, 1) * 255).floor() / 255;
}

FittedUpscale upscale_fitted(const Upscaler* upscaler, const Image& picture, int height, int width,
                             FitRules rules) {
  require_image(picture, "hires");
  Fitting fitting(upscaler, picture, height, width);
  return rules == FitRules::a1111 ? fitting.as_a1111() : fitting.as_comfy();
}

}  // namespace upbench
