#include "reports/statistics/paired_rates.h"

#include <cmath>

#include <gtest/gtest.h>

#include "reports/statistics/proportion.h"
#include "reports/statistics/random.h"

namespace upbench {
namespace {

TEST(PairedRates, TheIncreaseIsWhatAppearedLessWhatCleared) {
  EXPECT_DOUBLE_EQ(rate_increase({.both = 1, .only_before = 2, .only_after = 7, .neither = 10}), 0.25);
}

TEST(PairedRates, TheTestIsACoinForEveryPictureThatChanged) {
  EXPECT_EQ(rate_increase_test({.both = 3, .neither = 4}), 1);
  EXPECT_DOUBLE_EQ(rate_increase_test({.only_after = 5, .neither = 9}), 1.0 / 32);
  EXPECT_DOUBLE_EQ(rate_increase_test({.only_before = 1, .only_after = 4}), 6.0 / 32);  // 4 or 5 of 5
  EXPECT_EQ(rate_increase_test({.only_before = 5}), 1);
}

// 0 of 20, then 5 of 20: no correlation, so that the ends are those of both Wilson intervals squared and
// added.
TEST(PairedRates, WithoutCorrelationTheIntervalAddsTheSquaresOfBoth) {
  const Interval none = wilson_interval(0, 20), five = wilson_interval(5, 20);
  const Interval interval = rate_increase_interval({.only_after = 5, .neither = 15});
  EXPECT_DOUBLE_EQ(interval.low, 0.25 - std::hypot(0.25 - five.low, none.high));
  EXPECT_DOUBLE_EQ(interval.high, 0.25 + (five.high - 0.25));
}

TEST(PairedRates, TheIntervalMirrorsWhenBeforeAndAfterChangePlaces) {
  const Interval rise = rate_increase_interval({.both = 4, .only_before = 2, .only_after = 9, .neither = 15});
  const Interval fall = rate_increase_interval({.both = 4, .only_before = 9, .only_after = 2, .neither = 15});
  EXPECT_NEAR(rise.low, -fall.high, 1e-15);
  EXPECT_NEAR(rise.high, -fall.low, 1e-15);
}

TEST(PairedRates, AgreementNarrowsTheInterval) {
  // 10 of 40 before and 12 of 40 after, on nearly the same pictures or on others.
  const Interval same = rate_increase_interval({.both = 10, .only_after = 2, .neither = 28});
  const Interval other =
      rate_increase_interval({.both = 3, .only_before = 7, .only_after = 9, .neither = 21});
  EXPECT_LT(same.high - same.low, 0.75 * (other.high - other.low));
}

TEST(PairedRates, NoChangeOnFewPicturesIsNotCertainty) {
  const Interval few = rate_increase_interval({.neither = 3}),
                 many = rate_increase_interval({.neither = 1000});
  EXPECT_GT(few.high, 0.3);
  EXPECT_LT(many.high, 0.005);
  EXPECT_DOUBLE_EQ(few.low, -few.high);
}

TEST(PairedRates, PowerIsThatOfTheTestOnDrawnPictures) {
  const double power = rate_increase_power(60, 0.05, 0.25, 0.05);
  int found = 0;
  constexpr int kRepeats = 4000;
  for (int i = 0; i < kRepeats; ++i) {
    Random random(77, static_cast<std::uint64_t>(i));
    PairedCounts counts;
    for (int picture = 0; picture < 60; ++picture) {
      const double u = random.uniform();
      ++(u < 0.05 ? counts.only_before : u < 0.3 ? counts.only_after : counts.neither);
    }
    found += rate_increase_test(counts) <= 0.05 ? 1 : 0;
  }
  // Three standard errors of 4,000 repeats.
  EXPECT_NEAR(static_cast<double>(found) / kRepeats, power, 3 * std::sqrt(power * (1 - power) / kRepeats));
}

TEST(PairedRates, PowerByHandOnFivePictures) {
  // All five must appear for p = 1/32.
  EXPECT_NEAR(rate_increase_power(5, 0, 0.9, 0.05), std::pow(0.9, 5), 1e-12);
  EXPECT_EQ(rate_increase_power(4, 0, 1, 0.05), 0) << "1/16 is above 0.05";
  EXPECT_EQ(rate_increase_power(100, 0, 0, 0.05), 0);
}

TEST(PairedRates, TheRateFoundHasThePowerAskedFor) {
  const double after = rate_found(20, 0.1, 0.05, 0.95);
  EXPECT_NEAR(rate_increase_power(20, 0, after - 0.1, 0.05), 0.95, 0.002);
  EXPECT_TRUE(std::isnan(rate_found(4, 0, 0.05, 0.95)));
  EXPECT_LT(rate_found(500, 0.02, 0.05, 0.95), 0.05);
}

}  // namespace
}  // namespace upbench
