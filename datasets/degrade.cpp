#include "datasets/degrade.h"

#include <algorithm>
#include <cmath>

#include <ATen/ATen.h>

#include "datasets/degradation/blur.h"
#include "datasets/degradation/compress.h"
#include "datasets/degradation/noise.h"
#include "datasets/degradation/steps.h"
#include "datasets/image.h"
#include "datasets/resample.h"

namespace upbench {
namespace {

// The picture between two steps: float32 on the CPU, packed, in [0, 1] but for what filters overshoot.
class Bench {
 public:
  Bench(const Image& image, DegradedSize result)
      : image_(image.detach().to(at::kCPU).contiguous().clone()), result_(result) {}

  void apply(const BlurStep& step) {
    at::Tensor out = at::empty_like(image_);
    filter_reflected(image_.const_data_ptr<float>(), 3, height(), width(),
                     blur_kernel(step.kernel, step.share), out.mutable_data_ptr<float>());
    image_ = out;
  }

  void apply(const ResizeStep& step) {
    const bool of_current = step.base == ResizeStep::Base::current;
    const auto side = [&](int current, int result) {
      return std::max(1, static_cast<int>(std::floor((of_current ? current : result) * step.factor)));
    };
    const int to_height = side(height(), result_.height), to_width = side(width(), result_.width);
    if (to_height == height() && to_width == width()) return;  // every kernel keeps such a picture
    image_ = resample(image_, to_height, to_width, step.kernel, step.whole_levels);
  }

  void apply(const NoiseStep& step) {
    const auto pixels = static_cast<std::size_t>(height()) * static_cast<std::size_t>(width());
    const auto add = step.poisson ? add_poisson_noise : add_gaussian_noise;
    add(image_.mutable_data_ptr<float>(), pixels, step.strength, step.grey, step.random);
  }

  void apply(const CompressStep& step) {
    const auto through = step.format == CompressStep::Format::jpeg ? through_jpeg : through_webp;
    image_ = to_image(through(to_raster(image_), step.quality));
  }

  const Image& image() const { return image_; }

 private:
  int height() const { return static_cast<int>(image_.size(1)); }
  int width() const { return static_cast<int>(image_.size(2)); }

  Image image_;
  DegradedSize result_;
};

}  // namespace

Image degrade(const Image& image, const DegradeSettings& settings, std::uint64_t seed,
              const Digest& content) {
  require_image(image, "degrade");
  const auto steps = degrade_steps(settings, seed, content);
  Bench bench(image,
              degraded_size(settings, static_cast<int>(image.size(1)), static_cast<int>(image.size(2))));
  for (const DegradeStep& step : steps) std::visit([&](const auto& kind) { bench.apply(kind); }, step);
  return quantized(bench.image()).to(image.device());
}

std::string describe_degradation(const DegradeSettings& settings, std::uint64_t seed, const Digest& content) {
  return describe(degrade_steps(settings, seed, content));
}

}  // namespace upbench
