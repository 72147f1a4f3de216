#include "reports/statistics/paired.h"

#include <cmath>
#include <vector>

#include <gtest/gtest.h>

#include "reports/statistics/proportion.h"
#include "reports/statistics/signed_rank.h"

namespace upbench {
namespace {

TEST(SignedRank, FiveOfOneSignHaveTwoOfThirtyTwoOrders) {
  const SignedRank result = signed_rank_test(std::vector{0.1, 0.4, 0.2, 0.9, 0.3});
  EXPECT_EQ(result.positive, 15);
  EXPECT_EQ(result.negative, 0);
  EXPECT_DOUBLE_EQ(result.p, 2.0 / 32);
}

TEST(SignedRank, ZerosTakeRanksAndDropOut) {
  // Pratt: |0| has rank 1, so the others rank 2, 3, 4; of 8 orders one is as extreme on each side.
  const SignedRank result = signed_rank_test(std::vector{0.0, 1.0, 2.0, 3.0});
  EXPECT_EQ(result.positive, 9);
  EXPECT_DOUBLE_EQ(result.p, 2.0 / 8);
}

TEST(SignedRank, NothingButZerosShowsNothing) {
  EXPECT_EQ(signed_rank_test(std::vector{0.0, 0.0}).p, 1);
  EXPECT_EQ(signed_rank_test({}).p, 1);
}

TEST(SignedRank, SignsTurnedGiveTheSameP) {
  const std::vector x = {0.3, -0.1, 0.5, 0.2, -0.05, 0.7};
  std::vector<double> turned;
  for (const double value : x) turned.push_back(-value);
  EXPECT_EQ(signed_rank_test(x).p, signed_rank_test(turned).p);
}

TEST(Signs, SevenOfEight) {
  const Signs signs = sign_test(std::vector{1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, -1.0, 0.0});
  EXPECT_EQ(signs.zero, 1u);
  EXPECT_NEAR(signs.p, 2 * 9.0 / 256, 1e-12);  // (1 + 8) of 256 on each side
}

TEST(Holm, StepsDownAndNeverFalls) {
  // 0.01 * 3, then 0.02 * 2, then max(0.03 * 1, what came before).
  const std::vector<double> adjusted = holm(std::vector{0.02, 0.01, 0.03});
  EXPECT_NEAR(adjusted[1], 0.03, 1e-15);
  EXPECT_NEAR(adjusted[0], 0.04, 1e-15);
  EXPECT_NEAR(adjusted[2], 0.04, 1e-15);
}

TEST(Holm, TestsThatWereNotMadeDoNotCount) {
  const std::vector<double> adjusted = holm(std::vector{std::nan(""), 0.04});
  EXPECT_TRUE(std::isnan(adjusted[0]));
  EXPECT_EQ(adjusted[1], 0.04);
}

TEST(Proportions, NoneOfTwentyMayStillBeOneInSix) {
  const Interval wilson = wilson_interval(0, 20);
  EXPECT_EQ(wilson.low, 0);
  const double zz = 1.959963984540054 * 1.959963984540054;
  EXPECT_NEAR(wilson.high, zz / (20 + zz), 1e-12);
}

TEST(Proportions, McNemarCountsOnlyThePairsThatDiffer) {
  EXPECT_NEAR(mcnemar_test(0, 6), 2.0 / 64, 1e-12);
  EXPECT_EQ(mcnemar_test(3, 3), 1);
  EXPECT_EQ(mcnemar_test(0, 0), 1);
}

TEST(Paired, AConstantGainIsCertain) {
  const PairedComparison comparison = compare_paired(std::vector(12, 0.05));
  EXPECT_DOUBLE_EQ(comparison.mean.value, 0.05);
  EXPECT_DOUBLE_EQ(comparison.mean.interval.low, 0.05);
  EXPECT_DOUBLE_EQ(comparison.mean.interval.high, 0.05);
  EXPECT_EQ(comparison.wins, 12u);
  EXPECT_EQ(comparison.rank_biserial, 1);
  EXPECT_TRUE(std::isnan(comparison.standardised)) << "no spread to divide by";
}

TEST(Paired, NoPicturesHaveNoFigures) {
  const PairedComparison comparison = compare_paired({});
  EXPECT_TRUE(std::isnan(comparison.mean.value));
  EXPECT_TRUE(std::isnan(comparison.win_rate.low));
  EXPECT_EQ(comparison.signed_rank_p, 1);
}

TEST(Paired, OnePictureHasAValueAndNoInterval) {
  const PairedComparison comparison = compare_paired(std::vector{0.3});
  EXPECT_EQ(comparison.mean.value, 0.3);
  EXPECT_TRUE(std::isnan(comparison.mean.interval.low));
}

TEST(Paired, ResultsDoNotDependOnThreads) {
  std::vector<double> differences;
  for (int i = 0; i < 40; ++i) differences.push_back(std::sin(i * 1.7));
  const auto one = bootstrap(differences, Average::mean, {.threads = 1}),
             four = bootstrap(differences, Average::mean, {.threads = 4});
  EXPECT_EQ(one.interval.low, four.interval.low);
  EXPECT_EQ(one.interval.high, four.interval.high);
}

TEST(Equivalence, NeedsBothSides) {
  EXPECT_EQ(equivalence_test(std::vector(5, 0.0), 0.1), 0);
  EXPECT_EQ(equivalence_test(std::vector(5, 0.2), 0.1), 1);
  EXPECT_TRUE(std::isnan(equivalence_test(std::vector{0.0}, 0.1)));
}

}  // namespace
}  // namespace upbench
