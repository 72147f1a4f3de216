#include "models/networks/safmn.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "models/networks/registry.h"
#include "tests/models/networks/random_network.h"

namespace upbench {
namespace {

constexpr SafmnShape kSmall{.features = 6, .modulated = 2, .hidden = 5, .blocks = 2, .scale = 3};

at::Tensor by_definition(const NamedTensors& w, const at::Tensor& x, const SafmnShape& shape) {
  const auto conv = [&](const std::string& name, const at::Tensor& y, std::int64_t groups = 1) {
    const at::Tensor& weight = w.at(name + ".weight");
    return at::conv2d(y, weight, {}, 1, weight.size(2) / 2, 1, groups);
  };
  at::Tensor y = conv("to_feat", x);
  for (int i = 0; i < shape.blocks; ++i) {
    const std::string block = "feats." + std::to_string(i) + ".";
    const auto parts = conv(block + "conv1.proj", y)
                           .split_with_sizes({shape.modulated, shape.features - shape.modulated}, 1);
    const at::Tensor cells = conv(block + "conv1.dwconv", at::max_pool2d(parts[0], 8), shape.modulated);
    const at::Tensor gate = at::upsample_bilinear2d(cells, {x.size(2), x.size(3)}, false);
    at::Tensor t = at::gelu(at::cat({parts[1], at::gelu(gate) * parts[0]}, 1));
    t = at::gelu(conv(block + "conv2.conv1", conv(block + "conv1.out", t)));
    y = y + conv(block + "conv2.conv2", t);
  }
  return at::pixel_shuffle(conv("to_img.0", y), shape.scale) +
         at::upsample_bilinear2d(x, {x.size(2) * shape.scale, x.size(3) * shape.scale}, false);
}

TEST(Safmn, IsRecognisedAndComputesTheNetworkByDefinition) {
  const NamedTensors weights = test::random_tensors(safmn_layout(kSmall), 1);
  const NetworkMatch match = recognise(weights);
  EXPECT_EQ(match.architecture, "SAFMN++");
  EXPECT_EQ(match.scale, 3);
  EXPECT_EQ(match.size_multiple, 8);
  EXPECT_THAT(match.hyper_parameters,
              testing::ElementsAre(testing::Pair("features", "6"), testing::Pair("modulated", "2"),
                                   testing::Pair("hidden", "5"), testing::Pair("blocks", "2")));
  const at::Tensor x = at::rand({2, 3, 16, 24});
  EXPECT_LT((match.bind(weights)(x) - by_definition(weights, x, kSmall)).abs().max().item<float>(),
            1e-5);  // float32, values of about 1
}

TEST(Safmn, WithoutDetailsIsBilinear) {
  NamedTensors weights = test::random_tensors(safmn_layout(kSmall), 2);
  weights["to_img.0.weight"].zero_();
  const at::Tensor x = at::rand({1, 3, 11, 9});  // any size from 8
  EXPECT_TRUE(at::equal(recognise(weights).bind(weights)(x), at::upsample_bilinear2d(x, {33, 27}, false)));
}

TEST(Safmn, WorkOfTheStandardNetworkIsThatCountedByHand) {
  const NetworkMatch match = recognise(test::hollow_tensors(safmn_layout({})));
  // A block: 9 36^2 + 9 12 / 64 at an eighth + 36^2 + 9 36 54 + 54 36.
  EXPECT_DOUBLE_EQ(match.macs_per_pixel,
                   9 * 3 * 36 + 6 * (10 * 36 * 36 + 9 * 12 / 64.0 + 10 * 36 * 54) + 9 * 36 * 48);
}

TEST(Safmn, NothingBeyondTheReceptiveRadiusMatters) {
  const SafmnShape one{.features = 4, .modulated = 2, .hidden = 3, .blocks = 1, .scale = 2};
  const NamedTensors weights = test::random_tensors(safmn_layout(one), 3);
  const NetworkMatch match = recognise(weights);
  const int measured = test::measured_radius(match.bind(weights), 2, 8, match.receptive_radius);
  EXPECT_LE(measured, match.receptive_radius);
  EXPECT_GE(measured, 16);  // where the one changed pixel happens to be a maximum
}

}  // namespace
}  // namespace upbench
