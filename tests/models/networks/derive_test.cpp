#include "models/networks/derive.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "models/networks/bsrn.h"
#include "models/networks/efdn.h"
#include "models/networks/imdn.h"
#include "models/networks/pan.h"
#include "models/networks/registry.h"
#include "models/networks/rfdn.h"
#include "models/networks/rlfn.h"
#include "tests/models/networks/random_network.h"

namespace upbench {
namespace {

using testing::HasSubstr;
using testing::ThrowsMessage;

NamedTensors named(std::initializer_list<const char*> names) {
  NamedTensors tensors;
  for (const char* name : names) tensors[name] = at::zeros({1});
  return tensors;
}

TEST(Derive, SizesAreThoseOfConvolutionsAlone) {
  const NamedTensors tensors{{"a.weight", at::zeros({7, 5, 3, 1})}, {"b.weight", at::zeros({7, 5})}};
  EXPECT_EQ(conv_size(tensors, "a", 0), 7);
  EXPECT_EQ(conv_size(tensors, "a", 3), 1);
  EXPECT_EQ(conv_size(tensors, "b", 0), 0);
  EXPECT_EQ(conv_size(tensors, "c", 0), 0);
}

TEST(Derive, BlocksAreCountedToTheGreatestNumberWhateverIsMissingBetween) {
  EXPECT_EQ(count_blocks(named({"B1.x", "B2.x", "B10.x"}), "B", 1), 10);
  EXPECT_EQ(count_blocks(named({"t.0.x", "t.3.x"}), "t.", 0), 4);
  EXPECT_EQ(count_blocks(named({"A1.x", "C1.x"}), "B", 1), 0);
}

TEST(Derive, WhatOnlyLooksLikeABlockIsNotCounted) {
  EXPECT_EQ(
      count_blocks(named({"B1.x", "B", "B2", "B3x.y", "B.4", "Bx.5", "B-.6", "B99999999999.x"}), "B", 1), 1);
}

TEST(Derive, ValuesOutOfBoundsAreTheProblemAndTheFirstOneIsTold) {
  NetworkMatch match;
  set_hyper_parameters(match, {{"features", 4096}, {"blocks", 1000, kMostBlocks}});
  EXPECT_EQ(match.problem, "");
  set_hyper_parameters(match, {{"wide", 4097}, {"narrow", 0}});
  EXPECT_EQ(match.problem, "wide is 4097, expected 1 to 4096");
  EXPECT_EQ(match.hyper_parameters.size(), 4u);
}

TEST(Derive, ScaleIsToldFromTheShuffledChannels) {
  NetworkMatch match;
  EXPECT_EQ(set_scale(match, {{"up.weight", at::zeros({27, 4, 3, 3})}}, "up"),
            "up gives 27 channels = 3 x 3^2");
  EXPECT_EQ(match.scale, 3);
  set_scale(match, {{"up.weight", at::zeros({28, 4, 3, 3})}}, "up");
  EXPECT_EQ(match.problem, "up gives 28 channels, expected 3 x scale^2");
  match.problem.clear();
  set_scale(match, {}, "up");
  EXPECT_EQ(match.problem, "up.weight, which tells the scale, is missing");
}

// A layout of each network, small enough to take apart.
std::vector<std::pair<std::string, Layout>> small_layouts() {
  return {
      {"IMDN", imdn_layout({.features = 8, .distilled = 2, .squeezed = 1, .blocks = 2, .scale = 2})},
      {"IMDN-baseline", imdn_baseline_layout({.features = 8, .distilled = 2, .blocks = 2, .scale = 2})},
      {"RFDN", rfdn_layout({.features = 6, .distilled = 3, .attention = 2, .blocks = 2, .scale = 2})},
      {"RLFN", rlfn_layout({.features = 6, .inner = 5, .attention = 2, .blocks = 2, .scale = 2})},
      {"EFDN", efdn_layout({.features = 6, .distilled = 3, .attention = 2, .scale = 2})},
      {"BSRN",
       bsrn_layout({.features = 6, .distilled = 3, .attention = 2, .squeezed = 1, .blocks = 2, .scale = 2})},
      {"PAN", pan_layout({.features = 6, .branch = 3, .enlarged = 4, .blocks = 2, .stages = 1})}};
}

TEST(DistillationNetworks, EachIsRecognisedAsItselfAndOnlyAsItself) {
  for (const auto& [name, layout] : small_layouts())
    EXPECT_EQ(recognise(test::hollow_tensors(layout)).architecture, name);
}

TEST(DistillationNetworks, WithoutAnyOneTensorNoneIsTaken) {
  for (const auto& [name, layout] : small_layouts()) {
    const NamedTensors whole = test::hollow_tensors(layout);
    for (const auto& [key, tensor] : whole) {
      NamedTensors tensors = whole;
      tensors.erase(key);
      EXPECT_THROW(recognise(tensors), std::invalid_argument) << name << " without " << key;
    }
  }
}

TEST(DistillationNetworks, TensorsOfAnotherShapeAreRefused) {
  for (const auto& [name, layout] : small_layouts()) {
    const NamedTensors whole = test::hollow_tensors(layout);
    for (const auto& [key, tensor] : whole) {
      for (const auto& shape :
           {std::vector<std::int64_t>{}, {0, 0, 0, 0}, {5000, 1, 1, 1}, {1, 5000, 1, 1}}) {
        NamedTensors tensors = whole;
        tensors[key] = at::zeros({}).expand(shape);
        EXPECT_THROW(recognise(tensors), std::invalid_argument) << name << ": " << key;
      }
    }
  }
}

TEST(DistillationNetworks, WidthsAndCountsThatNobodyTrainsAreRefusedAtOnce) {
  NamedTensors wide = test::hollow_tensors(imdn_layout({}));
  wide["IMDB1.c1.weight"] = at::zeros({}).expand({5000, 64, 3, 3});
  EXPECT_THAT([&] { recognise(wide); },
              ThrowsMessage<std::invalid_argument>(HasSubstr("but features is 5000, expected 1 to 4096")));
  NamedTensors many = test::hollow_tensors(rfdn_layout({}));
  many["B100000.c1_r.weight"] = at::zeros({1});
  EXPECT_THAT([&] { recognise(many); },
              ThrowsMessage<std::invalid_argument>(HasSubstr("but blocks is 100000, expected 1 to 1000")));
  NamedTensors both = test::hollow_tensors(rlfn_layout({}));
  both["block_1.c1_r.weight"] = at::zeros({}).expand({4096, 4096, 3, 3});
  both["block_1000.c1_r.weight"] = at::zeros({1});
  EXPECT_THAT([&] { recognise(both); },
              ThrowsMessage<std::invalid_argument>(HasSubstr("numbers for a small picture")));
}

}  // namespace
}  // namespace upbench
