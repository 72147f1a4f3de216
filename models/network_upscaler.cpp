#include "models/network_upscaler.h"

#include <algorithm>
#include <map>
#include <mutex>
#include <stdexcept>
#include <string>

#include <ATen/ATen.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "datasets/device/stream.h"

namespace upbench {
namespace {

at::Device parse_device(const std::string& text) {
  try {
    return at::Device(text);
  } catch (const c10::Error&) {
    throw std::invalid_argument(fmt::format("unknown device '{}', expected cpu or cuda:N", text));
  }
}

// To a GPU through pinned memory: copied on the current stream while the host goes on.
at::Tensor placed(const at::Tensor& tensor, at::Device device, at::ScalarType dtype) {
  if (device.is_cpu()) return tensor.to(dtype);
  return tensor.to(dtype).pin_memory().to(device, /*non_blocking=*/true);
}

UpscalerInfo describe(const std::string& name, const LoadedNetwork& network) {
  const NetworkMatch& match = network.match;
  UpscalerInfo info;
  info.name = name;
  info.architecture = match.architecture;
  info.recognised_by = match.recognised_by;
  info.scale = match.scale;
  info.scales = match.scales;
  info.size_multiple = match.size_multiple;
  info.minimum_size = match.minimum_size;
  info.spandrel_padding = match.spandrel_padding;
  info.receptive_radius = match.receptive_radius;
  info.macs_per_pixel = match.macs_per_pixel;
  info.macs_by_scale = match.macs_by_scale;
  info.tensor_hash = network.hash;
  info.dialect = network.dialect;
  info.licence = network.licence;
  info.supports_half = match.supports_half;
  info.input_range = match.input_range;
  info.hyper_parameters = match.hyper_parameters;
  for (const auto& [key, tensor] : network.weights) info.parameters += tensor.numel();
  return info;
}

class NetworkUpscaler : public Upscaler {
 public:
  // Weights are converted from the file's own, so that a way through fp16 loses nothing.
  NetworkUpscaler(UpscalerInfo info, std::shared_ptr<const LoadedNetwork> network, at::Device device,
                  at::ScalarType dtype)
      : info_(std::move(info)), network_(std::move(network)), device_(device), dtype_(dtype) {
    for (const auto& [name, tensor] : network_->weights) {
      at::Tensor weight = placed(tensor, device, dtype);
      // Convolutions then run with channels last, which is faster on CPUs and on tensor cores alike.
      if (weight.dim() == 4) weight = weight.contiguous(at::MemoryFormat::ChannelsLast);
      weights_.emplace(name, std::move(weight));
    }
  }

  const UpscalerInfo& info() const override { return info_; }

  at::Tensor forward(const at::Tensor& batch, int scale) const override {
    const at::Tensor input = batch.to(dtype_).contiguous(at::MemoryFormat::ChannelsLast);
    return function_of(scale)(input).to(at::kFloat).contiguous();
  }

  UpscalerPtr to(const std::string& device, Precision precision) const override {
    if (precision != Precision::fp32 && !info_.supports_half) {
      throw std::invalid_argument(
          fmt::format("{}: {} does not work in half precision", info_.name, info_.architecture));
    }
    return std::make_shared<NetworkUpscaler>(info_, network_, parse_device(device), dtype_of(precision));
  }

 private:
  // Bound at the first use of a scale and kept: what a network computes from its weights alone is kept with
  // it.
  const NetworkFunction& function_of(int scale) const {
    const bool known = info_.scale != 0 ? scale == info_.scale
                                        : info_.scales.empty() || std::ranges::count(info_.scales, scale) > 0;
    if (!known)
      throw std::invalid_argument(fmt::format(
          "{}: a network of scale {} is asked for scale {}", info_.name,
          info_.scale != 0 ? std::to_string(info_.scale) : fmt::format("{}", fmt::join(info_.scales, ", ")),
          scale));
    const std::lock_guard lock(mutex_);
    NetworkFunction& function = functions_[scale];
    if (function) return function;
    function = info_.scale != 0 ? network_->match.bind(weights_) : network_->match.bind_at(weights_, scale);
    // What binding made of the weights may be used on another stream, where nothing waits for this one.
    DeviceStream::current(device_).synchronize();
    return function;
  }

  UpscalerInfo info_;
  std::shared_ptr<const LoadedNetwork> network_;
  at::Device device_;
  at::ScalarType dtype_;
  NamedTensors weights_;  // as placed
  mutable std::mutex mutex_;
  mutable std::map<int, NetworkFunction> functions_;  // by scale; entries stay where they are
};

}  // namespace

at::ScalarType dtype_of(Precision precision) {
  switch (precision) {
    case Precision::fp16:
      return at::kHalf;
    case Precision::bf16:
      return at::kBFloat16;
    case Precision::fp32:
      break;
  }
  return at::kFloat;
}

UpscalerPtr make_network_upscaler(const std::string& name, LoadedNetwork network) {
  UpscalerInfo info = describe(name, network);
  // As they are placed on the CPU in their own type, so that no second copy is held.
  for (auto& [key, tensor] : network.weights)
    if (tensor.dim() == 4) tensor = tensor.contiguous(at::MemoryFormat::ChannelsLast);
  return std::make_shared<NetworkUpscaler>(
      std::move(info), std::make_shared<LoadedNetwork>(std::move(network)), at::kCPU, at::kFloat);
}

}  // namespace upbench
