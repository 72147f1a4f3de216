#include "models/networks/fused.h"

#include <cmath>
#include <cstdlib>

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <gtest/gtest.h>

#include "models/network_upscaler.h"
#include "models/networks/bsrn.h"
#include "models/networks/craft.h"
#include "models/networks/dctlsa.h"
#include "models/networks/efdn.h"
#include "models/networks/enlarged.h"
#include "models/networks/hit_srf.h"
#include "models/networks/imdn.h"
#include "models/networks/pan.h"
#include "models/networks/registry.h"
#include "models/networks/rfdn.h"
#include "models/networks/rlfn.h"
#include "models/networks/rrdb.h"
#include "models/networks/safmn.h"
#include "models/networks/span.h"
#include "models/networks/srvgg.h"
#include "tests/models/networks/peer_scores.h"
#include "tests/models/networks/random_network.h"
#include "tests/support/assets.h"

namespace upbench {
namespace {

at::Tensor random(const std::vector<std::int64_t>& shape, std::uint64_t seed) {
  return at::randn(shape, at::make_generator<at::CPUGeneratorImpl>(seed));
}

at::Tensor channels_last(const at::Tensor& x) {
  return x.contiguous(at::MemoryFormat::ChannelsLast);
}

double distance(const at::Tensor& a, const at::Tensor& b) {
  return (a - b).abs().max().item<double>();
}

constexpr double kRounding =
    4e-5;  // of float32 sums of some hundred terms near 1, up to 40, in another order

const std::vector<Activation> kActivations{{}, kRelu, leaky_relu_of(0.2), kGelu, kSilu, kSigmoid};

at::Tensor by_definition(const at::Tensor& x, const Activation& activation) {
  switch (activation.kind) {
    case Activation::Kind::none:
      break;
    case Activation::Kind::relu:
      return at::where(x > 0, x, 0);
    case Activation::Kind::leaky_relu:
      return at::where(x > 0, x, x * activation.slope);
    case Activation::Kind::gelu:
      return x * 0.5 * (1 + at::erf(x / std::sqrt(2.0)));
    case Activation::Kind::silu:
      return x / (1 + at::exp(-x));
    case Activation::Kind::sigmoid:
      return 1 / (1 + at::exp(-x));
  }
  return x;
}

TEST(Fused, ConvolutionsWithWhatFollowsEqualTheStepsOneByOne) {
  for (const auto& [kernel, stride, groups] : {std::tuple(3, 1, 1), {1, 1, 1}, {3, 2, 1}, {3, 1, 12}}) {
    const ConvolutionLayer layer{.weight = random({12, 12 / groups, kernel, kernel}, 1),
                                 .bias = random({12}, 2),
                                 .stride = stride,
                                 .padding = kernel / 2,
                                 .groups = groups};
    const at::Tensor x = random({2, 12, 9, 14}, 3);
    const at::Tensor plain = at::conv2d(x, layer.weight, layer.bias, stride, kernel / 2, 1, groups);
    const at::Tensor plus = random(plain.sizes().vec(), 4), times = random(plain.sizes().vec(), 5);
    for (const Activation& then : kActivations) {
      const auto expect = [&](const Following& following, const at::Tensor& expected) {
        for (const at::Tensor& input : {x, channels_last(x)})
          EXPECT_LT(distance(convolution(layer, input, following), by_definition(expected, then)), kRounding);
      };
      expect({.then = then}, plain);
      expect({.plus = plus, .then = then}, plain + plus);
      expect({.times = times, .then = then}, plain * times);
      expect({.plus = plus, .times = times, .then = then}, (plain + plus) * times);
    }
    if (stride > 1) continue;
    at::Tensor sum = channels_last(plus.clone());
    add_convolution({.weight = layer.weight, .bias = {}, .padding = kernel / 2, .groups = groups},
                    channels_last(x), sum);
    EXPECT_LT(distance(sum, plus + plain - layer.bias.reshape({1, 12, 1, 1})), kRounding);
  }
}

TEST(Fused, ArgumentsAreNotOverwritten) {
  const at::Tensor x = channels_last(random({1, 8, 6, 6}, 1)), plus = channels_last(random({1, 8, 6, 6}, 2));
  const at::Tensor x_before = x.clone(), plus_before = plus.clone();
  convolution({.weight = random({8, 8, 3, 3}, 3), .bias = {}, .padding = 1}, x,
              {.plus = plus, .times = x, .then = kRelu});
  linear(x, random({4, 6}, 4), {}, kGelu);
  EXPECT_TRUE(at::equal(x, x_before));
  EXPECT_TRUE(at::equal(plus, plus_before));
}

TEST(Fused, LinearLayersEqualTheStepsOneByOne) {
  for (const std::int64_t outputs : {1, 5, 16}) {
    const at::Tensor x = random({3, 7, 11}, 1), weight = random({outputs, 11}, 2),
                     bias = random({outputs}, 3);
    for (const Activation& then : kActivations)
      EXPECT_LT(
          distance(linear(x, weight, bias, then), by_definition(at::matmul(x, weight.t()) + bias, then)),
          kRounding);
  }
}

TEST(Fused, ParametricReluInPlaceIsThatByDefinition) {
  for (const std::int64_t slopes : {1, 13}) {
    const at::Tensor x = random({2, 13, 5, 7}, 1), slope = random({slopes}, 2);
    const at::Tensor expected = at::where(x > 0, x, x * slope.reshape({1, slopes, 1, 1}));
    EXPECT_TRUE(at::equal(parametric_relu(channels_last(x.clone()), slope), expected));
    EXPECT_TRUE(at::equal(parametric_relu(x.clone(), slope), expected));
  }
}

TEST(Fused, ConvolutionsOnCornersAreThoseOfTheEnlargedPicture) {
  for (const auto& [height, width] : {std::pair(1, 1), {1, 5}, {6, 1}, {7, 10}}) {
    const ConvolutionLayer layer{.weight = random({5, 6, 3, 3}, 1), .bias = random({5}, 2), .padding = 1};
    const at::Tensor x = random({2, 6, height, width}, 3);
    const at::Tensor expected = at::leaky_relu(
        at::conv2d(x.repeat_interleave(2, 2).repeat_interleave(2, 3), layer.weight, layer.bias, 1, 1), 0.2);
    for (const at::Tensor& input : {x, channels_last(x)})
      EXPECT_LT(distance(enlarged_convolution(layer, folded_for_corners(layer), input, leaky_relu_of(0.2)),
                         expected),
                kRounding);
  }
}

struct SmallNetwork {
  const char* name;
  Layout layout;
};

std::vector<SmallNetwork> small_networks() {
  return {{"RRDB", rrdb_layout({.features = 16, .growth = 8, .blocks = 2}, RrdbSpelling::basicsr)},
          {"SRVGG", srvgg_layout(16, 3, 4)},
          {"BSRN", bsrn_layout({})},
          {"CRAFT", craft_layout({.groups = 1})},
          {"DCTLSA", dctlsa_layout({.modules = 2})},
          {"EFDN", efdn_layout({})},
          {"HiT-SRF", hit_srf_layout({.groups = 1})},
          {"IMDN", imdn_layout({})},
          {"PAN", pan_layout({})},
          {"RFDN", rfdn_layout({})},
          {"RLFN", rlfn_layout({})},
          {"SAFMN", safmn_layout({})},
          {"SPAN", span_layout({})}};
}

// Channels last select the fused operations; without them each network runs by ATen's own, one by one.
TEST(Fused, NetworksGiveTheSameInBothMemoryFormatsAndStayInTheirs) {
  for (const auto& [name, layout] : small_networks()) {
    SCOPED_TRACE(name);
    const NetworkMatch match = recognise(test::random_tensors(layout, 1));
    const NetworkFunction network = match.bind(test::random_tensors(layout, 1, true));
    const at::Tensor x = at::rand({1, 3, 32, 32}, at::make_generator<at::CPUGeneratorImpl>(5));
    const at::Tensor plain = network(x), last = network(channels_last(x));
    EXPECT_TRUE(last.is_contiguous(at::MemoryFormat::ChannelsLast));
    // 24 bits (6e-8) through up to a hundred layers, sums in another order
    EXPECT_LT((plain - last).square().mean().sqrt().item<double>(), 1e-4 * plain.std().item<double>());
    EXPECT_GT(plain.std().item<double>(), 0);
    EXPECT_TRUE(at::equal(network(channels_last(x)), last)) << "kept constants changed";
  }
}

TEST(Fused, NetworksThatSupportHalfComputeInBfloat16) {
  for (const auto& [name, layout] : small_networks()) {
    SCOPED_TRACE(name);
    const UpscalerPtr full =
        make_network_upscaler(name, load_network({.format = "safetensors",
                                                  .dialect = "plain",
                                                  .tensors = test::random_tensors(layout, 1),
                                                  .metadata = {}}));
    if (!full->info().supports_half) continue;
    const at::Tensor x = at::rand({1, 3, 32, 32}, at::make_generator<at::CPUGeneratorImpl>(5));
    const int scale = full->info().scale;
    const at::Tensor exact = full->forward(x, scale),
                     rounded = full->to("cpu", Precision::bf16)->forward(x, scale);
    const double error = (rounded - exact).square().mean().sqrt().item<double>() / exact.std().item<double>();
    EXPECT_LT(error, 0.1);  // 8 bits (0.4 %) through up to a hundred layers of random weights
    EXPECT_GT(error, 0);    // it was in fact computed in bfloat16
  }
}

// What 8 bits cost on a photo, in dB of PSNR-Y against the original.
TEST(Fused, Bfloat16CostsLittleOnAPhoto) {
  UPBENCH_NEEDS_ASSETS();
  for (const auto& [checkpoint, bound] : {std::pair("srvgg/realesr-animevideov3.pth", 0.05),
                                          {"pan/PANx4_DF2K.pth", 0.05},
                                          {"span/team46_span.pth", 0.05}}) {
    SCOPED_TRACE(checkpoint);
    const UpscalerPtr full = test::asset_upscaler(checkpoint);
    const double difference = test::score_picture(*full->to("cpu", Precision::bf16), "Set5", "baby").psnr_y -
                              test::score_picture(*full, "Set5", "baby").psnr_y;
    EXPECT_LT(std::abs(difference), bound);
    EXPECT_NE(difference, 0);
  }
}

}  // namespace
}  // namespace upbench
