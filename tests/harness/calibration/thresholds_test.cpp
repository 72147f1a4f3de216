#include "harness/calibration/thresholds.h"

#include <cmath>
#include <limits>

#include <gtest/gtest.h>

namespace upbench {
namespace {

constexpr double kNone = std::numeric_limits<double>::quiet_NaN();

TEST(Thresholds, LieAboveEveryCleanPicture) {
  // 15 % to spare, where a tenth of the defects lie no higher.
  EXPECT_DOUBLE_EQ(threshold_above({.clean = {1, 3, kNone, 2}, .defective = {1, 9}}, 0), 3.45);
  // Half way to all but a tenth, where these lie apart.
  EXPECT_DOUBLE_EQ(threshold_above({.clean = {1, 3, 2}, .defective = {9, 13, kNone}}, 0), 6);
  EXPECT_DOUBLE_EQ(threshold_above({.clean = {1, 3, 2}, .defective = {}}, 1), 2.3);
  EXPECT_DOUBLE_EQ(threshold_above({.clean = {kNone}, .defective = {1}}, 0),
                   std::numeric_limits<double>::max());
}

TEST(Thresholds, WithoutABudgetFlagNoCleanPicture) {
  const TuningValues values{.clean = {1, 1, 1, 50}, .defective = {5, 6, 7, 8}};
  EXPECT_DOUBLE_EQ(choose_thresholds({&values, 1}, 0)[0], 57.5);
}

TEST(Thresholds, SpendTheBudgetWhereItFindsMost) {
  const std::vector<TuningValues> detectors = {
      {.clean = {1, 1, 1, 50}, .defective = {5, 6, 7, 8}},        // one odd picture hides every defect
      {.clean = {2, 4, 2, 2}, .defective = {3, 10, 10, 10, 10}},  // one hides a fifth
  };
  const std::vector<double> one = choose_thresholds(detectors, 1);
  EXPECT_DOUBLE_EQ(one[0], 3);  // half way from 1 to 5
  EXPECT_DOUBLE_EQ(one[1], 4.6);
  const std::vector<double> two = choose_thresholds(detectors, 2);
  EXPECT_DOUBLE_EQ(two[0], 3);
  EXPECT_DOUBLE_EQ(two[1], 2.5);  // half way from 2 to 3
}

TEST(Thresholds, PayOnceForAPictureThatSeveralFlag) {
  const std::vector<TuningValues> detectors = {{.clean = {1, 1, 50}, .defective = {5, 6, 7, 8}},
                                               {.clean = {1, 1, 40}, .defective = {3, 3, 3, 3}}};
  const std::vector<double> thresholds = choose_thresholds(detectors, 1);
  EXPECT_DOUBLE_EQ(thresholds[0], 3);
  EXPECT_DOUBLE_EQ(thresholds[1], 2);
}

TEST(Thresholds, AreNotLoweredForNothing) {
  const TuningValues values{.clean = {1, 1, 2}, .defective = {5, 6, 7, 8}};
  EXPECT_DOUBLE_EQ(choose_thresholds({&values, 1}, 1)[0], 3.5);
}

}  // namespace
}  // namespace upbench
