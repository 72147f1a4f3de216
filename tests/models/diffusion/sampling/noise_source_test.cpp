#include "models/diffusion/sampling/noise_source.h"

#include <set>

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "models/diffusion/sampling/philox.h"

namespace upbench {
namespace {

// Known answers that the authors publish with Random123 (tests/kat_vectors, philox4x32 10).
TEST(Philox, IsThatOfItsAuthors) {
  EXPECT_EQ(philox({0, 0, 0, 0}, {0, 0}), (PhiloxCounter{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  EXPECT_EQ(philox({0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff}, {0xffffffff, 0xffffffff}),
            (PhiloxCounter{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
  EXPECT_EQ(philox({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}),
            (PhiloxCounter{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

std::vector<float> values(const at::Tensor& numbers) {
  return {numbers.const_data_ptr<float>(), numbers.const_data_ptr<float>() + numbers.numel()};
}

// What torch.manual_seed(0); torch.randn(12, device="cuda") gives; printed with eight digits.
TEST(NoiseSource, PhiloxGivesTheNumbersOfTorchOnCuda) {
  const std::vector<float> expected = {-0.92466259F, -0.42534415F, -2.6438457F,  0.14518388F,
                                       -0.12086647F, -0.57972564F, -0.62285122F, -0.32838709F,
                                       -1.07454231F, -0.36314407F, -1.67105067F, 2.26550497F};
  // The GPU computes in single precision.
  EXPECT_THAT(values(NoiseSource(NoiseKind::philox, 0).draw({3, 4})),
              testing::Pointwise(testing::FloatNear(1e-6F), expected));
}

// The key is all 64 bits of the seed, the draw counts in the counter, and each number has its own counter.
TEST(NoiseSource, PhiloxDependsOnSeedDrawAndPlaceAlone) {
  NoiseSource source(NoiseKind::philox, 5), high(NoiseKind::philox, 5 + (std::uint64_t{1} << 32U));
  const at::Tensor first = source.draw({4, 8, 8}), second = source.draw({4, 8, 8});
  EXPECT_FALSE(at::equal(first, second));
  EXPECT_FALSE(at::equal(first, high.draw({4, 8, 8})));
  // The second draw of another shape begins with the same numbers.
  NoiseSource again(NoiseKind::philox, 5);
  EXPECT_TRUE(at::equal(again.draw({2}), first.flatten().narrow(0, 0, 2)));
  EXPECT_TRUE(at::equal(again.draw({7}), second.flatten().narrow(0, 0, 7)));
}

// torch.manual_seed(0); torch.randn(4) as everyone has seen it; and torch.manual_seed(42); torch.randn(4, 64,
// 64).
TEST(NoiseSource, TorchCpuIsTorchsGenerator) {
  EXPECT_THAT(
      values(NoiseSource(NoiseKind::torch_cpu, 0).draw({4})),
      testing::Pointwise(testing::FloatNear(5e-5F), {1.5410F, -0.2934F, -2.1788F, 0.5684F}));  // printed
  EXPECT_THAT(values(NoiseSource(NoiseKind::torch_cpu, 42).draw({4, 64, 64}).flatten().narrow(0, 0, 4)),
              testing::Pointwise(testing::FloatNear(5e-5F), {1.9269F, 1.4873F, 0.9007F, -2.1055F}));
}

// Bit for bit, over draws of one stream whose shapes change between the two ways in which torch fills them.
TEST(NoiseSource, TorchCpuGoesOnAsTorchDoes) {
  NoiseSource source(NoiseKind::torch_cpu, 1234);
  at::Generator torch = at::detail::createCPUGenerator(1234);
  for (const std::vector<std::int64_t>& shape : std::vector<std::vector<std::int64_t>>{
           {4, 64, 64}, {1}, {15}, {16}, {17}, {3, 5}, {4, 96, 64}, {2, 1, 3}, {1, 4, 10, 6}})
    EXPECT_TRUE(at::equal(source.draw(shape), at::randn(shape, torch, at::kFloat))) << shape;
}

// Of a million numbers: mean to 1e-3, moments to five standard errors, sqrt(var / n).
TEST(NoiseSource, IsStandardNormal) {
  for (const NoiseKindRow& row : noise_kinds()) {
    const at::Tensor x = NoiseSource(row.kind, 99).draw({1000, 1000}).to(at::kDouble);
    const auto mean = [&](int power) { return x.pow(power).mean().item<double>(); };
    EXPECT_NEAR(mean(1), 0, 5e-3) << row.name;
    EXPECT_NEAR(mean(2), 1, 5 * std::sqrt(2e-6)) << row.name;
    EXPECT_NEAR(mean(3), 0, 5 * std::sqrt(15e-6)) << row.name;
    EXPECT_NEAR(mean(4), 3, 5 * std::sqrt(96e-6)) << row.name;
    // Neighbours are unrelated, along both sides.
    EXPECT_NEAR((x.narrow(0, 0, 999) * x.narrow(0, 1, 999)).mean().item<double>(), 0, 5e-3) << row.name;
    EXPECT_NEAR((x.narrow(1, 0, 999) * x.narrow(1, 1, 999)).mean().item<double>(), 0, 5e-3) << row.name;
    EXPECT_TRUE(at::isfinite(x).all().item<bool>()) << row.name;
  }
}

TEST(NoiseSource, KnowsItsKindsByName) {
  for (const NoiseKindRow& row : noise_kinds()) EXPECT_EQ(parse_noise_kind(row.name), row.kind);
  EXPECT_THAT([] { parse_noise_kind("gpu"); },
              testing::ThrowsMessage<std::invalid_argument>(
                  testing::HasSubstr("unknown noise source 'gpu', expected one of philox, torch-cpu")));
}

TEST(StreamSeed, IsTheToolsOwnForTheStartOfTheWholePicture) {
  EXPECT_EQ(stream_seed(1234), 1234U);
  EXPECT_EQ(stream_seed(1234, kStartNoise, 0), 1234U);
}

TEST(StreamSeed, DiffersBySeedPurposeAndTile) {
  std::set<std::uint64_t> seen, low;
  for (const std::uint64_t seed : {0, 1, 2, 1234})
    for (const char* purpose : {"start", "steps", "encode", "steps "})
      for (std::uint64_t tile = 0; tile < 50; ++tile) {
        seen.insert(stream_seed(seed, purpose, tile));
        low.insert(stream_seed(seed, purpose, tile) & 0xffffffffU);  // all that torch's CPU generator takes
      }
  EXPECT_EQ(seen.size(), 4U * 4 * 50);
  EXPECT_EQ(low.size(), 4U * 4 * 50);
  // Results depend on them: they may not change.
  EXPECT_EQ(stream_seed(1234, "encode", 0), 5374057297933191302U);
  EXPECT_EQ(stream_seed(1234, "start", 7), 1418761894619289320U);
}

}  // namespace
}  // namespace upbench
