#include "models/networks/rrdb.h"

#include <algorithm>
#include <array>

#include <ATen/ATen.h>
#include <fmt/format.h>

#include "models/networks/enlarged.h"
#include "models/networks/prepared.h"

namespace upbench {
namespace {

constexpr double kSlope = 0.2;          // of every leaky ReLU
constexpr double kResidualScale = 0.2;  // of every dense block and of every group of three
constexpr int kDense = 3, kConvolutions = 5;

constexpr Activation kActivation = leaky_relu_of(kSlope);

// A dense block concatenates its input and what its convolutions have made so far. Copying that costs a tenth
// of the time. What takes several sources (winograd) needs no copy; else the weights are split: parts[k][j]
// is what convolution k does with its j-th source, and the results are added up. The last convolution's
// weights are multiplied by kResidualScale. See DenseOrder.
struct DenseBlock {
  std::vector<PreparedConvolution> whole;  // one of these three is there
  std::array<std::vector<ConvolutionLayer>, kConvolutions> parts;
  std::vector<ConvolutionLayer> of_source;  // of j: the parts[k][j] of all k >= j side by side
  ConvolutionLayer shortcut;                // ESRGAN+ only: 1x1, no bias
};

struct Rrdb {
  ConvolutionLayer first, last;
  PreparedConvolution trunk, high;
  std::vector<DenseBlock> dense;                                          // three for each block
  std::vector<std::pair<ConvolutionLayer, ConvolutionLayer>> upsamplers;  // as in the file; folded, for x2
  int unshuffle = 1, enlargement = 2;
};

ConvolutionLayer layer(const NamedTensors& weights, const std::string& name) {
  const auto bias = weights.find(name + ".bias");
  const at::Tensor& weight = weights.at(name + ".weight");
  return {.weight = weight,
          .bias = bias == weights.end() ? at::Tensor() : bias->second,
          .padding = weight.size(2) / 2};
}

ConvolutionLayer scaled(ConvolutionLayer whole, double factor) {
  const at::MemoryFormat format = whole.weight.suggest_memory_format();
  whole.weight = (whole.weight * factor).contiguous(format);
  if (whole.bias.defined()) whole.bias = whole.bias * factor;
  return whole;
}

// Of a convolution over the block's input and slices of `growth` channels; the bias goes with the first.
std::vector<ConvolutionLayer> split(const ConvolutionLayer& whole, std::int64_t features,
                                    std::int64_t growth) {
  const at::MemoryFormat format = whole.weight.suggest_memory_format();
  std::vector<ConvolutionLayer> parts;
  for (std::int64_t begin = 0; begin < whole.weight.size(1); begin += parts.back().weight.size(1)) {
    const at::Tensor part = whole.weight.narrow(1, begin, begin == 0 ? features : growth);
    parts.push_back({.weight = part.clone(format), .bias = {}, .padding = whole.padding});
  }
  parts.front().bias = whole.bias;
  return parts;
}

// Column j of parts: convolutions with the same source give their outputs side by side.
std::vector<ConvolutionLayer> by_source(const DenseBlock& dense) {
  std::vector<ConvolutionLayer> layers;
  for (std::size_t j = 0; j < kConvolutions; ++j) {
    std::vector<at::Tensor> weights, biases;
    for (std::size_t k = j; k < kConvolutions; ++k) {
      weights.push_back(dense.parts[k][j].weight);
      if (const at::Tensor& bias = dense.parts[k][j].bias; bias.defined()) biases.push_back(bias);
    }
    layers.push_back({.weight = at::cat(weights).contiguous(weights[0].suggest_memory_format()),
                      .bias = biases.empty() ? at::Tensor() : at::cat(biases),
                      .padding = dense.parts[0][0].padding});
  }
  return layers;
}

std::string dense_name(int block, int dense) {
  return fmt::format("body.{}.rdb{}.", block, dense + 1);
}

DenseBlock bind_dense(const NamedTensors& weights, const std::string& name, const RrdbShape& shape,
                      DenseOrder order) {
  DenseBlock dense;
  if (shape.plus) dense.shortcut = layer(weights, name + "conv1x1");
  for (int k = 0; k < kConvolutions; ++k) {
    const ConvolutionLayer whole = layer(weights, fmt::format("{}conv{}", name, k + 1));
    dense.whole.push_back(prepared(k + 1 == kConvolutions ? scaled(whole, kResidualScale) : whole));
  }
  const bool take_all = std::ranges::all_of(
      dense.whole, [](const PreparedConvolution& conv) { return conv.winograd.defined(); });
  if (order == DenseOrder::by_convolution && take_all) return dense;
  for (int k = 0; k < kConvolutions; ++k)
    dense.parts[k] = split(dense.whole[k].layer, shape.features, shape.growth);
  dense.whole.clear();
  if (order == DenseOrder::by_source) {
    dense.of_source = by_source(dense);
    dense.parts = {};
  }
  return dense;
}

Rrdb bind(const NamedTensors& weights, const RrdbShape& shape, DenseOrder order) {
  Rrdb network{.first = layer(weights, "conv_first"),
               .last = layer(weights, "conv_last"),
               .trunk = prepared(layer(weights, "conv_body")),
               .high = prepared(layer(weights, "conv_hr")),
               .dense = {},
               .upsamplers = {},
               .unshuffle = shape.unshuffle,
               .enlargement = shape.enlargement};
  for (int i = 0; i < kDense * shape.blocks; ++i)
    network.dense.push_back(bind_dense(weights, dense_name(i / kDense, i % kDense), shape, order));
  for (int i = 1; i <= shape.upsamplers; ++i) {
    const ConvolutionLayer upsampler = layer(weights, fmt::format("conv_up{}", i));
    network.upsamplers.emplace_back(
        upsampler, shape.enlargement == 2 ? folded_for_corners(upsampler) : ConvolutionLayer());
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

// ESRGAN+ only. y: what convolution k made; sources: what came before.
at::Tensor with_shortcut(const DenseBlock& dense, int k, at::Tensor y,
                         const std::vector<at::Tensor>& sources) {
  if (dense.shortcut.weight.defined() && k == 1) y = convolution(dense.shortcut, sources[0], {.plus = y});
  if (dense.shortcut.weight.defined() && k == 3) y.add_(sources[2]);
  return y;
}

// `sums` holds, side by side, what is known so far of all convolutions that are still to come.
at::Tensor apply_by_source(const DenseBlock& dense, const at::Tensor& x) {
  at::Tensor sums = convolution(dense.of_source[0], x);
  std::vector<at::Tensor> sources{x};
  for (int k = 0; k + 1 < kConvolutions; ++k) {
    const ConvolutionLayer& next = dense.of_source[k + 1];
    const std::int64_t growth = sums.size(1) - next.weight.size(0);
    at::Tensor own = sums.narrow(1, 0, growth).contiguous(sums.suggest_memory_format());
    sources.push_back(with_shortcut(dense, k, activated(std::move(own), kActivation), sources));
    sums = sums.narrow(1, growth, next.weight.size(0)).add_(convolution(next, sources.back()));
  }
  return sums + x;
}

at::Tensor apply_by_parts(const DenseBlock& dense, const at::Tensor& x) {
  std::vector<at::Tensor> sources{x};
  for (int k = 0; k + 1 < kConvolutions; ++k) {
    const std::vector<ConvolutionLayer>& parts = dense.parts[k];
    at::Tensor y = k == 0 ? convolution(parts[0], x, {.then = kActivation})
                          : activated(completed(convolution(parts[0], x), parts, sources), kActivation);
    sources.push_back(with_shortcut(dense, k, std::move(y), sources));
  }
  return completed(convolution(dense.parts.back()[0], x, {.plus = x}), dense.parts.back(), sources);
}

at::Tensor apply_dense(const DenseBlock& dense, const at::Tensor& x) {
  if (!dense.of_source.empty()) return apply_by_source(dense, x);
  if (dense.whole.empty()) return apply_by_parts(dense, x);
  std::vector<at::Tensor> sources{x};
  for (int k = 0; k + 1 < kConvolutions; ++k)
    sources.push_back(
        with_shortcut(dense, k, convolution(dense.whole[k], sources, {.then = kActivation}), sources));
  return convolution(dense.whole.back(), sources, {.plus = x});
}

at::Tensor upsampled(const Rrdb& network, std::size_t k, const at::Tensor& x) {
  const auto& [upsampler, folded] = network.upsamplers[k];
  const std::int64_t factor = network.enlargement;
  if (factor == 2) return enlarged_convolution(upsampler, folded, x, kActivation);
  return convolution(upsampler, at::upsample_nearest2d(x, {factor * x.size(2), factor * x.size(3)}),
                     {.then = kActivation});
}

at::Tensor forward(const Rrdb& network, const at::Tensor& batch) {
  const at::Tensor first = convolution(
      network.first, network.unshuffle > 1 ? at::pixel_unshuffle(batch, network.unshuffle) : batch);
  at::Tensor skip = first;
  for (std::size_t i = 0; i < network.dense.size(); i += kDense) {
    at::Tensor y = skip;
    for (int k = 0; k < kDense; ++k) y = apply_dense(network.dense[i + k], y);
    skip = at::add(skip, y, kResidualScale);
  }
  at::Tensor y = convolution(network.trunk, skip, {.plus = first});
  for (std::size_t k = 0; k < network.upsamplers.size(); ++k) y = upsampled(network, k, y);
  return convolution(network.last, convolution(network.high, y, {.then = kActivation}));
}

}  // namespace

NetworkFunction bind_rrdb(const NamedTensors& weights, const RrdbShape& shape, DenseOrder order) {
  return [network = bind(weights, shape, order)](const at::Tensor& batch) { return forward(network, batch); };
}

NetworkFunction bind_rrdb(const NamedTensors& weights, const RrdbShape& shape) {
  const bool here = weights.at("conv_first.weight").is_cpu();
  return bind_rrdb(weights, shape, here ? DenseOrder::by_convolution : DenseOrder::by_source);
}

}  // namespace upbench
