#include "models/networks/attention.h"

#include <cmath>

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "tests/models/networks/random_network.h"

namespace upbench {
namespace {

double sigmoid(double x) {
  return 1 / (1 + std::exp(-x));
}

// A channel of 1 and 3 in equal parts has mean 2 and standard deviation 1.
TEST(ContrastAttention, ChannelsAreWeighedByMeanPlusDeviation) {
  const NamedTensors weights{{"a.0.weight", at::full({1, 2, 1, 1}, 0.5)},
                             {"a.0.bias", at::zeros({1})},
                             {"a.2.weight", at::tensor({1.0F, -1.0F}).reshape({2, 1, 1, 1})},
                             {"a.2.bias", at::zeros({2})}};
  const at::Tensor first = at::tensor({1.0F, 3.0F, 3.0F, 1.0F}).reshape({1, 1, 2, 2});
  const at::Tensor x = at::cat({first, at::full({1, 1, 2, 2}, 4.0)}, 1);
  Layers layers(weights);
  const at::Tensor y = contrast_attention(layers, "a", x, 1);
  const double inner = 0.5 * (2 + 1) + 0.5 * 4;
  // float32 arithmetic on numbers near 4
  EXPECT_NEAR(y[0][0][0][1].item<double>(), 3 * sigmoid(inner), 1e-6);
  EXPECT_NEAR(y[0][1][0][0].item<double>(), 4 * sigmoid(-inner), 1e-6);
}

TEST(ContrastAttention, ALargePictureInHalfPrecisionStaysFinite) {
  Declaration declaration;
  Layers declaring(declaration);
  contrast_attention(declaring, "a", at::zeros({1, 4, 8, 8}), 2);
  NamedTensors weights = test::random_tensors(declaration.layout, 1);
  for (auto& [name, tensor] : weights) tensor = tensor.to(at::kHalf);
  Layers layers(weights);
  // The sum of 300 x 300 values of 20 is beyond the largest half, 65,504.
  const at::Tensor y = contrast_attention(layers, "a", at::full({1, 4, 300, 300}, 20, at::kHalf), 2);
  EXPECT_TRUE(at::isfinite(y).all().item<bool>());
}

class SpatialAttentionOf : public testing::TestWithParam<bool> {
 protected:
  NamedTensors weights(std::uint64_t seed) const {
    Declaration declaration;
    Layers layers(declaration);
    spatial_attention(layers, "a", at::zeros({1, 6, 20, 20}), settings_);
    return test::random_tensors(declaration.layout, seed);
  }
  at::Tensor run(const NamedTensors& tensors, const at::Tensor& x) const {
    Layers layers(tensors);
    return spatial_attention(layers, "a", x, settings_);
  }
  const SpatialAttention settings_{.channels = 2, .brief = GetParam()};
};

TEST_P(SpatialAttentionOf, WithoutItsLastConvolutionEveryPixelIsWeighedByTheSigmoidOfTheBias) {
  NamedTensors tensors = weights(1);
  tensors["a.conv4.weight"].zero_();
  const at::Tensor x = at::rand({1, 6, 17, 23});
  const at::Tensor expected = x * at::sigmoid(tensors["a.conv4.bias"]).reshape({1, 6, 1, 1});
  EXPECT_LT((run(tensors, x) - expected).abs().max().item<float>(), 1e-6);  // the same float32 product
}

TEST_P(SpatialAttentionOf, TheSmallestPictureWorksAndASmallerOneDoesNot) {
  const NamedTensors tensors = weights(2);
  EXPECT_EQ(run(tensors, at::rand({1, 6, kSpatialAttentionMinimum, 15})).sizes(),
            at::IntArrayRef({1, 6, 15, 15}));
  EXPECT_ANY_THROW(run(tensors, at::rand({1, 6, kSpatialAttentionMinimum - 1, 15})));
}

// Why networks with it have no receptive radius: the low map is stretched over whatever is given.
TEST_P(SpatialAttentionOf, APartOfAPictureIsWeighedDifferentlyFromTheWhole) {
  const NamedTensors tensors = weights(3);
  const at::Tensor x = at::rand({1, 6, 96, 96});
  const at::Tensor whole = run(tensors, x), part = run(tensors, x.narrow(2, 0, 72).narrow(3, 0, 72));
  const auto corner = [](const at::Tensor& y) { return y.narrow(2, 0, 8).narrow(3, 0, 8); };
  EXPECT_GT((corner(whole) - corner(part)).abs().max().item<float>(), 1e-4);
}

INSTANTIATE_TEST_SUITE_P(Forms, SpatialAttentionOf, testing::Bool(),
                         [](const auto& form) { return form.param ? "Brief" : "Whole"; });

}  // namespace
}  // namespace upbench
