#include <limits>

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>

#include "datasets/device/pixels.h"
#include "where.h"

namespace upbench {
namespace {

UPBENCH_ON_BOTH(StatisticsKernel);

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();

std::vector<TileStatistics> statistics(const PixelKernels& table, const at::Tensor& batch) {
  return kernels::read_statistics(kernels::tile_statistics(table, batch));
}

TEST_P(StatisticsKernel, OfKnownValuesAreKnown) {
  at::Tensor batch = at::full({2, 3, 4, 5}, 0.5);
  batch[1][2][3][4] = -1.0;
  batch[1][0][0][0] = 3.0;
  const auto results = statistics(table(), batch.to(device()));
  ASSERT_EQ(results.size(), 2U);
  EXPECT_EQ(results[0].least, 0.5F);
  EXPECT_EQ(results[0].greatest, 0.5F);
  EXPECT_EQ(results[0].sum, 30.0);
  EXPECT_EQ(results[0].sum_of_squares, 15.0);
  EXPECT_EQ(results[0].non_finite, 0U);
  EXPECT_EQ(results[0].outside, 0U);
  EXPECT_EQ(results[1].least, -1.0F);
  EXPECT_EQ(results[1].greatest, 3.0F);
  EXPECT_EQ(results[1].sum, 31.0);
  EXPECT_EQ(results[1].sum_of_squares, 24.5);
  EXPECT_EQ(results[1].outside, 2U);
}

TEST_P(StatisticsKernel, OneBadValueIsFoundWhereverItIs) {
  for (const float bad : {kNaN, kInfinity, -kInfinity})
    for (const int at : {0, 1, 64, 128, 4096, 3 * 70 * 130 - 1}) {
      at::Tensor batch = at::full({3, 3, 70, 130}, 0.25);
      batch[1].view({-1})[at] = bad;
      const auto results = statistics(table(), batch.to(device()));
      EXPECT_EQ(results[0].non_finite, 0U);
      EXPECT_EQ(results[1].non_finite, 1U) << bad << " at " << at;
      EXPECT_EQ(results[2].non_finite, 0U);
      EXPECT_EQ(results[1].least, 0.25F);
      EXPECT_EQ(results[1].outside, 0U);
    }
}

TEST_P(StatisticsKernel, OfNoNumberAtAllAreEmpty) {
  const auto results = statistics(table(), at::full({1, 3, 2, 2}, kNaN).to(device()));
  EXPECT_EQ(results[0].non_finite, 12U);
  EXPECT_EQ(results[0].least, kInfinity);
  EXPECT_EQ(results[0].greatest, -kInfinity);
  EXPECT_EQ(results[0].sum, 0);
}

TEST_P(StatisticsKernel, AgreeWithAtenOnPartsInAnyLayout) {
  at::Generator random = at::detail::createCPUGenerator(3);
  const at::Tensor whole = at::rand({4, 3, 65, 129}, random).mul(1.5).sub(0.2);
  for (const auto format : {at::MemoryFormat::Contiguous, at::MemoryFormat::ChannelsLast}) {
    const at::Tensor batch = whole.contiguous(format).to(device()).narrow(2, 1, 60).narrow(3, 2, 120);
    const auto results = statistics(table(), batch);
    for (std::int64_t i = 0; i < 4; ++i) {
      const at::Tensor tile = batch[i].cpu().to(at::kDouble);
      const TileStatistics& result = results[static_cast<std::size_t>(i)];
      EXPECT_EQ(result.least, tile.min().item<float>());
      EXPECT_EQ(result.greatest, tile.max().item<float>());
      // Some 20 000 additions in float64, in another order.
      EXPECT_NEAR(result.sum, tile.sum().item<double>(), 1e-9);
      EXPECT_NEAR(result.sum_of_squares, tile.square().sum().item<double>(), 1e-9);
      EXPECT_EQ(static_cast<std::int64_t>(result.outside),
                (tile.lt(0) | tile.gt(1)).sum().item<std::int64_t>());
    }
  }
}

}  // namespace
}  // namespace upbench
