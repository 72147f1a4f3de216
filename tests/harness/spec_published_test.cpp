#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/harness/spec_text.h"

namespace upbench {
namespace {

using test::error_of, test::kSpecHead, test::parse;
using testing::StartsWith;

const std::string kPipeline =
    std::string(kSpecHead) + "pipeline: [{upscale: {model: [a, b], tile: [none, 64]}}]\n";

TEST(SpecPublished, EntriesNameCellsMetricsAndASource) {
  const Spec spec = parse(kPipeline +
                          "published:\n"
                          "  - {where: {upscale.model: a}, psnr-y: 32.73, source: a paper}\n"
                          "  - {where: {upscale.model: b, upscale.tile: 64}, psnr-y: -1, source: its log}\n");
  ASSERT_EQ(spec.published.size(), 2u);
  EXPECT_EQ(spec.published[0].scores, (decltype(Published::scores){{"psnr-y", 32.73}}));
  EXPECT_EQ(spec.published[0].source, "a paper");
  EXPECT_EQ(spec.published[1].where,
            (decltype(Published::where){{"upscale.model", "b"}, {"upscale.tile", "64"}}));
}

TEST(SpecPublished, WithoutItTheRequestIsTheSameAsEver) {
  EXPECT_FALSE(parse(kPipeline).canonical().contains("published"));
  EXPECT_TRUE(parse(kPipeline + "published: [{where: {upscale.model: a}, psnr-y: 1, source: s}]")
                  .canonical()
                  .contains("published"));
}

TEST(SpecPublished, WhatTheSpecHasNotIsRefusedWithItsPlace) {
  const auto error = [](const std::string& entry) {
    return error_of(kPipeline + "published: [" + entry + "]");
  };
  EXPECT_THAT(error("{where: {upscale.model: c}, psnr-y: 1, source: s}"),
              StartsWith("s.yaml:5:37: unknown value of upscale.model 'c'"));
  EXPECT_THAT(error("{where: {upscale.modle: a}, psnr-y: 1, source: s}"),
              StartsWith("s.yaml:5:22: unknown axis 'upscale.modle' (did you mean 'upscale.model'?)"));
  EXPECT_THAT(error("{where: {upscale.model: a}, ssim-y: 1, source: s}"),
              StartsWith("s.yaml:5:41: unknown key of published 'ssim-y'"));
  EXPECT_THAT(error("{where: {upscale.model: a}, psnr-y: x, source: s}"), StartsWith("s.yaml:5:49: "));
  EXPECT_THAT(error("{where: {upscale.model: a}, source: s}"),
              StartsWith("s.yaml:5:13: published has no number here"));
  EXPECT_THAT(error("{where: {upscale.model: a}, psnr-y: 1}"), StartsWith("s.yaml:5:13: "));
  EXPECT_THAT(error("{where: {}, psnr-y: 1, source: s}"),
              StartsWith("s.yaml:5:21: published.where is empty"));
  EXPECT_THAT(error_of(kPipeline + "published: 3"), StartsWith("s.yaml:5:12: published is "));
}

}  // namespace
}  // namespace upbench
