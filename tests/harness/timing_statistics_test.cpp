#include "harness/timing/sample_statistics.h"

#include <cmath>

#include <gtest/gtest.h>

namespace upbench {
namespace {

TEST(SampleStatistics, MedianOfAnEvenNumberIsTheMeanOfTheMiddleTwo) {
  EXPECT_EQ(sample_median({3, 1, 2}), 2);
  EXPECT_EQ(sample_median({4, 1, 3, 2}), 2.5);
  EXPECT_EQ(sample_median({7}), 7);
  EXPECT_TRUE(std::isnan(sample_median({})));
}

TEST(SampleStatistics, MadIsTheMedianDistanceFromTheMedianAndOneOutlierDoesNotMoveIt) {
  EXPECT_EQ(summarize_samples({1, 1, 2, 2, 4, 6, 9}).mad, 1);  // distances 1 1 0 0 2 4 7
  EXPECT_EQ(summarize_samples({10, 11, 12, 13, 14}).mad, 1);
  EXPECT_EQ(summarize_samples({10, 11, 12, 13, 1e9}).mad, 1);
}

// The bootstrap median of nine samples is at most the k-th of them with probability P(Binomial(9, k / 9) >=
// 5): 0.0015 for k = 1, 0.030 for k = 2. So the 2.5 % quantile is the second sample, and by symmetry the
// other end the eighth. (30.4 thousandths against 25: three standard errors of 10 000 resamples.)
TEST(SampleStatistics, IntervalOfNineSamplesGoesFromTheSecondToTheEighth) {
  for (const std::uint64_t seed : {0, 1, 2}) {
    const SampleSummary summary = summarize_samples({5, 1, 9, 3, 7, 2, 8, 4, 6}, seed);
    EXPECT_EQ(summary.median, 5);
    EXPECT_EQ(summary.low, 2);
    EXPECT_EQ(summary.high, 8);
  }
}

TEST(SampleStatistics, EqualSamplesHaveNoSpread) {
  const SampleSummary summary = summarize_samples({0.25, 0.25, 0.25});
  EXPECT_EQ(summary.median, 0.25);
  EXPECT_EQ(summary.mad, 0);
  EXPECT_EQ(summary.low, 0.25);
  EXPECT_EQ(summary.high, 0.25);
}

TEST(SampleStatistics, TheSameSeedGivesTheSameInterval) {
  std::vector<double> samples;
  for (int i = 0; i < 40; ++i) samples.push_back(std::sin(i));
  const SampleSummary first = summarize_samples(samples, 3), second = summarize_samples(samples, 3);
  EXPECT_EQ(first.low, second.low);
  EXPECT_EQ(first.high, second.high);
  EXPECT_LT(first.low, first.median);
  EXPECT_GT(first.high, first.median);
}

TEST(SampleStatistics, NoSamplesGiveNoNumbers) {
  const SampleSummary summary = summarize_samples({});
  EXPECT_TRUE(std::isnan(summary.median) && std::isnan(summary.mad) && std::isnan(summary.low));
}

}  // namespace
}  // namespace upbench
