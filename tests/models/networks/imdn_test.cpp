#include "models/networks/imdn.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "models/networks/registry.h"
#include "tests/models/networks/random_network.h"

namespace upbench {
namespace {

using testing::ElementsAre;
using testing::Pair;

TEST(Imdn, EveryScaleIsRecognisedFromNamesAndShapes) {
  for (const int scale : {1, 2, 3, 4, 8}) {
    const NetworkMatch match = recognise(test::hollow_tensors(
        imdn_layout({.features = 8, .distilled = 3, .squeezed = 2, .blocks = 2, .scale = scale})));
    EXPECT_EQ(match.architecture, "IMDN");
    EXPECT_EQ(match.scale, scale);
    EXPECT_EQ(match.receptive_radius, -1);  // contrast attention sees the whole picture
    EXPECT_THAT(match.hyper_parameters, ElementsAre(Pair("features", "8"), Pair("distilled", "3"),
                                                    Pair("squeezed", "2"), Pair("blocks", "2")));
    EXPECT_EQ(test::random_output(match, 5, 7).sizes(), at::IntArrayRef({2, 3, 5 * scale, 7 * scale}));
  }
}

TEST(Imdn, ReasonNamesTheKeysThatDecided) {
  EXPECT_EQ(
      recognise(test::hollow_tensors(imdn_layout({}))).recognised_by,
      "IMDB1.c1 gives 64 features, IMDB1.c4 16: 6 distillation blocks with contrast attention; upsampler.0 "
      "gives 48 channels = 3 x 4^2");
}

TEST(ImdnBaseline, EveryScaleIsRecognisedFromNamesAndShapes) {
  for (const int scale : {1, 2, 3, 4}) {
    const NetworkMatch match = recognise(test::hollow_tensors(
        imdn_baseline_layout({.features = 8, .distilled = 2, .blocks = 3, .scale = scale})));
    EXPECT_EQ(match.architecture, "IMDN-baseline");
    EXPECT_EQ(match.scale, scale);
    EXPECT_THAT(match.hyper_parameters,
                ElementsAre(Pair("features", "8"), Pair("distilled", "2"), Pair("blocks", "3")));
    EXPECT_EQ(test::random_output(match, 5, 7).sizes(), at::IntArrayRef({2, 3, 5 * scale, 7 * scale}));
  }
}

TEST(ImdnBaseline, NothingBeyondTheReceptiveRadiusMatters) {
  const NetworkMatch match = recognise(
      test::hollow_tensors(imdn_baseline_layout({.features = 8, .distilled = 2, .blocks = 1, .scale = 2})));
  EXPECT_EQ(match.receptive_radius, 7);
  NamedTensors weights = test::random_tensors(match.layout, 3);
  for (auto& [name, tensor] : weights) tensor = tensor.to(at::kDouble);  // float32 loses the rim of the field
  const NetworkFunction network = match.bind(weights);
  EXPECT_EQ(test::measured_radius([&](const at::Tensor& x) { return network(x.to(at::kDouble)); }, 2, 1, 7),
            7);
}

// A block keeps what each convolution gives in its first channels, and refines the rest.
TEST(ImdnBaseline, ComputesTheNetworkByDefinition) {
  const Layout layout = imdn_baseline_layout({.features = 4, .distilled = 1, .blocks = 1, .scale = 2});
  NamedTensors w = test::random_tensors(layout, 5);
  const at::Tensor x = at::rand({1, 3, 6, 9});
  const auto conv = [&](const std::string& name, const at::Tensor& y) {
    const at::Tensor& weight = w.at(name + ".weight");
    return at::conv2d(y, weight, w.at(name + ".bias"), 1, weight.size(2) / 2);
  };
  const auto leaky = [](const at::Tensor& y) { return at::where(y > 0, y, y * 0.05); };
  const at::Tensor first = conv("model.0", x);
  const std::string sub = "model.1.sub.0.";
  const at::Tensor a = leaky(conv(sub + "conv1.0", first));
  const at::Tensor b = leaky(conv(sub + "conv2.0", a.slice(1, 1)));
  const at::Tensor c = leaky(conv(sub + "conv3.0", b.slice(1, 1)));
  const at::Tensor d = conv(sub + "conv4", c.slice(1, 1));
  const at::Tensor kept = at::cat({a.slice(1, 0, 1), b.slice(1, 0, 1), c.slice(1, 0, 1), d}, 1);
  const at::Tensor y = conv("model.1.sub.1", conv(sub + "conv1x1", kept) + first) + first;
  const at::Tensor expected = at::pixel_shuffle(conv("model.2", y), 2);
  const at::Tensor found = recognise(w).bind(w)(x);
  EXPECT_LT((found - expected).abs().max().item<float>(), 1e-5);  // float32 sums in another order
}

// Table 6 of the paper: multiply-adds for an output of 1280 x 720.
TEST(Imdn, WorkIsThePapers) {
  const auto giga = [](int scale) {
    return recognise(test::hollow_tensors(imdn_layout({.scale = scale}))).macs_per_pixel * 1280 * 720 /
           (scale * scale) / 1e9;
  };
  EXPECT_NEAR(giga(2), 158.8, 0.05);  // half a unit of the paper's last digit
  EXPECT_NEAR(giga(3), 71.5, 0.06);   // the paper cuts the picture to whole pixels
  EXPECT_NEAR(giga(4), 40.9, 0.05);
}

// NTIRE 2022: 58.53 G for an input of 256 x 256, which counts each value of an activation as one too: three
// of 64 channels in each of 8 blocks.
TEST(ImdnBaseline, WorkIsTheChallengeReports) {
  const double macs = recognise(test::hollow_tensors(imdn_baseline_layout({.blocks = 8}))).macs_per_pixel;
  EXPECT_EQ(macs, 891'584);
  EXPECT_NEAR((macs + 8 * 3 * 64) * 256 * 256 / 1e9, 58.53, 0.005);
}

}  // namespace
}  // namespace upbench
