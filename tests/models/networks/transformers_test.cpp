#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "models/networks/craft.h"
#include "models/networks/dctlsa.h"
#include "models/networks/hit_srf.h"
#include "models/networks/registry.h"
#include "models/networks/windows.h"
#include "tests/models/networks/random_network.h"

namespace upbench {
namespace {

using testing::HasSubstr;
using testing::Pair;
using testing::ThrowsMessage;

TEST(Windows, AreCutRowByRowAndPutBack) {
  const at::Tensor tokens = at::arange(2 * 4 * 6 * 5, at::kFloat).reshape({2, 4, 6, 5});
  const at::Tensor windows = to_windows(tokens, 2, 3);
  ASSERT_EQ(windows.sizes(), (std::vector<std::int64_t>{8, 6, 5}));
  // The second window of the first picture: rows 0 and 1, columns 3 to 5.
  EXPECT_TRUE(at::equal(windows[1], tokens[0].slice(0, 0, 2).slice(1, 3, 6).reshape({6, 5})));
  EXPECT_TRUE(at::equal(from_windows(windows, 2, 3, tokens), tokens));
}

TEST(Windows, ReflectionGoesForthAndBackAsOftenAsNeeded) {
  const at::Tensor x = at::arange(3, at::kFloat).reshape({1, 3});
  EXPECT_TRUE(at::equal(reflected_to(x, 1, 9),
                        at::tensor(std::vector<float>{0, 1, 2, 1, 0, 1, 2, 1, 0}).reshape({1, 9})));
  EXPECT_TRUE(at::equal(reflected_to(x.narrow(1, 1, 1), 1, 3), at::ones({1, 3})));
  const at::Tensor image = at::rand({1, 2, 7, 9});
  EXPECT_TRUE(
      at::equal(reflected_to(reflected_to(image, 2, 10), 3, 16), at::reflection_pad2d(image, {0, 7, 0, 3})));
}

TEST(Windows, TheIndexOfTwoPositionsIsTheRowOfTheirOffset) {
  const at::Tensor offsets = relative_offsets(2, 3), index = relative_index(2, 3);
  ASSERT_EQ(offsets.size(0), 15);
  for (int of = 0; of < 6; ++of)
    for (int from = 0; from < 6; ++from) {
      const at::Tensor offset = offsets[index[of][from].item<std::int64_t>()];
      EXPECT_EQ(offset[0].item<int>(), of / 3 - from / 3);
      EXPECT_EQ(offset[1].item<int>(), of % 3 - from % 3);
    }
}

// --- DCTLSA
// ---------------------------------------------------------------------------------------------------

constexpr DctlsaShape kSmallDctlsa{
    .features = 10, .hidden = 12, .modules = 3, .layers = 1, .blocks = 2, .scale = 2};

TEST(Dctlsa, IsRecognisedFromShapes) {
  const NetworkMatch match = recognise(test::hollow_tensors(dctlsa_layout(kSmallDctlsa)));
  EXPECT_EQ(match.architecture, "DCTLSA");
  EXPECT_EQ(match.scale, 2);
  EXPECT_THAT(match.hyper_parameters,
              testing::IsSupersetOf({Pair("features", "10"), Pair("hidden", "12"), Pair("modules", "3"),
                                     Pair("layers of a module", "1"), Pair("blocks of a layer", "2")}));
  EXPECT_EQ(match.spandrel_padding->size_multiple, 1);
}

TEST(Dctlsa, WorkOfTheStandardNetworkIsThatCountedByHand) {
  const NetworkMatch match = recognise(test::hollow_tensors(dctlsa_layout({})));
  // For each pixel; 64 x 64 are whole windows. The local module's two 1x1 convolutions around one filter a
  // channel; queries, keys and values; keys times values and queries times that, 11 x 11 in each of 5 heads;
  // the projection; the perceptron.
  const double local = 2 * 55 * 55 + 9 * 55, attention = 3 * 55 * 55 + 2 * 5 * 11 * 11 + 55 * 55,
               behind = 2 * 55 * 110;
  const double blocks = 6 * 2 * 2 * (local + attention + behind);
  // c1 to c5 fuse what 2 to 6 parts before gave, c the 6 modules.
  const double fusions = (2 + 3 + 4 + 5 + 6 + 6) * 55 * 55;
  const double ends = 9 * 3 * 55 + 9 * 55 * 55 + 9 * 55 * 48;
  EXPECT_EQ(match.macs_per_pixel, blocks + fusions + ends);
  EXPECT_EQ(match.macs_per_pixel, 898'040);
}

TEST(Dctlsa, AnySizeIsTakenAndPicturesOfABatchDoNotSeeEachOther) {
  const NamedTensors weights = test::random_tensors(dctlsa_layout(kSmallDctlsa), 1);
  const NetworkFunction network = recognise(weights).bind(weights);
  const at::Tensor x = at::rand({2, 3, 20, 9}), out = network(x);
  EXPECT_EQ(out.sizes(), (std::vector<std::int64_t>{2, 3, 40, 18}));
  // float32, values of about 1, sums that may be ordered otherwise
  EXPECT_LT((network(x.narrow(0, 1, 1)) - out.narrow(0, 1, 1)).abs().max().item<float>(), 1e-5);
}

TEST(Dctlsa, FeaturesThatHeadsDoNotDivideAreRefused) {
  NamedTensors file = test::hollow_tensors(dctlsa_layout(kSmallDctlsa));
  file["fea_conv.weight"] = at::zeros({11, 3, 3, 3});
  EXPECT_THAT([&] { recognise(file); }, ThrowsMessage<std::invalid_argument>(
                                            HasSubstr("features is 11, expected a multiple of 5 heads")));
}

// --- CRAFT
// ----------------------------------------------------------------------------------------------------

constexpr CraftShape kSmallCraft{.features = 8,
                                 .heads = 4,
                                 .hidden = 10,
                                 .gated = 5,
                                 .position = 2,
                                 .across = 2,
                                 .along = 6,
                                 .groups = 2,
                                 .depth = 1,
                                 .scale = 3};

TEST(Craft, IsRecognisedFromShapes) {
  const NetworkMatch match = recognise(test::hollow_tensors(craft_layout(kSmallCraft)));
  EXPECT_EQ(match.architecture, "CRAFT");
  EXPECT_EQ(match.scale, 3);
  EXPECT_EQ(match.size_multiple, 6);
  EXPECT_EQ(match.spandrel_padding, (PaddingRule{.size_multiple = 6, .minimum_size = 6, .mirrored = 6}));
  EXPECT_THAT(match.hyper_parameters,
              testing::IsSupersetOf({Pair("features", "8"), Pair("heads", "4"), Pair("window across", "2"),
                                     Pair("window along", "6"), Pair("groups", "2"), Pair("depth", "1")}));
}

// The same on processors with and without a kernel for windows.
TEST(Craft, WorkOfTheStandardNetworkIsThatCountedByHand) {
  const NetworkMatch match = recognise(test::hollow_tensors(craft_layout({})));
  // For each pixel; 64 x 64 are whole windows. In windows of 4 x 16: queries, keys and values; each of 6
  // heads of 8 channels with the 64 keys of its window, and the 64 values; one filter a channel; the
  // projection; the perceptron.
  const double window = 3 * 48 * 48 + 2 * 6 * 8 * 64 + 9 * 48 + 48 * 48 + 2 * 48 * 96;
  // Offsets of both orientations through four small layers, once a picture.
  const double positions = 2 * 7 * 31 * (2 * 1 + 1 * 1 + 1 * 1 + 1 * 3);
  const double high = 9 * 24 * 24 + 24 * 24 + 48 * 48;
  // Between channels: queries, keys and values, each with a filter a channel; every channel with the 8 of its
  // head, and their values; the projection. Then the gated perceptron.
  const double channels = 3 * (48 * 48 + 9 * 48) + 2 * 48 * 8 + 48 * 48;
  const double gated = 48 * 2 * 127 + 9 * 2 * 127 + 127 * 48;
  const double group = 2 * (2 * (window + positions / 4096) + high + channels + gated) + 9 * 48 * 48;
  const double ends = 9 * 3 * 48 + 9 * 48 * 48 + 9 * 48 * 48;
  EXPECT_DOUBLE_EQ(match.macs_per_pixel, 4 * group + ends);
  EXPECT_NEAR(match.macs_per_pixel, 845'196, 0.5);  // the sum, rounded
}

TEST(Craft, BuffersMustHoldWhatTheirShapesImply) {
  NamedTensors file = test::random_tensors(craft_layout(kSmallCraft), 1);
  file["relative_position_index_h"] = file["relative_position_index_h"].flip(0);
  EXPECT_THAT([&] { recognise(file); },
              ThrowsMessage<std::invalid_argument>(HasSubstr(
                  "relative_position_index_h of other values than this architecture computes for it")));
}

TEST(Craft, BuffersAreNoParameters) {
  const LoadedNetwork network = load_network({.format = {},
                                              .dialect = {},
                                              .tensors = test::random_tensors(craft_layout(kSmallCraft), 1),
                                              .metadata = {}});
  EXPECT_FALSE(network.weights.contains("relative_position_index_h"));
  EXPECT_TRUE(network.weights.contains("biases_v"));
}

// Transposing the picture and every kernel, and swapping lying and standing windows, transposes the output.
TEST(Craft, StandingWindowsAreLyingOnesOfTheTransposedPicture) {
  const NamedTensors weights = test::random_tensors(craft_layout(kSmallCraft), 2);
  const std::int64_t half = kSmallCraft.features / 2;
  // Swaps the halves of channels that the two kinds of windows have.
  const auto swapped = [&](const at::Tensor& t, std::int64_t dim) {
    const auto parts = t.split(half, dim);
    std::vector<at::Tensor> order;
    for (std::size_t i = 0; i < parts.size(); i += 2) order.insert(order.end(), {parts[i + 1], parts[i]});
    return at::cat(order, dim);
  };
  NamedTensors mirrored;
  for (const auto& [name, tensor] : weights) {
    at::Tensor other = tensor.dim() == 4 ? tensor.transpose(2, 3).contiguous() : tensor;
    std::string key = name;
    if (const auto at = name.find("attns."); at != std::string::npos) {
      key[at + 6] = name[at + 6] == '0' ? '1' : '0';
    } else if (name.find(".qkv.") != std::string::npos) {
      other = swapped(tensor, 0);
    } else if (name.ends_with("get_v.weight") || name.ends_with("get_v.bias")) {
      other = swapped(other, 0);
    } else if (name.find("srwa_blocks") != std::string::npos && name.ends_with(".proj.weight")) {
      other = swapped(tensor, 1);
    }
    if (name.starts_with("biases_")) {  // rows and columns of an offset change places
      key.back() = name.back() == 'h' ? 'v' : 'h';
      const std::int64_t rows = name.back() == 'h' ? 3 : 11;
      other = tensor.reshape({rows, -1, 2}).transpose(0, 1).reshape({-1, 2});
    } else if (name.starts_with("relative_position_index_")) {
      other = tensor;
    }
    mirrored[key] = other;
  }
  // Shuffled channels: row and column of a block.
  for (const char* name : {"upsample.0.weight", "upsample.0.bias"}) {
    const at::Tensor t = mirrored[name];
    std::vector<std::int64_t> shape = t.sizes().vec(), split{3, 3, 3};
    split.insert(split.end(), shape.begin() + 1, shape.end());
    mirrored[name] = t.reshape(split).transpose(1, 2).reshape(shape);
  }
  const NetworkMatch match = recognise(weights);
  const at::Tensor x = at::rand({1, 3, 12, 18});
  const at::Tensor there = match.bind(weights)(x),
                   back = match.bind(mirrored)(x.transpose(2, 3)).transpose(2, 3);
  EXPECT_LT((there - back).abs().max().item<float>(),
            1e-4);  // float32, values of about 1, sums in another order
  EXPECT_GT((there - match.bind(mirrored)(x)).abs().max().item<float>(), 1e-2);
}

// --- HiT-SRF
// --------------------------------------------------------------------------------------------------

const HitSrfShape kSmallHit{.features = 8,
                            .squeezed = 3,
                            .hidden = 6,
                            .position = 2,
                            .heads = 2,
                            .groups = 2,
                            .windows = {4, 8, 16},
                            .scale = 2};

TEST(HitSrf, IsRecognisedFromShapes) {
  const NetworkMatch match = recognise(test::hollow_tensors(hit_srf_layout(kSmallHit)));
  EXPECT_EQ(match.architecture, "HiT-SRF");
  EXPECT_EQ(match.scale, 2);
  EXPECT_FALSE(match.spandrel_padding);
  EXPECT_THAT(match.hyper_parameters, testing::IsSupersetOf({Pair("features", "8"), Pair("heads", "2"),
                                                             Pair("groups", "2"), Pair("windows", "4 8 16"),
                                                             Pair("base window",
                                                                  "8, half of it in the first block, as the "
                                                                  "authors'; not in the file")}));
}

TEST(HitSrf, AnySizeIsTaken) {
  const NamedTensors weights = test::random_tensors(hit_srf_layout(kSmallHit), 1);
  const NetworkFunction network = recognise(weights).bind(weights);
  for (const std::int64_t side : {1, 3, 17}) {
    const at::Tensor out = network(at::rand({1, 3, side, 20}));
    EXPECT_EQ(out.sizes(), (std::vector<std::int64_t>{1, 3, 2 * side, 40}));
    EXPECT_TRUE(at::isfinite(out).all().item<bool>());
  }
}

TEST(HitSrf, WorkOfTheStandardNetworkIsThatCountedByHand) {
  const NetworkMatch match = recognise(test::hollow_tensors(hit_srf_layout({})));
  // Within windows, for each pixel: queries and values, the projection to cells, both products with them (16
  // cells of the first window, 64 of the others), both products of channels. 64 x 64 pixels are 2.25 times as
  // many in whole windows of 48.
  const double always = 60 * 12 + 9 * 12 * 12 + 12 * 60 + 60 * 60 + 30 + 2 * 30 * 30;
  const double inside = (always + 2 * 30 * 16) + (4 + 2.25) * (always + 2 * 30 * 64);
  const double outside = 6 * (60 * 60 + 2 * 60 * 120 + 25 * 120);
  const double ends = 4 * 9 * 60 * 60 + 9 * 3 * 60 + 9 * 60 * 60 + 9 * 60 * 48;
  // Offsets of windows of 4 to 64, through four small layers, once a picture.
  const double offsets = 7 * 7 + 15 * 15 + 31 * 31 + 63 * 63 + 95 * 95 + 127 * 127;
  const double positions = offsets * (2 * 3 + 3 * 3 + 3 * 3 + 3 * 6);
  // For an output of 1280 x 720, where padding is less, this is 57.1 G; the authors' 58.0 G count layer norms
  // too.
  EXPECT_DOUBLE_EQ(match.macs_per_pixel, 4 * (inside + outside + positions / 4096) + ends);
}

TEST(HitSrf, WindowsThatShapesDoNotTellAreRefused) {
  NamedTensors file = test::hollow_tensors(hit_srf_layout(kSmallHit));
  file["layers.0.residual_group.blocks.2.correlation.spatial_linear.weight"] = at::zeros({1, 5});
  EXPECT_THAT([&] { recognise(file); },
              ThrowsMessage<std::invalid_argument>(HasSubstr("which tells the window")));
}

}  // namespace
}  // namespace upbench
