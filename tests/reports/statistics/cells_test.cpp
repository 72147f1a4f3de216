// Rankings, shares of variance, sample sizes, changes of a series: what is known beforehand.

#include <cmath>
#include <vector>

#include <gtest/gtest.h>

#include "reports/statistics/change_points.h"
#include "reports/statistics/random.h"
#include "reports/statistics/ranking.h"
#include "reports/statistics/sample_size.h"
#include "reports/statistics/two_sample.h"
#include "reports/statistics/variance_shares.h"

namespace upbench {
namespace {

TEST(Ranking, ACellThatIsBetterOnEveryPictureIsAlwaysFirst) {
  Eigen::MatrixXd scores(4, 2);
  scores << 30, 31, 20, 20.5, 25, 27, 28, 28.1;
  const auto standings = rank_cells(scores);
  EXPECT_EQ(standings[1].rank, 1);
  EXPECT_EQ(standings[1].best_share, 1);
  EXPECT_EQ(standings[1].ranks.high, 1);
  EXPECT_EQ(standings[0].ranks.low, 2);
}

TEST(Ranking, EqualCellsShareTheFirstPlace) {
  const auto standings = rank_cells(Eigen::MatrixXd::Constant(3, 4, 30.0));
  EXPECT_EQ(standings[0].rank, 2.5);
  EXPECT_DOUBLE_EQ(standings[0].best_share, 0.25);
}

TEST(Ranking, OneOutlierThatMakesTheWinnerIsNamed) {
  Eigen::MatrixXd scores(4, 2);
  scores << 30, 29, 30, 29, 30, 29, 20, 26;  // the last picture alone makes the second cell best
  EXPECT_EQ(winner_of(scores), 1u);
  const auto flips = flips_without_picture(scores);
  ASSERT_EQ(flips.size(), 1u);
  EXPECT_EQ(flips[0].left_out, 3u);
  EXPECT_EQ(flips[0].winner, 0u);
}

TEST(Ranking, ParetoFrontLeavesOutWhatIsWorseAndDearer) {
  Eigen::MatrixXd quality(2, 3), cost(2, 3);
  quality << 30, 32, 31, 30, 32, 31;
  cost << 1, 5, 6, 1, 5, 6;
  const auto cells = pareto_front(quality, cost);
  EXPECT_TRUE(cells[0].on_front);
  EXPECT_TRUE(cells[1].on_front);
  EXPECT_FALSE(cells[2].on_front);
  EXPECT_EQ(cells[2].share, 0);
}

TEST(Ranking, KendallOfTheSameAndTheOppositeOrder) {
  EXPECT_EQ(kendall_tau(std::vector{1.0, 2.0, 3.0}, std::vector{10.0, 20.0, 30.0}), 1);
  EXPECT_EQ(kendall_tau(std::vector{1.0, 2.0, 3.0}, std::vector{3.0, 2.0, 1.0}), -1);
  EXPECT_TRUE(std::isnan(kendall_tau(std::vector{1.0, 1.0}, std::vector{1.0, 2.0})));
}

TEST(VarianceShares, AdditiveAxesLeaveNothingToTheirInteraction) {
  // 3 * a + b over a, b in {0, 1}: variances 9 to 1.
  const auto shares = variance_shares({{0, 0}, {0, 1}, {1, 0}, {1, 1}}, {0, 1, 3, 4});
  ASSERT_EQ(shares.size(), 3u);
  EXPECT_NEAR(shares[0].share, 0.9, 1e-12);
  EXPECT_NEAR(shares[1].share, 0.1, 1e-12);
  EXPECT_NEAR(shares[2].share, 0, 1e-12);
}

TEST(VarianceShares, APureInteractionBelongsToThePair) {
  const auto shares = variance_shares({{0, 0}, {0, 1}, {1, 0}, {1, 1}}, {1, 0, 0, 1});
  EXPECT_NEAR(shares[0].share + shares[1].share, 0, 1e-12);
  EXPECT_NEAR(shares[2].share, 1, 1e-12);
}

TEST(VarianceShares, AMissingCellDoesNotSpillIntoTheOtherAxis) {
  const auto shares = variance_shares({{0, 0}, {0, 1}, {1, 0}}, {0, 0, 5});
  EXPECT_NEAR(shares[1].share, 0, 1e-12) << "only the first axis matters";
  EXPECT_TRUE(variance_shares({{0}, {1}}, {2, 2}).empty());
}

TEST(SampleSize, MorePicturesFindLess) {
  const std::size_t pictures = pictures_for_difference(0.05, 0.1);
  EXPECT_EQ(pictures, 34u);  // (1.960 + 0.842)^2 * 4 + 1.92 = 33.3; R's power.t.test says 33.4
  EXPECT_LE(difference_found(pictures, 0.1), 0.05);
  EXPECT_GT(difference_found(pictures - 1, 0.1), 0.05);
  EXPECT_EQ(pictures_for_difference(0.05, 0), 2u);
}

TEST(SampleSize, TwoAndFourPercentNeedMoreThanAThousandPictures) {
  // Fleiss without correction: 1141.
  EXPECT_EQ(pictures_for_rates(0.02, 0.04), 1141u);
}

std::vector<double> noisy_step(std::size_t before, std::size_t after, double step) {
  Random random(5);
  std::vector<double> series;
  for (std::size_t i = 0; i < before + after; ++i)
    series.push_back(10 + 0.1 * random.normal() + (i >= before ? step : 0));
  return series;
}

TEST(ChangePoints, AStepIsFoundWhereItIs) {
  const auto points = change_points(noisy_step(20, 15, 1));
  ASSERT_EQ(points.size(), 1u);
  EXPECT_EQ(points[0].first, 20u);
  EXPECT_NEAR(points[0].after - points[0].before, 1, 0.1);
}

TEST(ChangePoints, LongSeriesAreSearchedToTheirEnd) {
  const auto points = change_points(noisy_step(170, 10, 1));
  ASSERT_EQ(points.size(), 1u);
  EXPECT_EQ(points[0].first, 170u);
}

TEST(ChangePoints, SmallChangesMayBeLeftOut) {
  EXPECT_TRUE(change_points(noisy_step(20, 15, 1), {.least_change = 0.2}).empty());
  EXPECT_TRUE(change_points(std::vector(30, 4.0)).empty());
  EXPECT_TRUE(change_points({}).empty());
}

TEST(TwoSamples, SeparatedSamplesHaveTwoOfAllOrders) {
  const RankSum result = rank_sum_test(std::vector{1.0, 2.0, 3.0}, std::vector{4.0, 5.0, 6.0});
  EXPECT_EQ(result.u, 9);
  EXPECT_DOUBLE_EQ(result.p, 2.0 / 20);
}

TEST(TwoSamples, ShiftAndRatioOfAKnownSlowDown) {
  const std::vector first = {1.0, 1.1, 1.2, 0.9, 1.05}, second = {1.5, 1.6, 1.7, 1.4, 1.55};
  EXPECT_NEAR(shift(first, second).value, 0.5, 1e-12);
  const Estimate ratio = ratio_of_medians(first, second);
  EXPECT_NEAR(ratio.value, 1.55 / 1.05, 1e-12);
  EXPECT_GT(ratio.interval.low, 1.1);
}

}  // namespace
}  // namespace upbench
