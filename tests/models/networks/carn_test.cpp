#include "models/networks/carn.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "models/network_upscaler.h"
#include "models/networks/registry.h"
#include "models/upscale.h"
#include "tests/models/networks/random_network.h"

namespace upbench {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::ThrowsMessage;

at::Tensor by_definition(const NamedTensors& w, const at::Tensor& x, int scale, const std::string& tail) {
  const auto conv = [&](const std::string& name, const at::Tensor& y) {
    const at::Tensor& weight = w.at(name + ".weight");
    return at::conv2d(y, weight, w.at(name + ".bias"), 1, weight.size(2) / 2, 1, y.size(1) / weight.size(1));
  };
  const auto cascade = [&](const std::string& p, const at::Tensor& y, const auto& step) {
    const at::Tensor s1 = step(1, y), f1 = at::cat({y, s1}, 1), o1 = conv(p + "c1.body.0", f1).relu();
    const at::Tensor f2 = at::cat({f1, step(2, o1)}, 1), o2 = conv(p + "c2.body.0", f2).relu();
    return conv(p + "c3.body.0", at::cat({f2, step(3, o2)}, 1)).relu();
  };
  at::Tensor y = conv("entry", conv("sub_mean.shifter", x));
  y = cascade("", y, [&](int k, const at::Tensor& outer) {
    const std::string block = "b" + std::to_string(k) + ".";
    return cascade(block, outer, [&](int, const at::Tensor& t) {
      const at::Tensor inner = conv(block + "b1.body.2", conv(block + "b1.body.0", t).relu()).relu();
      return (conv(block + "b1.body.4", inner) + t).relu();
    });
  });
  y = at::pixel_shuffle(conv(tail + ".body.0", y).relu(), scale == 3 ? 3 : 2);
  if (scale == 4) y = at::pixel_shuffle(conv(tail + ".body.3", y).relu(), 2);
  return conv("add_mean.shifter", conv("exit", y));
}

Checkpoint file_of(NamedTensors tensors) {
  return {.format = "safetensors", .dialect = "plain", .tensors = std::move(tensors), .metadata = {}};
}

TEST(Carn, OneFileServesThreeScales) {
  const NamedTensors weights = test::random_tensors(carn_layout({.features = 8, .groups = 2}), 1);
  const NetworkMatch match = recognise(weights);
  EXPECT_EQ(match.architecture, "CARN-M");
  EXPECT_EQ(match.scale, 0);
  EXPECT_THAT(match.scales, ElementsAre(2, 3, 4));
  EXPECT_THAT(match.hyper_parameters,
              ElementsAre(testing::Pair("features", "8"), testing::Pair("groups", "2")));
  const at::Tensor x = at::rand({2, 3, 7, 9});
  for (const int scale : match.scales) {
    const at::Tensor expected = by_definition(weights, x, scale, "upsample.up" + std::to_string(scale));
    // The same float32 operations on values of about 1.
    EXPECT_LT((match.bind_at(weights, scale)(x) - expected).abs().max().item<float>(), 1e-5) << scale;
  }
}

TEST(Carn, AnUpscalerOfSeveralScalesGivesTheOneAskedForAndRefusesOthers) {
  const UpscalerPtr upscaler = make_network_upscaler(
      "carn", load_network(file_of(test::random_tensors(carn_layout({.features = 8, .groups = 2}), 1))));
  const Image image = at::rand({3, 6, 8});
  for (const int scale : {2, 3, 4})
    EXPECT_EQ(upscale(*upscaler, image, {.scale = scale}).image.size(1), 6 * scale);
  EXPECT_THAT(
      [&] { upscale(*upscaler, image, {.scale = 8}); },
      ThrowsMessage<std::invalid_argument>(HasSubstr("carn: scale 8: the network's scales are 2, 3, 4")));
  EXPECT_THAT([&] { upscale(*upscaler, image, {}); },
              ThrowsMessage<std::invalid_argument>(HasSubstr("expected a scale from 1")));
}

TEST(Carn, AFileOfOneScaleHasThatScale) {
  for (const int scale : {2, 3, 4}) {
    const NamedTensors weights =
        test::random_tensors(carn_layout({.features = 8, .groups = 4, .scales = {scale}}), 2);
    const NetworkMatch match = recognise(weights);
    EXPECT_EQ(match.scale, scale);
    EXPECT_TRUE(match.scales.empty());
    const at::Tensor x = at::rand({1, 3, 6, 6});
    EXPECT_LT(
        (match.bind(weights)(x) - by_definition(weights, x, scale, "upsample.up")).abs().max().item<float>(),
        1e-5);  // as above
  }
}

TEST(Carn, WorkIsThatOfThePaper) {
  const NetworkMatch match = recognise(test::hollow_tensors(carn_layout({})));
  // Ahn et al. 2018, table 1: multiply-adds for an output of 1280 x 720, in billions; they leave out the
  // shifts of the mean, 9 each at input and output size.
  const auto billions = [&](int scale) {
    return (match.macs_by_scale.at(scale) - 9 - 9 * scale * scale) * 1280 * 720 / scale / scale / 1e9;
  };
  EXPECT_NEAR(billions(2), 91.2, 0.05);
  EXPECT_NEAR(billions(3), 46.1, 0.05);
  EXPECT_NEAR(billions(4), 32.5, 0.05);
  EXPECT_EQ(match.macs_per_pixel, match.macs_by_scale.at(4));
}

TEST(Carn, NothingBeyondTheReceptiveRadiusMatters) {
  const NamedTensors weights = test::random_tensors(carn_layout({.features = 4, .groups = 2}), 3);
  const NetworkMatch match = recognise(weights);
  for (const int scale : {2, 3, 4})
    EXPECT_LE(test::measured_radius(match.bind_at(weights, scale), scale, 1, match.receptive_radius),
              match.receptive_radius);
}

TEST(Carn, GroupsThatDoNotDivideAreRefused) {
  NamedTensors file = test::hollow_tensors(carn_layout({.features = 8, .groups = 2}));
  file["b1.b1.body.0.weight"] = at::zeros({8, 3, 3, 3});
  EXPECT_THAT([&] { recognise(file); },
              ThrowsMessage<std::invalid_argument>(HasSubstr("groups is 0, expected 1 to 4096")));
}

}  // namespace
}  // namespace upbench
