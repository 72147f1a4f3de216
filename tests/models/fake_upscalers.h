#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <ATen/ATen.h>

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

}  // namespace upbench::test
