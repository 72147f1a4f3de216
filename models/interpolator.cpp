#include "models/interpolator.h"

#include <algorithm>
#include <stdexcept>

#include <ATen/ATen.h>
#include <fmt/format.h>

#include "datasets/resample.h"

namespace upbench {
namespace {

// Without weights there is nothing to place or to convert: every device and precision is the same upscaler.
class Weightless : public Upscaler, public std::enable_shared_from_this<Weightless> {
 public:
  explicit Weightless(UpscalerInfo info) : info_(std::move(info)) {}
  const UpscalerInfo& info() const override { return info_; }
  UpscalerPtr to(const std::string&, Precision) const override { return shared_from_this(); }

 private:
  UpscalerInfo info_;
};

class NullUpscaler : public Weightless {
 public:
  using Weightless::Weightless;
  at::Tensor forward(const at::Tensor& batch, int scale) const override {
    return at::upsample_nearest2d(batch, {batch.size(2) * scale, batch.size(3) * scale});
  }
};

class Interpolator : public Weightless {
 public:
  using Weightless::Weightless;
  at::Tensor forward(const at::Tensor& batch, int scale) const override {
    const int height = static_cast<int>(batch.size(2)) * scale,
              width = static_cast<int>(batch.size(3)) * scale;
    if (batch.size(0) == 1) return resample(batch[0], height, width, info().name).unsqueeze(0);
    std::vector<at::Tensor> images;
    for (std::int64_t i = 0; i < batch.size(0); ++i)
      images.push_back(resample(batch[i], height, width, info().name));
    return at::stack(images);
  }
};

UpscalerInfo describe(std::string_view name, std::string architecture, std::string recognised_by) {
  UpscalerInfo info;
  info.name = name;
  info.architecture = std::move(architecture);
  info.recognised_by = std::move(recognised_by);
  return info;
}

}  // namespace

UpscalerPtr make_null_upscaler() {
  UpscalerInfo info = describe("nearest", "null", "built in: repeats pixels");
  info.receptive_radius = 0;
  return std::make_shared<NullUpscaler>(std::move(info));
}

UpscalerPtr make_interpolator(std::string_view kernel) {
  const auto found = std::ranges::find(resample_kernels(), kernel, &ResampleKernel::name);
  if (found == resample_kernels().end())
    throw std::invalid_argument(fmt::format("unknown kernel '{}'", kernel));
  return std::make_shared<Interpolator>(describe(kernel, "interpolator", "built in: " + found->description));
}

}  // namespace upbench
