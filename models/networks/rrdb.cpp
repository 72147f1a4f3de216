#include "models/networks/rrdb.h"

#include <array>

#include <ATen/ATen.h>
#include <fmt/format.h>

#include "models/networks/enlarged.h"

namespace upbench {
namespace {

constexpr double kSlope = 0.2;          // of every leaky ReLU
constexpr double kResidualScale = 0.2;  // of every dense block and of every group of three
constexpr int kDense = 3, kConvolutions = 5;

constexpr Activation kActivation = leaky_relu_of(kSlope);

// A dense block concatenates its input and what its convolutions have made so far. Copying that costs a tenth
// of the time, so that the weights are split instead: parts[k][j] is what convolution k does with its j-th
// source, and the results are added up. The last convolution's are multiplied by kResidualScale.
struct DenseBlock {
  std::array<std::vector<ConvolutionLayer>, kConvolutions> parts;
  ConvolutionLayer shortcut;  // ESRGAN+ only: 1x1, no bias
};

struct Rrdb {
  ConvolutionLayer first, trunk, high, last;
  std::vector<DenseBlock> dense;                                          // three for each block
  std::vector<std::pair<ConvolutionLayer, ConvolutionLayer>> upsamplers;  // as in the file, and folded
  int unshuffle = 1;
};

ConvolutionLayer layer(const NamedTensors& weights, const std::string& name) {
  const auto bias = weights.find(name + ".bias");
  const at::Tensor& weight = weights.at(name + ".weight");
  return {.weight = weight,
          .bias = bias == weights.end() ? at::Tensor() : bias->second,
          .padding = weight.size(2) / 2};
}

// Of a convolution over the block's input and slices of `growth` channels; the bias goes with the first.
std::vector<ConvolutionLayer> split(const ConvolutionLayer& whole, std::int64_t features, std::int64_t growth,
                                    double factor) {
  const at::MemoryFormat format = whole.weight.suggest_memory_format();
  std::vector<ConvolutionLayer> parts;
  for (std::int64_t begin = 0; begin < whole.weight.size(1); begin += parts.back().weight.size(1)) {
    const at::Tensor part = whole.weight.narrow(1, begin, begin == 0 ? features : growth);
    parts.push_back(
        {.weight = at::mul(part, factor).contiguous(format), .bias = {}, .padding = whole.padding});
  }
  if (whole.bias.defined()) parts.front().bias = whole.bias * factor;
  return parts;
}

std::string dense_name(int block, int dense) {
  return fmt::format("body.{}.rdb{}.", block, dense + 1);
}

Rrdb bind(const NamedTensors& weights, const RrdbShape& shape) {
  Rrdb network{.first = layer(weights, "conv_first"),
               .trunk = layer(weights, "conv_body"),
               .high = layer(weights, "conv_hr"),
               .last = layer(weights, "conv_last"),
               .dense = {},
               .upsamplers = {},
               .unshuffle = shape.unshuffle};
  for (int i = 0; i < kDense * shape.blocks; ++i) {
    const std::string name = dense_name(i / kDense, i % kDense);
    DenseBlock& dense = network.dense.emplace_back();
    for (int k = 0; k < kConvolutions; ++k)
      dense.parts[k] = split(layer(weights, fmt::format("{}conv{}", name, k + 1)), shape.features,
                             shape.growth, k + 1 == kConvolutions ? kResidualScale : 1);
    if (shape.plus) dense.shortcut = layer(weights, name + "conv1x1");
  }
  for (int i = 1; i <= shape.upsamplers; ++i) {
    const ConvolutionLayer upsampler = layer(weights, fmt::format("conv_up{}", i));
    network.upsamplers.emplace_back(upsampler, folded_for_corners(upsampler));
  }
  return network;
}

// y + the convolutions of sources[1], sources[2], ... by the parts of the same index.
at::Tensor completed(at::Tensor y, const std::vector<ConvolutionLayer>& parts,
                     const std::vector<at::Tensor>& sources) {
  for (std::size_t j = 1; j < parts.size(); ++j) {
    if (is_fusible(y) && y.is_contiguous(at::MemoryFormat::ChannelsLast)) {
      add_convolution(parts[j], sources[j], y);
    } else {
      y = convolution(parts[j], sources[j], {.plus = y});
    }
  }
  return y;
}

at::Tensor apply_dense(const DenseBlock& dense, const at::Tensor& x) {
  std::vector<at::Tensor> sources{x};
  for (int k = 0; k + 1 < kConvolutions; ++k) {
    const std::vector<ConvolutionLayer>& parts = dense.parts[k];
    at::Tensor y = k == 0 ? convolution(parts[0], x, {.then = kActivation})
                          : activated(completed(convolution(parts[0], x), parts, sources), kActivation);
    if (dense.shortcut.weight.defined() && k == 1) y = convolution(dense.shortcut, x, {.plus = y});
    if (dense.shortcut.weight.defined() && k == 3) y.add_(sources[2]);
    sources.push_back(std::move(y));
  }
  return completed(convolution(dense.parts.back()[0], x, {.plus = x}), dense.parts.back(), sources);
}

at::Tensor forward(const Rrdb& network, const at::Tensor& batch) {
  const at::Tensor first = convolution(
      network.first, network.unshuffle > 1 ? at::pixel_unshuffle(batch, network.unshuffle) : batch);
  at::Tensor skip = first;
  for (std::size_t i = 0; i < network.dense.size(); i += kDense) {
    at::Tensor y = skip;
    for (int k = 0; k < kDense; ++k) y = apply_dense(network.dense[i + k], y);
    skip = y.mul_(kResidualScale).add_(skip);
  }
  at::Tensor y = convolution(network.trunk, skip, {.plus = first});
  for (const auto& [upsampler, folded] : network.upsamplers)
    y = enlarged_convolution(upsampler, folded, y, kActivation);
  return convolution(network.last, convolution(network.high, y, {.then = kActivation}));
}

}  // namespace

NetworkFunction bind_rrdb(const NamedTensors& weights, const RrdbShape& shape) {
  return [network = bind(weights, shape)](const at::Tensor& batch) { return forward(network, batch); };
}

}  // namespace upbench
