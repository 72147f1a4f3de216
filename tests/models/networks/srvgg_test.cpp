#include "models/networks/srvgg.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "models/networks/registry.h"
#include "tests/models/networks/random_network.h"

namespace upbench {
namespace {

TEST(Srvgg, EveryScaleIsRecognisedAndComputesTheNetworkByDefinition) {
  for (const int scale : {1, 2, 3, 4, 8}) {
    const NamedTensors weights = test::random_tensors(srvgg_layout(6, 3, scale), 1);
    const NetworkMatch match = recognise(weights);
    EXPECT_EQ(match.architecture, "SRVGGNetCompact");
    EXPECT_EQ(match.scale, scale);
    EXPECT_EQ(match.receptive_radius, 5);
    const at::Tensor batch = at::rand({2, 3, 7, 9});
    at::Tensor y = batch;
    for (int i = 0; i < 5; ++i) {
      if (i > 0) {
        const at::Tensor slope =
            weights.at("body." + std::to_string(2 * i - 1) + ".weight").reshape({1, 6, 1, 1});
        y = at::where(y > 0, y, y * slope);
      }
      const std::string name = "body." + std::to_string(2 * i);
      y = at::conv2d(y, weights.at(name + ".weight"), weights.at(name + ".bias"), 1, 1);
    }
    // Channel c s^2 + s i + j is row i, column j of the enlarged channel c.
    y = y.reshape({2, 3, scale, scale, 7, 9})
            .permute({0, 1, 4, 2, 5, 3})
            .reshape({2, 3, 7 * scale, 9 * scale});
    y = y + batch.repeat_interleave(scale, 2).repeat_interleave(scale, 3);
    EXPECT_LT((match.bind(weights)(batch) - y).abs().max().item<float>(),
              1e-6);  // the same float32 operations
  }
}

// As placed to be run fast, by Winograd where the processor has the vectors.
TEST(Srvgg, WideAndPlacedIsTheSame) {
  NamedTensors weights = test::random_tensors(srvgg_layout(24, 2, 2), 5);
  const at::Tensor x = at::rand({2, 3, 11, 14}), expected = srvgg_forward(weights, x, 2);
  const NetworkMatch match = recognise(weights);
  for (auto& [name, tensor] : weights)
    if (tensor.dim() == 4) tensor = tensor.contiguous(at::MemoryFormat::ChannelsLast);
  const at::Tensor placed = match.bind(weights)(x.contiguous(at::MemoryFormat::ChannelsLast));
  EXPECT_LT((placed - expected).abs().max().item<float>(), 1e-5);  // the same float32 sums in another order
}

TEST(Srvgg, WorkOfTheStandardNetworksIsThatCountedByHand) {
  const auto macs = [](int convolutions, int scale) {
    return recognise(test::random_tensors(srvgg_layout(64, convolutions, scale), 1)).macs_per_pixel;
  };
  EXPECT_EQ(macs(32, 4), 1'209'024);  // 9 (3 64 + 32 64^2 + 64 48)
  EXPECT_EQ(macs(16, 4), 619'200);
  EXPECT_EQ(macs(16, 2), 598'464);
}

TEST(Srvgg, NothingBeyondTheReceptiveRadiusMatters) {
  const NamedTensors weights = test::random_tensors(srvgg_layout(6, 3, 2), 2);
  const NetworkMatch match = recognise(weights);
  EXPECT_EQ(test::measured_radius(match.bind(weights), 2, 1, match.receptive_radius), match.receptive_radius);
}

TEST(Srvgg, GradientsReachEveryWeight) {
  NamedTensors weights = test::random_tensors(srvgg_layout(4, 2, 2), 4);
  for (auto& [name, tensor] : weights) tensor.requires_grad_(true);
  srvgg_forward(weights, at::rand({1, 3, 6, 6}), 2).square().sum().backward();
  for (const auto& [name, tensor] : weights) EXPECT_GT(tensor.grad().abs().sum().item<float>(), 0) << name;
}

TEST(Srvgg, TailOfAnImpossibleWidthIsRefused) {
  NamedTensors tensors = test::random_tensors(srvgg_layout(4, 1, 2), 1);
  tensors["body.4.weight"] = at::zeros({10, 4, 3, 3});
  tensors["body.4.bias"] = at::zeros({10});
  EXPECT_THAT([&] { recognise(tensors); }, testing::ThrowsMessage<std::invalid_argument>(testing::HasSubstr(
                                               "the last, body.4, 10, expected 3 x scale^2")));
}

}  // namespace
}  // namespace upbench
