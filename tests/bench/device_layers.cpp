// Ways to compute the same part of a network, so that a real device says which one is to be used.
//   dense/WAY/PRECISION/SIDE/BATCH     dense blocks of RRDB: the two orders that the program has, and what
//                                      others do: concatenate, or write slices of one buffer
//   rectify/WAY/PRECISION/SIDE/BATCH   bias and parametric ReLU behind a convolution of SRVGG
#include <array>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include "datasets/device/module.h"
#include "datasets/device/pixels.h"
#include "models/network_upscaler.h"
#include "models/networks/fused.h"
#include "models/networks/rrdb.h"
#include "tests/bench/counters.h"
#include "tests/bench/device_groups.h"
#include "tests/bench/device_measure.h"
#include "tests/models/networks/random_network.h"

namespace upbench::bench {
namespace {

constexpr auto kPlanes = at::MemoryFormat::Contiguous, kChannelsLast = at::MemoryFormat::ChannelsLast;

// Six dense blocks and little else.
constexpr RrdbShape kShape{.blocks = 2, .upsamplers = 0};
constexpr double kResidualScale = 0.2;
constexpr Activation kActivation = leaky_relu_of(0.2);

const NamedTensors& dense_weights() {
  static const NamedTensors weights = test::random_tensors(rrdb_layout(kShape, RrdbSpelling::basicsr), 1);
  return weights;
}

// Every convolution sees every pixel.
double dense_macs_per_pixel() {
  double macs = 0;
  for (const auto& [name, tensor] : dense_weights())
    if (tensor.dim() == 4) macs += static_cast<double>(tensor.numel());
  return macs;
}

NamedTensors placed(const NamedTensors& weights, at::ScalarType type, at::MemoryFormat format) {
  NamedTensors there_now;
  for (const auto& [name, tensor] : weights) {
    const at::Tensor moved = tensor.to(at::Device(device()), type);
    there_now[name] = moved.dim() == 4 ? moved.contiguous(format) : moved;
  }
  return there_now;
}

at::Tensor convolved(const ConvolutionLayer& layer, const at::Tensor& x) {
  return at::conv2d(x, layer.weight, layer.bias, 1, layer.padding);
}

// The five convolutions of a block; the last one's weights are multiplied by kResidualScale.
using Dense = std::array<ConvolutionLayer, 5>;
using DenseFunction = std::function<at::Tensor(const Dense& layers, const at::Tensor& x)>;

at::Tensor dense_by_cat(const Dense& layers, const at::Tensor& x) {
  std::vector<at::Tensor> sources{x};
  for (std::size_t k = 0; k + 1 < layers.size(); ++k)
    sources.push_back(activated(convolved(layers[k], k == 0 ? x : at::cat(sources, 1)), kActivation));
  return convolved(layers.back(), at::cat(sources, 1)).add_(x);
}

// Each convolution reads the front of `buffer` and fills the next slice.
at::Tensor dense_in_slices(const Dense& layers, const at::Tensor& x, const at::Tensor& buffer) {
  std::int64_t filled = x.size(1);
  buffer.narrow(1, 0, filled).copy_(x);
  for (std::size_t k = 0; k + 1 < layers.size(); ++k) {
    const at::Tensor made = activated(convolved(layers[k], buffer.narrow(1, 0, filled)), kActivation);
    buffer.narrow(1, filled, made.size(1)).copy_(made);
    filled += made.size(1);
  }
  return convolved(layers.back(), buffer).add_(x);
}

// The buffer is made once and is at the same place ever after.
DenseFunction in_slices_of_one_buffer() {
  return [buffer = std::make_shared<at::Tensor>()](const Dense& layers, const at::Tensor& x) {
    const std::vector<std::int64_t> shape{x.size(0), layers.back().weight.size(1), x.size(2), x.size(3)};
    if (!buffer->defined() || buffer->sizes().vec() != shape)
      *buffer = at::empty(shape, x.options(), x.suggest_memory_format());
    return dense_in_slices(layers, x, *buffer);
  };
}

struct PlainNetwork {
  ConvolutionLayer first, trunk, high, last;
  std::vector<Dense> blocks;
};

PlainNetwork plain_network(const NamedTensors& weights) {
  const auto layer = [&](const std::string& name, double factor = 1) {
    return ConvolutionLayer{.weight = weights.at(name + ".weight") * factor,
                            .bias = weights.at(name + ".bias") * factor,
                            .padding = 1};
  };
  PlainNetwork network{.first = layer("conv_first"),
                       .trunk = layer("conv_body"),
                       .high = layer("conv_hr"),
                       .last = layer("conv_last"),
                       .blocks = {}};
  for (int i = 0; i < 3 * kShape.blocks; ++i) {
    Dense& block = network.blocks.emplace_back();
    for (std::size_t k = 0; k < block.size(); ++k)
      block[k] = layer(fmt::format("body.{}.rdb{}.conv{}", i / 3, i % 3 + 1, k + 1),
                       k + 1 == block.size() ? kResidualScale : 1);
  }
  return network;
}

NetworkFunction bind_plain(const NamedTensors& weights, const DenseFunction& dense) {
  return [network = plain_network(weights), dense](const at::Tensor& batch) {
    const at::Tensor first = convolved(network.first, batch);
    at::Tensor skip = first;
    for (std::size_t i = 0; i < network.blocks.size(); i += 3) {
      at::Tensor y = skip;
      for (std::size_t k = 0; k < 3; ++k) y = dense(network.blocks[i + k], y);
      skip = y.mul_(kResidualScale).add_(skip);
    }
    const at::Tensor y = convolved(network.trunk, skip).add_(first);
    return convolved(network.last, activated(convolved(network.high, y), kActivation));
  };
}

struct Way {
  const char* name;
  at::MemoryFormat format;
  std::function<NetworkFunction(const NamedTensors& weights)> bind;
};

std::vector<Way> dense_ways() {
  const auto in_order = [](DenseOrder order) {
    return [order](const NamedTensors& weights) { return bind_rrdb(weights, kShape, order); };
  };
  const auto by_cat = [](const NamedTensors& weights) { return bind_plain(weights, dense_by_cat); };
  const auto in_slices = [](const NamedTensors& weights) {
    return bind_plain(weights, in_slices_of_one_buffer());
  };
  return {{"by_convolution", kChannelsLast, in_order(DenseOrder::by_convolution)},
          {"by_source", kChannelsLast, in_order(DenseOrder::by_source)},
          {"cat", kChannelsLast, by_cat},
          {"slices", kChannelsLast, in_slices},
          {"slices_in_planes", kPlanes, in_slices}};
}

at::Tensor random_input(std::int64_t batch, std::int64_t channels, std::int64_t side, at::ScalarType type,
                        at::MemoryFormat format) {
  return at::rand({batch, channels, side, side}, there()).to(type).contiguous(format);
}

void require_same_network(const Way& way) {
  const at::Tensor input = random_input(2, 3, 24, at::kFloat, way.format);
  const NamedTensors weights = placed(dense_weights(), at::kFloat, way.format);
  require_same(way.bind(weights)(input), bind_plain(weights, dense_by_cat)(input), way.name);
}

void dense(benchmark::State& state, const Way& way, const Setting& setting) {
  const at::NoGradGuard no_gradients;
  const SettingsScope scope(DeviceSettings{.tf32 = setting.tf32});
  require_same_network(way);
  const auto side = state.range(0), batch = state.range(1);
  const at::ScalarType type = dtype_of(setting.precision);
  const auto network =
      std::make_shared<const NetworkFunction>(way.bind(placed(dense_weights(), type, way.format)));
  const at::Tensor input = random_input(batch, 3, side, type, way.format);
  GraphPool pool(device(), 1);
  measure(state, {.flop = 2 * dense_macs_per_pixel() * square(side) * static_cast<double>(batch)},
          [&] { pool.run(way.name, input, *network, network); });
  if (!pool.why_eager().empty()) state.SetLabel("eager: " + pool.why_eager());
}

// prelu(x + bias), one slope a channel. May overwrite x.
at::Tensor rectified(const std::string& way, const at::Tensor& x, const at::Tensor& bias,
                     const at::Tensor& slope) {
  if (way == "kernel") {
    kernels::rectify(kernels_of_module(), x, bias, slope);
    return x;
  }
  x.add_(bias.view({1, -1, 1, 1}));  // what ATen's convolution does with its bias
  if (way == "aten") return at::prelu(x, slope);
  return at::relu(x).add_(x.clamp_max(at::Scalar(0)).mul_(slope.view({1, -1, 1, 1})));
}

void rectify(benchmark::State& state, const std::string& way, const Setting& setting) {
  constexpr std::int64_t kChannels = 64;
  const at::NoGradGuard no_gradients;
  const auto side = state.range(0), batch = state.range(1);
  const at::Tensor slope = at::rand({kChannels}, there());
  const at::Tensor small = random_input(2, kChannels, 8, at::kFloat, kChannelsLast).sub_(0.5);
  require_same(rectified(way, small.clone(), slope, slope),
               at::prelu(small + slope.view({1, -1, 1, 1}), slope), way);

  const at::ScalarType type = dtype_of(setting.precision);
  const at::Tensor x = random_input(batch, kChannels, side, type, kChannelsLast).sub_(0.5);
  const at::Tensor no_bias = at::zeros({kChannels}, x.options()), slopes = slope.to(type);
  const double bytes = 2.0 * static_cast<double>(x.numel()) * static_cast<double>(x.element_size());
  measure(state, {.bytes = bytes}, [&] { rectified(way, x, no_bias, slopes); });
}

// Small pictures alone on a CPU, to see that it works.
void add_shapes(benchmark::internal::Benchmark* added) {
  if (on_gpu())
    added->Args({64, 16})->Args({256, 1});
  else
    added->Args({32, 1});
}

}  // namespace

void add_layers() {
  for (const Setting& setting : {kFp32, kFp16}) {
    for (const Way& way : dense_ways())
      add_shapes(add(fmt::format("dense/{}/{}", way.name, setting.name), dense, way, setting));
    for (const char* way : {"aten", "parts", "kernel"}) {
      if (way == std::string("kernel") && (!on_gpu() || !cuda_module().module)) continue;
      add_shapes(add(fmt::format("rectify/{}/{}", way, setting.name), rectify, std::string(way), setting));
    }
  }
}

}  // namespace upbench::bench
