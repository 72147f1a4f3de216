#pragma once

#include <array>
#include <cmath>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>

#include "models/tiling/tile_plan.h"
#include "models/upscaler.h"

namespace upbench::test {

// An upscaler that is one function. It keeps the shapes of the batches it was given.
class FakeUpscaler final : public Upscaler {
 public:
  using Function = std::function<at::Tensor(const at::Tensor& batch, int scale)>;

  FakeUpscaler(UpscalerInfo info, Function function)
      : info_(std::move(info)), function_(std::move(function)) {}

  const UpscalerInfo& info() const override { return info_; }
  at::Tensor forward(const at::Tensor& batch, int scale) const override {
    batches_.push_back(batch.sizes().vec());
    return function_(batch, scale);
  }
  std::shared_ptr<const Upscaler> to(const std::string&, Precision) const override { return nullptr; }

  const std::vector<std::vector<std::int64_t>>& batches() const { return batches_; }

 private:
  UpscalerInfo info_;
  Function function_;
  mutable std::vector<std::vector<std::int64_t>> batches_;
};

// Each pixel repeated scale x scale times: the same whatever surrounds it.
inline at::Tensor repeated(const at::Tensor& batch, int scale) {
  return batch.repeat_interleave(scale, 2).repeat_interleave(scale, 3);
}

inline FakeUpscaler nearest(int size_multiple = 1, int minimum_size = 1) {
  UpscalerInfo info;
  info.name = "nearest";
  info.size_multiple = size_multiple;
  info.minimum_size = minimum_size;
  info.receptive_radius = 0;
  return {info, repeated};
}

inline Image random_image(std::int64_t height, std::int64_t width, std::uint64_t seed = 7) {
  return at::rand({3, height, width}, at::make_generator<at::CPUGeneratorImpl>(seed));
}

inline UpscalerInfo info_of(const std::string& name, int scale) {
  UpscalerInfo info;
  info.name = name;
  info.scale = scale;
  return info;
}

// x2, `layers` zero-padded 3x3 convolutions of random weights: an output pixel depends on `layers` input
// pixels to each side.
inline FakeUpscaler conv_stack(int layers) {
  auto generator = at::make_generator<at::CPUGeneratorImpl>(11);
  std::vector<at::Tensor> weights;
  for (int i = 0; i < layers; ++i) {
    const std::int64_t in = i == 0 ? 3 : 8, out = i + 1 == layers ? 12 : 8;
    weights.push_back(at::randn({out, in, 3, 3}, generator).div_(3 * std::sqrt(static_cast<double>(in))));
  }
  UpscalerInfo info = info_of("conv stack", 2);
  info.receptive_radius = layers;
  return {info, [weights](const at::Tensor& batch, int) {
            at::Tensor values = batch;
            for (const at::Tensor& weight : weights) values = at::conv2d(values, weight, {}, 1, 1).tanh();
            return at::pixel_shuffle(values, 2);
          }};
}

inline double largest_difference(const Image& a, const Image& b) {
  return (a - b).abs().max().item<double>();
}

inline constexpr std::array kAllTileModes{TileMode::core_context, TileMode::even_ramp,
                                          TileMode::stride_feather, TileMode::half_sine, TileMode::uniform};

}  // namespace upbench::test
