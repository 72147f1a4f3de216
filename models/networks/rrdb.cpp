#include "models/networks/rrdb.h"

#include <array>

#include <ATen/ATen.h>
#include <fmt/format.h>

namespace upbench {
namespace {

constexpr double kSlope = 0.2;          // of every leaky ReLU
constexpr double kResidualScale = 0.2;  // of every dense block and of every group of three
constexpr int kDense = 3, kConvolutions = 5;

struct Convolution {
  at::Tensor weight, bias;
  at::Tensor operator()(const at::Tensor& x) const {
    return at::conv2d(x, weight, bias, 1, weight.size(2) / 2);
  }
};

struct DenseBlock {
  std::array<Convolution, kConvolutions> convolutions;
  Convolution shortcut;  // ESRGAN+ only: 1x1, no bias
};

struct Rrdb {
  Convolution first, trunk, high, last;
  std::vector<DenseBlock> dense;  // three for each block
  std::vector<Convolution> upsamplers;
  int unshuffle = 1;
};

Convolution convolution(const NamedTensors& weights, const std::string& name) {
  const auto bias = weights.find(name + ".bias");
  return {weights.at(name + ".weight"), bias == weights.end() ? at::Tensor() : bias->second};
}

std::string dense_name(int block, int dense) {
  return fmt::format("body.{}.rdb{}.", block, dense + 1);
}

Rrdb bind(const NamedTensors& weights, const RrdbShape& shape) {
  Rrdb network{.first = convolution(weights, "conv_first"),
               .trunk = convolution(weights, "conv_body"),
               .high = convolution(weights, "conv_hr"),
               .last = convolution(weights, "conv_last"),
               .dense = {},
               .upsamplers = {},
               .unshuffle = shape.unshuffle};
  for (int i = 0; i < kDense * shape.blocks; ++i) {
    const std::string name = dense_name(i / kDense, i % kDense);
    DenseBlock& dense = network.dense.emplace_back();
    for (int k = 0; k < kConvolutions; ++k)
      dense.convolutions[k] = convolution(weights, fmt::format("{}conv{}", name, k + 1));
    if (shape.plus) dense.shortcut = convolution(weights, name + "conv1x1");
  }
  for (int i = 1; i <= shape.upsamplers; ++i)
    network.upsamplers.push_back(convolution(weights, fmt::format("conv_up{}", i)));
  return network;
}

// buffer [N, features + 4 growth, H, W]: the first `features` channels hold the block's input and receive its
// output; each convolution reads all channels before its own slice, in place of the paper's concatenations.
void apply_dense(const DenseBlock& dense, const at::Tensor& buffer, std::int64_t features,
                 std::int64_t growth) {
  const at::Tensor input = buffer.narrow(1, 0, features);
  const auto slice = [&](int k) { return buffer.narrow(1, features + k * growth, growth); };
  for (int k = 0; k + 1 < kConvolutions; ++k) {
    at::Tensor out = slice(k);
    at::leaky_relu_out(out, dense.convolutions[k](buffer.narrow(1, 0, features + k * growth)), kSlope);
    if (dense.shortcut.weight.defined() && k == 1) out.add_(dense.shortcut(input));
    if (dense.shortcut.weight.defined() && k == 3) out.add_(slice(1));
  }
  input.add_(dense.convolutions.back()(buffer), kResidualScale);
}

at::Tensor activate(at::Tensor x) {
  return at::leaky_relu_(x, kSlope);
}

at::Tensor forward(const Rrdb& network, const at::Tensor& batch) {
  const at::Tensor first =
      network.first(network.unshuffle > 1 ? at::pixel_unshuffle(batch, network.unshuffle) : batch);
  const std::int64_t features = first.size(1), growth = network.dense.front().convolutions[0].weight.size(0);
  const at::Tensor buffer =
      at::empty({first.size(0), features + (kConvolutions - 1) * growth, first.size(2), first.size(3)},
                first.options().memory_format(first.suggest_memory_format()));
  const at::Tensor running = buffer.narrow(1, 0, features);
  running.copy_(first);
  at::Tensor skip = first.clone();
  for (std::size_t i = 0; i < network.dense.size(); ++i) {
    apply_dense(network.dense[i], buffer, features, growth);
    if (i % kDense != kDense - 1) continue;
    skip.add_(running, kResidualScale);
    running.copy_(skip);
  }
  at::Tensor y = network.trunk(skip).add_(first);
  for (const Convolution& upsampler : network.upsamplers) {
    y = activate(upsampler(at::upsample_nearest2d(y, {2 * y.size(2), 2 * y.size(3)})));
  }
  return network.last(activate(network.high(y)));
}

}  // namespace

NetworkFunction bind_rrdb(const NamedTensors& weights, const RrdbShape& shape) {
  return [network = bind(weights, shape)](const at::Tensor& batch) { return forward(network, batch); };
}

}  // namespace upbench
