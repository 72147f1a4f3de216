#include "models/networks/rrdb.h"

#include <ATen/ATen.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "models/networks/registry.h"
#include "tests/models/networks/random_network.h"

namespace upbench {
namespace {

using testing::HasSubstr;

at::Tensor convolve(const NamedTensors& weights, const std::string& name, const at::Tensor& x) {
  const at::Tensor& weight = weights.at(name + ".weight");
  const auto bias = weights.find(name + ".bias");
  return at::conv2d(x, weight, bias == weights.end() ? at::Tensor() : bias->second, 1, weight.size(2) / 2);
}

at::Tensor activate(const at::Tensor& x) {
  return at::leaky_relu(x, 0.2);
}

// As the paper draws it, with concatenations.
at::Tensor reference_dense(const NamedTensors& weights, const std::string& name, const at::Tensor& x,
                           bool plus) {
  std::vector<at::Tensor> features{x};
  for (int k = 1; k <= 4; ++k) {
    at::Tensor y = activate(convolve(weights, fmt::format("{}conv{}", name, k), at::cat(features, 1)));
    if (plus && k == 2) y = y + convolve(weights, name + "conv1x1", x);
    if (plus && k == 4) y = y + features[2];
    features.push_back(y);
  }
  return convolve(weights, name + "conv5", at::cat(features, 1)) * 0.2 + x;
}

at::Tensor reference_rrdb(const NamedTensors& weights, const RrdbShape& shape, const at::Tensor& batch) {
  const at::Tensor first = convolve(
      weights, "conv_first", shape.unshuffle > 1 ? at::pixel_unshuffle(batch, shape.unshuffle) : batch);
  at::Tensor trunk = first;
  for (int block = 0; block < shape.blocks; ++block) {
    at::Tensor y = trunk;
    for (int dense = 1; dense <= 3; ++dense)
      y = reference_dense(weights, fmt::format("body.{}.rdb{}.", block, dense), y, shape.plus);
    trunk = y * 0.2 + trunk;
  }
  at::Tensor y = first + convolve(weights, "conv_body", trunk);
  for (int k = 1; k <= shape.upsamplers; ++k) {
    const at::Tensor enlarged =
        y.repeat_interleave(shape.enlargement, 2).repeat_interleave(shape.enlargement, 3);
    y = activate(convolve(weights, fmt::format("conv_up{}", k), enlarged));
  }
  return convolve(weights, "conv_last", activate(convolve(weights, "conv_hr", y)));
}

const RrdbShape kShapes[] = {
    {.features = 8, .growth = 4, .blocks = 2},                     // x4
    {.features = 8, .growth = 4, .blocks = 1, .unshuffle = 2},     // Real-ESRGAN x2
    {.features = 8, .growth = 4, .blocks = 1, .unshuffle = 4},     // Real-ESRGAN x1
    {.features = 6, .growth = 5, .blocks = 1, .upsamplers = 3},    // x8
    {.features = 6, .growth = 5, .blocks = 1, .upsamplers = 1},    // x2
    {.features = 6, .growth = 5, .blocks = 1, .upsamplers = 0},    // x1
    {.features = 8, .growth = 4, .blocks = 2, .plus = true},       // ESRGAN+
    {.features = 20, .growth = 17, .blocks = 1, .upsamplers = 1},  // wide enough for Winograd
    {.features = 16, .growth = 16, .blocks = 1, .plus = true},
};

TEST(Rrdb, EverySpellingAndVariantIsRecognisedAndComputesThePapersNetwork) {
  for (const RrdbSpelling spelling : {RrdbSpelling::old_esrgan, RrdbSpelling::trunk, RrdbSpelling::basicsr}) {
    for (const RrdbShape& shape : kShapes) {
      if (spelling == RrdbSpelling::old_esrgan && shape.upsamplers == 1) continue;  // below
      const Layout layout = rrdb_layout(shape, spelling);
      const NamedTensors tensors = test::random_tensors(layout, 1),
                         weights = test::canonical_tensors(layout, tensors);
      const NetworkMatch match = recognise(tensors);
      SCOPED_TRACE(match.recognised_by);
      EXPECT_EQ(match.architecture, "RRDBNet");
      EXPECT_EQ(match.scale, (1 << shape.upsamplers) / shape.unshuffle);
      EXPECT_EQ(match.size_multiple, shape.unshuffle);
      EXPECT_EQ(match.spandrel_padding.has_value(), shape.unshuffle == 2) << "multiples of 4 in spandrel";
      const auto expected = std::vector<std::pair<std::string, std::string>>{
          {"blocks", std::to_string(shape.blocks)},       {"features", std::to_string(shape.features)},
          {"growth", std::to_string(shape.growth)},       {"upsamplers", std::to_string(shape.upsamplers)},
          {"unshuffle", std::to_string(shape.unshuffle)}, {"plus", shape.plus ? "yes" : "no"}};
      EXPECT_EQ(match.hyper_parameters, expected);
      const at::Tensor batch = at::rand({2, 3, 12, 16}), before = batch.clone();
      const at::Tensor result = match.bind(weights)(batch);
      EXPECT_EQ(result.sizes(), at::IntArrayRef({2, 3, 12 * match.scale, 16 * match.scale}));
      // The same float32 sums, some in another order.
      EXPECT_LT((result - reference_rrdb(weights, shape, batch)).abs().max().item<float>(), 1e-5);
      EXPECT_TRUE(at::equal(batch, before));
      NamedTensors channels_last = weights;
      for (auto& [name, tensor] : channels_last) {
        if (tensor.dim() == 4) tensor = tensor.contiguous(at::MemoryFormat::ChannelsLast);
      }
      EXPECT_LT((match.bind(channels_last)(batch) - result).abs().max().item<float>(), 1e-5);
      for (const NamedTensors& placed : {weights, channels_last}) {  // as on a GPU
        const at::Tensor there = bind_rrdb(placed, shape, DenseOrder::by_source)(batch);
        EXPECT_LT((there - result).abs().max().item<float>(), 1e-5);
      }
    }
  }
}

TEST(Rrdb, TheReasonNamesTheDecidingTensors) {
  const Layout layout =
      rrdb_layout({.features = 8, .growth = 4, .blocks = 2, .unshuffle = 2}, RrdbSpelling::basicsr);
  EXPECT_EQ(recognise(test::random_tensors(layout, 1)).recognised_by,
            "body.0.rdb1.conv1.weight: dense blocks of 8 features, growth 4; 2 of them in threes; 2 "
            "upsamplers; conv_first takes 3 x 2^2 channels: pixel unshuffle");
}

// Their tensors are the same: the pictures choose.
TEST(Rrdb, OneOldUpsamplerIsTimesTwoOrThree) {
  for (const RrdbShape& shape : kShapes) {
    if (shape.upsamplers != 1) continue;
    const Layout layout = rrdb_layout(shape, RrdbSpelling::old_esrgan);
    const NamedTensors tensors = test::random_tensors(layout, 1),
                       weights = test::canonical_tensors(layout, tensors);
    const NetworkMatch match = recognise(tensors);
    EXPECT_EQ(match.scale, 0);
    EXPECT_THAT(match.scales, testing::ElementsAre(2, 3));
    EXPECT_THAT(match.recognised_by, HasSubstr("x2 or x3, whose networks have the same tensors"));
    EXPECT_FALSE(match.bind);
    const at::Tensor batch = at::rand({2, 3, 5, 7});
    for (const int scale : match.scales) {
      RrdbShape at_scale = shape;
      at_scale.enlargement = scale;
      const at::Tensor expected = reference_rrdb(weights, at_scale, batch);
      ASSERT_EQ(expected.sizes(), at::IntArrayRef({2, 3, 5 * scale, 7 * scale}));
      // The same float32 sums, some in another order.
      EXPECT_LT((match.bind_at(weights, scale)(batch) - expected).abs().max().item<float>(), 1e-5);
      NamedTensors channels_last = weights;
      for (auto& [name, tensor] : channels_last) {
        if (tensor.dim() == 4) tensor = tensor.contiguous(at::MemoryFormat::ChannelsLast);
      }
      const at::Tensor there = bind_rrdb(channels_last, at_scale, DenseOrder::by_source)(batch);
      EXPECT_LT((match.bind_at(channels_last, scale)(batch) - expected).abs().max().item<float>(), 1e-5);
      EXPECT_LT((there - expected).abs().max().item<float>(), 1e-5);
    }
  }
}

// A pixel unshuffle before it says that the scale is no 3 / 2.
TEST(Rrdb, OneOldUpsamplerBehindAPixelUnshuffleIsTimesTwo) {
  const Layout layout = rrdb_layout(
      {.features = 4, .growth = 2, .blocks = 1, .upsamplers = 1, .unshuffle = 2}, RrdbSpelling::old_esrgan);
  const NetworkMatch match = recognise(test::random_tensors(layout, 1));
  EXPECT_EQ(match.scale, 1);
  EXPECT_THAT(match.scales, testing::IsEmpty());
}

// Counted by hand: a dense block has 9 (64 32 + 96 32 + 128 32 + 160 32 + 192 64) = 239,616
// multiply-accumulates per pixel, there are 3 x 23, then 1,728 first, 36,864 trunk, 4 and 16 x 36,864
// upsamplers, 16 x 36,864 before and 16 x 1,728 in the last.
TEST(Rrdb, WorkAndRadiusOfTheStandardNetworksAreThoseCountedByHand) {
  const auto facts = [](const RrdbShape& shape) {
    NamedTensors tensors;
    for (const auto& [name, expected] : rrdb_layout(shape, RrdbSpelling::basicsr))
      tensors[name] = at::zeros({}).expand(expected.shape);
    return recognise(tensors);
  };
  EXPECT_EQ(facts({}).macs_per_pixel, 17'926'848);
  EXPECT_EQ(facts({.blocks = 6}).macs_per_pixel, 5'706'432);
  EXPECT_EQ(facts({.unshuffle = 2}).macs_per_pixel, 4'483'008);
  EXPECT_EQ(facts({}).receptive_radius, 349);
  EXPECT_EQ(facts({.blocks = 6}).receptive_radius, 94);
  // One upsampler: dense blocks, first and trunk as above are 16,572,096; then 4 or 9 x (2 x 36,864 + 1,728).
  NamedTensors old;
  for (const auto& [name, expected] : rrdb_layout({.upsamplers = 1}, RrdbSpelling::old_esrgan))
    old[name] = at::zeros({}).expand(expected.shape);
  const NetworkMatch match = recognise(old);
  EXPECT_THAT(match.macs_by_scale, testing::ElementsAre(testing::Pair(2, 16'572'096 + 4 * 75'456),
                                                        testing::Pair(3, 16'572'096 + 9 * 75'456)));
  EXPECT_EQ(match.macs_per_pixel, match.macs_by_scale.at(3));
}

TEST(Rrdb, NothingBeyondTheReceptiveRadiusMatters) {
  for (const RrdbShape& shape : kShapes) {
    if (shape.blocks > 1) continue;
    const Layout layout = rrdb_layout(shape, RrdbSpelling::basicsr);
    NamedTensors weights = test::random_tensors(layout, 3);
    for (auto& [name, tensor] : weights)
      tensor = tensor.to(at::kDouble);  // float32 would lose the faint rim of the field
    const NetworkMatch match = recognise(weights);
    const NetworkFunction network = match.bind(weights);
    const auto in_double = [&](const at::Tensor& batch) { return network(batch.to(at::kDouble)); };
    EXPECT_EQ(test::measured_radius(in_double, match.scale, match.size_multiple, match.receptive_radius),
              match.receptive_radius)
        << match.recognised_by;
  }
}

TEST(Rrdb, NothingBeyondTheReceptiveRadiusMattersAtEitherScaleOfAnOldUpsampler) {
  const Layout layout =
      rrdb_layout({.features = 6, .growth = 5, .blocks = 1, .upsamplers = 1}, RrdbSpelling::old_esrgan);
  NamedTensors tensors = test::random_tensors(layout, 3);
  for (auto& [name, tensor] : tensors) tensor = tensor.to(at::kDouble);
  const NetworkMatch match = recognise(tensors);
  for (const int scale : match.scales) {
    const NetworkFunction network = match.bind_at(test::canonical_tensors(layout, tensors), scale);
    const auto in_double = [&](const at::Tensor& batch) { return network(batch.to(at::kDouble)); };
    const int measured = test::measured_radius(in_double, scale, 1, match.receptive_radius);
    if (scale == 2) {
      EXPECT_EQ(measured, match.receptive_radius);
    } else {
      EXPECT_LE(measured, match.receptive_radius);
    }
  }
}

TEST(Rrdb, ShapesThatCannotBeANetworkAreRefusedWithTheReason) {
  const auto refuses = [](const RrdbShape& shape, const char* message) {
    EXPECT_THAT([&] { recognise(test::random_tensors(rrdb_layout(shape, RrdbSpelling::basicsr), 1)); },
                testing::ThrowsMessage<std::invalid_argument>(HasSubstr(message)));
  };
  refuses({.features = 4, .growth = 2, .blocks = 1, .upsamplers = 1, .unshuffle = 4},
          "make the picture smaller");
  refuses({.features = 0, .growth = 2, .blocks = 1}, "no channels");
  refuses({.features = 4, .growth = 2, .blocks = 1, .unshuffle = 3}, "takes neither 3 channels nor 12 or 48");
}

}  // namespace
}  // namespace upbench
