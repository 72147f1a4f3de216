#include "harness/timing/interleaved.h"

#include <cmath>
#include <functional>
#include <stdexcept>

#include <gtest/gtest.h>

namespace upbench {
namespace {

// Takes as long as it is told and writes down when it ran: no clock is involved.
class Fake final : public TimingSubject {
 public:
  Fake(char name, std::string& log, std::function<double(int lap, int variant)> seconds)
      : name_(name), log_(log), seconds_(std::move(seconds)) {}

  Lap run(int variant) override {
    log_ += name_;
    if (variant != 0) log_ += std::to_string(variant);
    const double seconds = seconds_(laps_++, variant);
    return {.seconds = seconds, .stages = {{"upscale", seconds}}, .joules = 0};
  }

 private:
  char name_;
  std::string& log_;
  std::function<double(int, int)> seconds_;
  int laps_ = 0;
};

double steady(int, int) {
  return 1;
}

TEST(Interleaved, SubjectsTakeTurnsAfterEachIsWarm) {
  std::string log;
  Fake a('a', log, steady), b('b', log, steady);
  const auto times = time_interleaved({&a, &b}, {.samples = 4});
  EXPECT_EQ(log,
            "aaabbb"
            "abababab");
  EXPECT_EQ(times[0].samples.size(), 4u);
  EXPECT_EQ(times[1].warm_up, (std::vector<double>{1, 1, 1}));
  EXPECT_TRUE(times[0].steady);
}

TEST(Interleaved, WarmUpEndsWithThreeLapsWithinTwoPercent) {
  std::string log;
  const double laps[] = {9, 4, 1.05, 1.00, 1.01, 1.02, 7};
  Fake a('a', log, [&](int lap, int) { return laps[std::min(lap, 6)]; });
  const auto times = time_interleaved({&a}, {.samples = 1, .budget_s = 100});
  EXPECT_EQ(times[0].warm_up, (std::vector<double>{9, 4, 1.05, 1.00, 1.01, 1.02}));  // 1.05 is 3.9 % off 1.01
  EXPECT_EQ(times[0].samples[0].seconds, 7);
}

TEST(Interleaved, WhatNeverSettlesIsMeasuredAndSaysSo) {
  std::string log;
  Fake a('a', log, [](int lap, int) { return lap % 2 ? 1.0 : 2.0; });
  const auto times = time_interleaved({&a}, {.samples = 3, .budget_s = 1000, .most_warm_ups = 8});
  EXPECT_EQ(times[0].warm_up.size(), 8u);
  EXPECT_FALSE(times[0].steady);
  EXPECT_EQ(times[0].samples.size(), 3u);
}

TEST(Interleaved, ALapBeyondTheBudgetIsTheOnlySample) {
  std::string log;
  Fake slow('s', log, [](int, int) { return 100; }), quick('q', log, steady);
  const auto times = time_interleaved({&slow, &quick}, {.samples = 2, .budget_s = 20, .repeat_checks = 1});
  EXPECT_EQ(log,
            "s"
            "qqq"
            "qq"
            "qqq1");
  EXPECT_EQ(times[0].samples.size(), 1u);
  EXPECT_EQ(times[0].samples[0].seconds, 100);
  EXPECT_TRUE(times[0].warm_up.empty());
}

TEST(Interleaved, SamplesEndWithTheBudgetButOneIsAlwaysTaken) {
  std::string log;
  Fake a('a', log, steady);
  EXPECT_EQ(time_interleaved({&a}, {.samples = 100, .budget_s = 10})[0].samples.size(),
            7u);  // 3 of 10 to warm up
  EXPECT_EQ(time_interleaved({&a}, {.samples = 100, .budget_s = 0})[0].samples.size(), 1u);
}

TEST(Interleaved, AFailingSubjectStopsAloneWithItsReason) {
  std::string log;
  Fake bad('x', log, [](int lap, int) { return lap < 4 ? 1.0 : throw std::runtime_error("lost"); });
  Fake good('g', log, steady);
  const auto times = time_interleaved({&bad, &good}, {.samples = 3});
  EXPECT_EQ(times[0].failure, "lost");
  EXPECT_EQ(times[1].failure, "");
  EXPECT_EQ(times[1].samples.size(), 3u);
  EXPECT_EQ(log,
            "xxxggg"
            "xgxgg");
}

TEST(Interleaved, NoLapBeginsAfterAStop) {
  std::string log;
  std::atomic<bool> stop = false;
  Fake a('a', log, [&](int lap, int) {
    stop = lap == 4;
    return 1.0;
  });
  time_interleaved({&a}, {.samples = 9}, &stop);
  EXPECT_EQ(log, "aaaaa");
}

// Its laps take 1 s each; slowed(i), i from 0, says whether the clock was held down meanwhile.
class Slowed final : public TimingSubject {
 public:
  explicit Slowed(std::function<bool(int lap)> slowed) : slowed_(std::move(slowed)) {}

  Lap run(int) override {
    Lap lap{.seconds = 1};
    if (slowed_(laps_++)) lap.slowed_by = {"heat"};
    return lap;
  }
  int laps() const { return laps_; }

 private:
  std::function<bool(int)> slowed_;
  int laps_ = 0;
};

TEST(SlowedLaps, OfTheWarmUpAreThrownAwayAnyhow) {
  Slowed subject([](int lap) { return lap < 3; });
  const SubjectTimes times = time_interleaved({&subject}, {.samples = 2})[0];
  EXPECT_EQ(times.samples.size(), 2u);
  EXPECT_TRUE(times.discarded.empty());
}

TEST(SlowedLaps, TheOthersKeepTheirTurns) {
  std::string log;
  Slowed slowed([](int lap) { return lap == 3; });
  Fake steady_one('f', log, steady);
  const auto times = time_interleaved({&slowed, &steady_one}, {.samples = 2});
  EXPECT_EQ(slowed.laps(), 3 + 3);
  EXPECT_EQ(log,
            "fff"
            "ff");
  EXPECT_EQ(times[0].samples.size(), 2u);
  EXPECT_EQ(times[0].discarded.size(), 1u);
}

TEST(SlowedLaps, AreTakenAgainOnlySoOften) {
  Slowed subject([](int lap) { return lap > 3; });
  const SubjectTimes times = time_interleaved({&subject}, {.samples = 5, .most_discarded = 4})[0];
  EXPECT_EQ(times.samples.size(), 1u);
  EXPECT_EQ(times.discarded.size(), 4u);
  EXPECT_FALSE(times.slowed);
}

TEST(SlowedLaps, AreTakenAgainOnlyWithinTheBudget) {
  Slowed subject([](int) { return true; });
  const SubjectTimes times = time_interleaved({&subject}, {.samples = 100, .budget_s = 5})[0];
  EXPECT_EQ(subject.laps(), 5);
  EXPECT_EQ(times.samples.size() + times.discarded.size(), 2u);  // 3 of 5 s to warm up
}

TEST(SlowedLaps, StandInWhereThereIsNoOther) {
  Slowed subject([](int) { return true; });
  const SubjectTimes times =
      time_interleaved({&subject}, {.samples = 3, .repeat_checks = 3, .most_discarded = 3})[0];
  EXPECT_EQ(times.samples.size(), 3u);
  EXPECT_TRUE(times.discarded.empty());
  EXPECT_TRUE(times.slowed);
  EXPECT_EQ(times.repeated.size(), 3u);
}

TEST(SlowedLaps, AreNotComparedInTheSelfCheck) {
  Slowed subject(
      [](int lap) { return lap == 3 + 1 + 1; });  // after warm-up, sample, first lap on the picture
  const SubjectTimes times = time_interleaved({&subject}, {.samples = 1, .repeat_checks = 2})[0];
  EXPECT_EQ(times.repeated.size(), 1u);
  EXPECT_EQ(times.distinct.size(), 2u);
}

// The laps of the self-check of a subject that keeps what it computed last: a tenth of the time.
TEST(RepeatCheck, ACacheOfPicturesIsFound) {
  std::string log;
  int last = -1;
  Fake cached('c', log, [&](int, int variant) {
    const bool known = variant == last;
    last = variant;
    return known ? 0.1 : 1.0;
  });
  const auto times = time_interleaved({&cached}, {.samples = 1, .repeat_checks = 5});
  EXPECT_NEAR(repeat_ratio(times[0]), 0.1, 1e-12);  // a tenth is no double
  EXPECT_TRUE(remembers_pictures(times[0]));
}

TEST(RepeatCheck, EqualWorkPasses) {
  std::string log;
  Fake honest('h', log, steady);
  const auto times = time_interleaved({&honest}, {.samples = 1, .repeat_checks = 5});
  EXPECT_EQ(repeat_ratio(times[0]), 1);
  EXPECT_FALSE(remembers_pictures(times[0]));
  EXPECT_EQ(log.substr(log.size() - 7), "hh4hhh5");  // every other picture is a new one
}

TEST(RepeatCheck, TenPercentAreAllowed) {
  SubjectTimes times;
  times.repeated = {0.91, 0.91, 0.91, 0.91, 0.91};
  times.distinct = {1, 1, 1, 1, 1};
  EXPECT_FALSE(remembers_pictures(times));
  times.repeated = {0.89, 0.89, 0.89, 0.89, 0.89};
  EXPECT_TRUE(remembers_pictures(times));
}

TEST(RepeatCheck, LapsThatOverlapAreNoise) {
  SubjectTimes times;
  times.repeated = {0.5, 0.5, 0.5, 3, 3};
  times.distinct = {1, 1, 1, 1, 1};
  EXPECT_FALSE(remembers_pictures(times));
}

TEST(RepeatCheck, EndsWithTheBudget) {
  std::string log;
  Fake slow('s', log, steady);
  const auto times = time_interleaved({&slow}, {.samples = 1, .budget_s = 6, .repeat_checks = 5});
  EXPECT_EQ(log,
            "sss"
            "s"
            "sss1");  // 7 of 6 s are spent
  EXPECT_EQ(times[0].repeated.size(), 1u);
}

TEST(RepeatCheck, OfTwoLapsThereIsNoVerdict) {
  SubjectTimes times;
  times.repeated = {0.1, 0.1};
  times.distinct = {1, 1};
  EXPECT_FALSE(remembers_pictures(times));
}

TEST(RepeatCheck, WithoutLapsThereIsNoVerdict) {
  EXPECT_TRUE(std::isnan(repeat_ratio({})));
  EXPECT_FALSE(remembers_pictures({}));
}

}  // namespace
}  // namespace upbench
