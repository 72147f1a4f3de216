// Corrected rates, ROC and pictures for rates: answers known by hand.
#include <cmath>
#include <vector>

#include <gtest/gtest.h>

#include "reports/statistics/corrected_rate.h"
#include "reports/statistics/proportion.h"
#include "reports/statistics/roc.h"
#include "reports/statistics/sample_size.h"

namespace upbench {
namespace {

TEST(CorrectedRate, IsWhatWouldGiveSuchFlags) {
  const DetectorCounts detector{.found = 90, .defective = 100, .passed = 198, .clean = 200};
  // 0.2 x 0.9 + 0.8 x 0.01 = 0.188.
  EXPECT_NEAR(flagged_rate(0.2, 0.9, 0.99), 0.188, 1e-12);
  EXPECT_NEAR(corrected_rate(188, 1000, detector), 0.2, 1e-12);
  EXPECT_EQ(corrected_rate(5, 1000, detector), 0);     // fewer flags than a clean set gives
  EXPECT_EQ(corrected_rate(1000, 1000, detector), 1);  // more than a defective one does
}

TEST(CorrectedRate, OfAPerfectDetectorIsTheShareItself) {
  const DetectorCounts perfect{
      .found = 1'000'000, .defective = 1'000'000, .passed = 1'000'000, .clean = 1'000'000};
  EXPECT_NEAR(corrected_rate(7, 50, perfect), 0.14, 1e-12);
  const Interval ours = corrected_rate_interval(7, 50, perfect), wilson = wilson_interval(7, 50);
  // The share with z^2 pictures added, half of them flagged (Agresti, Coull 1998): close to Wilson's.
  EXPECT_NEAR(ours.low, wilson.low, 0.01);
  EXPECT_NEAR(ours.high, wilson.high, 0.01);
}

TEST(CorrectedRate, WidensWithDoubtAboutTheDetector) {
  const DetectorCounts sure{.found = 9000, .defective = 10000, .passed = 9900, .clean = 10000},
      unsure{.found = 27, .defective = 30, .passed = 99, .clean = 100};
  const Interval narrow = corrected_rate_interval(100, 1000, sure),
                 wide = corrected_rate_interval(100, 1000, unsure);
  EXPECT_LT(narrow.high - narrow.low, wide.high - wide.low);
  EXPECT_LE(0, wide.low);
  EXPECT_FALSE((DetectorCounts{.found = 1, .defective = 10, .passed = 9, .clean = 10}.tells()));
  EXPECT_FALSE(DetectorCounts{}.tells());
}

TEST(RateUpperBound, IsThatOfNoneInTwenty) {
  EXPECT_NEAR(rate_upper_bound(0, 20), 1 - std::pow(0.05, 1.0 / 20), 1e-9);  // 13.9 %
  EXPECT_NEAR(rate_upper_bound(0, 20), 0.139, 5e-4);
  EXPECT_EQ(rate_upper_bound(20, 20), 1);
}

TEST(Roc, OfSeparateAndOfEqualNumbers) {
  const std::vector<double> high = {3, 4, 5}, low = {0, 1, 2};
  EXPECT_EQ(area_under_roc(high, low), 1);
  EXPECT_EQ(area_under_roc(low, high), 0);
  EXPECT_EQ(area_under_roc(high, high), 0.5);
  EXPECT_EQ(area_under_roc(std::vector<double>{1, 1}, std::vector<double>{1, 0}), 0.75);
  EXPECT_TRUE(std::isnan(area_under_roc({}, low)));
  EXPECT_EQ(average_precision(high, low), 1);
  // Down from the largest: 5 (clean), 4 (1 of 2), 3 (2 of 3).
  EXPECT_NEAR(average_precision(std::vector<double>{4, 3}, std::vector<double>{5, 0}),
              (1.0 / 2 + 2.0 / 3) / 2, 1e-12);
  EXPECT_EQ(sensitivity_at(0, std::vector<double>{1, 2, 3, 4}, std::vector<double>{0, 2.5}), 0.5);
  EXPECT_EQ(sensitivity_at(0.5, std::vector<double>{1, 2, 3, 4}, std::vector<double>{0, 2.5}), 1);
}

TEST(PicturesForPairedRates, NeedLessWhereTheSamePicturesFail) {
  const double independent = 0.02 * 0.96 + 0.04 * 0.98;
  EXPECT_NEAR(static_cast<double>(pictures_for_paired_rates(0.02, independent)),
              static_cast<double>(pictures_for_rates(0.02, 0.04)), 5);
  EXPECT_EQ(pictures_for_paired_rates(0.02, 0.02), 391u);
}

}  // namespace
}  // namespace upbench
