#include "models/networks/vdsr.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "datasets/resample.h"
#include "models/networks/registry.h"
#include "tests/models/networks/random_network.h"

namespace upbench {
namespace {

// A 3x3 convolution of one channel that multiplies by `factor`.
at::Tensor scaling(double factor) {
  at::Tensor weight = at::zeros({1, 1, 3, 3});
  weight[0][0][1][1] = factor;
  return weight;
}

at::Tensor luma(const at::Tensor& rgb) {
  return (65.481 * rgb.select(1, 0) + 128.553 * rgb.select(1, 1) + 24.966 * rgb.select(1, 2) + 16) / 255;
}

at::Tensor enlarged(const at::Tensor& x, int scale) {
  return resample(x[0], static_cast<int>(x.size(2)) * scale, static_cast<int>(x.size(3)) * scale,
                  "bicubic-a50-aa")
      .unsqueeze(0);
}

TEST(Vdsr, TakesAnyScale) {
  const NetworkMatch match = recognise(test::hollow_tensors(vdsr_layout({})));
  EXPECT_EQ(match.architecture, "VDSR");
  EXPECT_EQ(match.scale, 0);
  EXPECT_TRUE(match.scales.empty());
  EXPECT_THAT(match.hyper_parameters, testing::ElementsAre(testing::Pair("features", "64"),
                                                           testing::Pair("inner convolutions", "18")));
}

TEST(Vdsr, WithoutDetailsIsTheCubicThatIsCutOffAtTheBorder) {
  NamedTensors weights = test::random_tensors(vdsr_layout({.features = 3, .inner = 2}), 1);
  weights["output.weight"].zero_();
  const NetworkMatch match = recognise(weights);
  const at::Tensor x = at::rand({1, 3, 7, 10});
  for (const int scale : {1, 2, 3, 5})
    // float32 sums of 16 products
    EXPECT_LT((match.bind_at(weights, scale)(x) - enlarged(x, scale)).abs().max().item<float>(), 1e-6)
        << scale;
}

TEST(Vdsr, AddsDetailsToLumaAndLeavesChroma) {
  NamedTensors weights = test::random_tensors(vdsr_layout({.features = 1, .inner = 2}), 2);
  for (auto& [name, tensor] : weights) tensor = scaling(name == "output.weight" ? 0.25 : 1);
  const at::Tensor x =
      at::rand({1, 3, 6, 6}) * 0.5 + 0.25;  // the cubic stays above black, where ReLU would cut
  const at::Tensor before = enlarged(x, 2), after = recognise(weights).bind_at(weights, 2)(x);
  // Luma grows by a quarter of itself; float32 near 1.
  EXPECT_LT((luma(after) - luma(before) * 1.25).abs().max().item<float>(), 1e-6);
  const at::Tensor added = after - before;
  EXPECT_LT((added.select(1, 0) - added.select(1, 2)).abs().max().item<float>(), 1e-6);  // no chroma
}

TEST(Vdsr, WorkIsThatOfThePaperOfCarn) {
  const NetworkMatch match = recognise(test::hollow_tensors(vdsr_layout({})));
  // Ahn et al. 2018, table 1: 612.6 billion multiply-adds for an output of 1280 x 720 at every scale.
  for (const auto& [scale, macs] : match.macs_by_scale)
    EXPECT_NEAR(macs * 1280 * 720 / scale / scale / 1e9, 612.6, 0.05) << scale;
}

TEST(Vdsr, NothingBeyondTheReceptiveRadiusMatters) {
  const NamedTensors weights = test::random_tensors(vdsr_layout({.features = 3, .inner = 4}), 3);
  const NetworkMatch match = recognise(weights);
  for (const int scale : {1, 2, 3, 4})
    EXPECT_LE(test::measured_radius(match.bind_at(weights, scale), scale, 1, match.receptive_radius),
              match.receptive_radius);
}

}  // namespace
}  // namespace upbench
