#include "reports/statistics/descriptive.h"

#include <cmath>
#include <vector>

#include <gtest/gtest.h>

namespace upbench {
namespace {

TEST(Descriptive, MeanOfThreeNumbers) {
  EXPECT_EQ(mean(std::vector{1.0, 2.0, 6.0}), 3.0);
}

TEST(Descriptive, StandardDeviationDividesByOneLess) {
  // Squares 9, 1, 1, 9 around 5; 20 / 3.
  EXPECT_DOUBLE_EQ(standard_deviation(std::vector{2.0, 4.0, 6.0, 8.0}), std::sqrt(20.0 / 3));
}

TEST(Descriptive, StandardDeviationSurvivesALargeMean) {
  // A sum of squares alone would give 0 or worse at 1e9: 1e18 has no digit left for 1.
  EXPECT_DOUBLE_EQ(standard_deviation(std::vector{1e9, 1e9 + 1, 1e9 + 2}), 1.0);
}

TEST(Descriptive, QuantilesLieBetweenOrderStatistics) {
  const std::vector values = {4.0, 1.0, 3.0, 2.0};
  EXPECT_EQ(median(values), 2.5);
  EXPECT_EQ(quantile(values, 0), 1.0);
  EXPECT_EQ(quantile(values, 1), 4.0);
  EXPECT_DOUBLE_EQ(quantile(values, 0.25), 1.75);  // as quantile(c(1,2,3,4), 0.25) of R
  EXPECT_EQ(median(std::vector{7.0}), 7.0);
}

TEST(Descriptive, TooFewValuesHaveNoFigure) {
  EXPECT_TRUE(std::isnan(mean({})));
  EXPECT_TRUE(std::isnan(median({})));
  EXPECT_TRUE(std::isnan(standard_deviation(std::vector{1.0})));
}

}  // namespace
}  // namespace upbench
