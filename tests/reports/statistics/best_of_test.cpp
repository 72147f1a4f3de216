#include "reports/statistics/best_of.h"

#include <gtest/gtest.h>

#include "reports/statistics/paired.h"
#include "reports/statistics/random.h"

namespace upbench {
namespace {

Eigen::MatrixXd normal_scores(Eigen::Index pictures, const std::vector<double>& levels, double spread) {
  Random random(3);
  Eigen::MatrixXd scores(pictures, static_cast<Eigen::Index>(levels.size()));
  for (Eigen::Index i = 0; i < pictures; ++i) {
    const double picture = 5 * random.normal();
    for (Eigen::Index c = 0; c < scores.cols(); ++c)
      scores(i, c) = picture + levels[static_cast<std::size_t>(c)] + spread * random.normal();
  }
  return scores;
}

TEST(BestOf, TellsWhatIsWorseAndLeavesWhatIsNot) {
  const BestOf result = compare_with_best(normal_scores(20, {0, 1, 1, -2}, 0.3));
  EXPECT_TRUE(result.cells[0].worse);
  EXPECT_FALSE(result.cells[1].worse);
  EXPECT_FALSE(result.cells[2].worse);
  EXPECT_TRUE(result.cells[3].worse);
  EXPECT_EQ(result.comparisons, 6u);
  EXPECT_EQ(result.cells[result.best].behind.value, 0);
}

TEST(BestOf, TheIntervalIsThatOfAPairedBootstrap) {
  const Eigen::MatrixXd scores = normal_scores(12, {0, 1}, 0.3);
  const BestOf result = compare_with_best(scores);
  std::vector<double> differences;
  for (Eigen::Index i = 0; i < 12; ++i) differences.push_back(scores(i, 1) - scores(i, 0));
  const PairedComparison pair = compare_paired(differences);
  const Rival& rival = result.cells[0];
  EXPECT_NEAR(rival.behind.interval.low, pair.mean.interval.low, 1e-9);  // sums of other terms
  EXPECT_NEAR(rival.behind.interval.high, pair.mean.interval.high, 1e-9);
  EXPECT_EQ(rival.p, pair.signed_rank_p);
  EXPECT_EQ(rival.p_adjusted, rival.p) << "two cells are one pair";
  EXPECT_EQ(rival.wins, pair.wins);
}

TEST(BestOf, PValuesAreTimesThePairsOfWhatIsLeft) {
  // All p-values are 2^-9 (10 pictures of one sign): 3 pairs of 3 cells, then 1 of 2.
  Eigen::MatrixXd scores(10, 3);
  for (Eigen::Index i = 0; i < 10; ++i) scores.row(i) << 3 + 0.01 * static_cast<double>(i * i), 2, 1;
  const BestOf result = compare_with_best(scores);
  EXPECT_DOUBLE_EQ(result.cells[1].p, 1.0 / 512);
  EXPECT_DOUBLE_EQ(result.cells[1].p_adjusted, 3.0 / 512);
  EXPECT_DOUBLE_EQ(result.cells[2].p_adjusted, 3.0 / 512);
}

TEST(BestOf, CellsWithEqualScoresAreOne) {
  Eigen::MatrixXd scores(10, 4);
  for (Eigen::Index i = 0; i < 10; ++i) {
    const double x = 3 + 0.01 * static_cast<double>(i * i);
    scores.row(i) << x, x, 1, 1;
  }
  const BestOf result = compare_with_best(scores);
  EXPECT_EQ(result.distinct, 2u);
  EXPECT_EQ(result.comparisons, 1u);
  EXPECT_TRUE(result.cells[1].equal);
  EXPECT_FALSE(result.cells[1].worse);
  EXPECT_DOUBLE_EQ(result.cells[2].p_adjusted, 1.0 / 512);
  EXPECT_DOUBLE_EQ(result.cells[3].p_adjusted, 1.0 / 512);
}

TEST(BestOf, OnePictureTellsNothing) {
  const BestOf result = compare_with_best(normal_scores(1, {0, 10}, 0));
  EXPECT_FALSE(result.cells[0].worse);
  EXPECT_EQ(result.cells[0].p, 1);
}

TEST(BestOf, FewestPicturesAreThoseOfTheLeastPossibleP) {
  EXPECT_EQ(fewest_pictures(1), 6u);    // 2^-5 = 0.031
  EXPECT_EQ(fewest_pictures(45), 11u);  // 45 * 2^-10 = 0.044
}

}  // namespace
}  // namespace upbench
