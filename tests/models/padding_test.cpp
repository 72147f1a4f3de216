#include "models/padding.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "models/chain.h"
#include "models/upscale.h"
#include "tests/models/fake_upscalers.h"

namespace upbench {
namespace {

using testing::HasSubstr;
using testing::ThrowsMessage;

// The first row of a batch of one row, padded.
std::vector<float> padded_row(const std::vector<float>& row, const PaddingRule& rule) {
  const at::Tensor batch = at::tensor(row).reshape({1, 1, 1, -1}).expand({1, 1, 8, -1});
  const at::Tensor first = padded(batch, rule)[0][0][0].contiguous();
  return {first.const_data_ptr<float>(), first.const_data_ptr<float>() + first.numel()};
}

TEST(Padding, ReflectsToAMultiple) {
  EXPECT_EQ(padded_row({1, 2, 3, 4, 5}, {.size_multiple = 4}), (std::vector<float>{1, 2, 3, 4, 5, 4, 3, 2}));
  EXPECT_EQ(padded_row({1, 2, 3, 4}, {.size_multiple = 4}), (std::vector<float>{1, 2, 3, 4}));
}

TEST(Padding, RepeatsTheLastPixelWhereThereIsTooLittleToReflect) {
  EXPECT_EQ(padded_row({1, 2}, {.minimum_size = 5}), (std::vector<float>{1, 2, 2, 2, 2}));
}

TEST(Padding, MirrorsThenWithTheLastPixelTwice) {
  EXPECT_EQ(padded_row({1, 2, 3}, {.size_multiple = 4, .minimum_size = 4, .mirrored = 4}),
            (std::vector<float>{1, 2, 3, 2, 2, 3, 2, 1}));
  EXPECT_EQ(padded_row({1, 2, 3, 4}, {.size_multiple = 4, .minimum_size = 4, .mirrored = 4}),
            (std::vector<float>{1, 2, 3, 4, 4, 3, 2, 1}));
}

TEST(Padding, WorksOnRowsAsOnColumns) {
  const PaddingRule rule{.size_multiple = 4, .minimum_size = 4, .mirrored = 4};
  const at::Tensor batch = at::rand({1, 3, 5, 9});
  EXPECT_TRUE(at::equal(padded(batch, rule), padded(batch.transpose(2, 3), rule).transpose(2, 3)));
}

TEST(Padding, NothingToAddIsTheBatchItself) {
  const at::Tensor batch = at::rand({1, 3, 8, 8});
  EXPECT_TRUE(padded(batch, {.size_multiple = 8}).is_same(batch));
}

TEST(Padding, NamesAreReadAndWritten) {
  for (const Padding padding : {Padding::authors, Padding::spandrel})
    EXPECT_EQ(parse_padding(to_string(padding)), padding);
  EXPECT_THAT([] { parse_padding("reflect"); },
              ThrowsMessage<std::invalid_argument>(
                  HasSubstr("unknown padding 'reflect': expected authors or spandrel")));
}

test::FakeUpscaler with_two_rules() {
  UpscalerInfo info;
  info.name = "two rules";
  info.scale = 2;
  info.size_multiple = info.minimum_size = 4;
  info.spandrel_padding = PaddingRule{.size_multiple = 4, .minimum_size = 4, .mirrored = 4};
  return {info, test::repeated};
}

TEST(Padding, TheConventionDecidesWhatTheNetworkGets) {
  const test::FakeUpscaler network = with_two_rules();
  const Image image = at::rand({3, 5, 8});
  const Image authors = upscale(network, image, {}).image,
              spandrel = upscale(network, image, {.padding = Padding::spandrel}).image;
  EXPECT_THAT(network.batches(), testing::ElementsAre(std::vector<std::int64_t>{1, 3, 8, 8},
                                                      std::vector<std::int64_t>{1, 3, 12, 12}));
  // This network sees single pixels: what was added is cut off without a trace.
  EXPECT_TRUE(at::equal(authors, spandrel));
  EXPECT_TRUE(at::equal(authors, test::repeated(image.unsqueeze(0), 2)[0]));
}

TEST(Padding, NetworksOfOneRuleHaveItUnderBothNames) {
  const test::FakeUpscaler network = test::nearest(4, 4);
  EXPECT_EQ(padding_rule(network.info(), Padding::spandrel), padding_rule(network.info(), Padding::authors));
}

TEST(Padding, AChainPadsOnceForAllOfItsParts) {
  UpscalerInfo first;
  first.name = "first";
  first.scale = 2;
  first.size_multiple = 3;
  const auto plain = std::make_shared<test::FakeUpscaler>(first, test::repeated),
             ruled = std::make_shared<test::FakeUpscaler>(with_two_rules());
  const UpscalerPtr chain = make_chain("chain", {plain, ruled});
  // Multiples of 3 for the first part, of 2 for the second, which gets twice the sides; 4 mirrored pixels
  // there are 2 here, brought to a multiple as well.
  EXPECT_EQ(padding_rule(chain->info(), Padding::authors),
            (PaddingRule{.size_multiple = 6, .minimum_size = 2}));
  EXPECT_EQ(padding_rule(chain->info(), Padding::spandrel),
            (PaddingRule{.size_multiple = 6, .minimum_size = 2, .mirrored = 6}));
  EXPECT_FALSE(make_chain("plain", {plain, plain})->info().spandrel_padding);
}

}  // namespace
}  // namespace upbench
