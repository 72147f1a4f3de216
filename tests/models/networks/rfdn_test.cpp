#include "models/networks/rfdn.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "models/networks/imdn.h"
#include "models/networks/layers.h"
#include "models/networks/registry.h"
#include "tests/models/networks/random_network.h"

namespace upbench {
namespace {

using testing::ElementsAre;
using testing::Pair;

const RfdnShape kSmall{.features = 6, .distilled = 2, .attention = 3, .blocks = 3};

TEST(Rfdn, EveryScaleIsRecognisedFromNamesAndShapes) {
  for (const int scale : {1, 2, 3, 4}) {
    RfdnShape shape = kSmall;
    shape.scale = scale;
    const NetworkMatch match = recognise(test::hollow_tensors(rfdn_layout(shape)));
    EXPECT_EQ(match.architecture, "RFDN");
    EXPECT_EQ(match.scale, scale);
    EXPECT_EQ(match.minimum_size, 15);
    EXPECT_EQ(match.receptive_radius, -1);
    EXPECT_THAT(
        match.hyper_parameters,
        ElementsAre(Pair("features", "6"), Pair("distilled", "2"), Pair("attention", "3"),
                    Pair("blocks", "3"), Pair("input_range", "0..255, as the authors'; not in the file")));
    EXPECT_EQ(match.input_range, "0..255");
    EXPECT_EQ(test::random_output(match, 15, 17).sizes(), at::IntArrayRef({2, 3, 15 * scale, 17 * scale}));
  }
}

// Without weights the blocks give nothing and the first convolution's bias is what is shuffled: in units of
// 1/255.
TEST(Rfdn, ComputesOnValuesUpTo255) {
  const Layout layout = rfdn_layout(kSmall);
  NamedTensors weights;
  for (const auto& [name, expected] : layout) weights[name] = at::zeros(expected.shape);
  weights["fea_conv.weight"][0][0][1][1] = 1;  // the red value of the pixel itself
  weights["upsampler.0.weight"][0][0][1][1] = 1;
  weights["upsampler.0.bias"][16].fill_(51);  // top left of green's 4 x 4
  const at::Tensor x = at::rand({1, 3, 16, 16});
  NetworkMatch match = recognise(weights);
  const at::Tensor y = match.bind(weights)(x);
  EXPECT_LT((y[0][0].slice(0, 0, 64, 4).slice(1, 0, 64, 4) - x[0][0]).abs().max().item<float>(),
            1e-6);  // float32
  EXPECT_FLOAT_EQ(y[0][1][0][0].item<float>(), 0.2F);

  set_input_range(match, "0..1");
  EXPECT_EQ(match.input_range, "0..1");
  EXPECT_THAT(match.hyper_parameters,
              testing::Contains(Pair("input_range", "0..1, as asked for; not in the file")));
  const at::Tensor other = match.bind(weights)(x);
  EXPECT_LT((other[0][0].slice(0, 0, 64, 4).slice(1, 0, 64, 4) - x[0][0]).abs().max().item<float>(),
            1e-6);  // float32
  EXPECT_FLOAT_EQ(other[0][1][0][0].item<float>(), 51);
}

TEST(InputRange, IsOneOfTwoAndChangesOnlyNetworksWhoseFilesDoNotTellIt) {
  NetworkMatch match = recognise(test::hollow_tensors(rfdn_layout(kSmall)));
  EXPECT_THAT([&] { set_input_range(match, "0..2"); },
              testing::ThrowsMessage<std::invalid_argument>(
                  testing::HasSubstr("unknown input range '0..2': expected 0..255 or 0..1")));
  NetworkMatch told = recognise(test::hollow_tensors(imdn_layout({})));
  const auto before = told.hyper_parameters;
  set_input_range(told, "0..255");
  EXPECT_EQ(told.input_range, "");
  EXPECT_EQ(told.hyper_parameters, before);
}

// NTIRE 2022: 27.10 G for an input of 256 x 256, which counts each value of an activation as one too: four of
// 50 or 25 channels three times and 25 once in each of 4 blocks, and 50 behind them. Half a unit of the last
// digit, and 0.04 % because attention is counted on 64 x 64 here, where less of it lies at the border.
TEST(Rfdn, WorkIsTheChallengeReports) {
  const double macs = recognise(test::hollow_tensors(rfdn_layout({}))).macs_per_pixel;
  const double activations = 4 * (3 * 50 + 3 * 25 + 25) + 50;
  EXPECT_NEAR((macs + activations) * 256 * 256 / 1e9, 27.10, 0.005 + 0.0004 * 27.10);
}

}  // namespace
}  // namespace upbench
