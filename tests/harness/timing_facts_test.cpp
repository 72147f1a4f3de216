#include "harness/timing/facts.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace upbench {
namespace {

SubjectTimes nine_laps() {
  SubjectTimes times{.warm_up = {3, 2, 2, 2}, .steady = true};
  for (int i = 1; i <= 9; ++i)
    times.samples.push_back(
        {.seconds = i * 0.1, .stages = {{"upscale", i * 0.08}, {"resize", i * 0.02}}, .joules = 10});
  return times;
}

TEST(TimingFacts, EverySampleOfEveryStageIsARow) {
  const auto rows = timing_rows(nine_laps());
  ASSERT_EQ(rows.size(), 27u);
  EXPECT_EQ(rows[3].stage, "upscale");
  EXPECT_EQ(rows[3].sample, 1);
  EXPECT_EQ(rows[5].stage, "trial");
  EXPECT_EQ(rows[5].seconds, 0.2);
  for (const TimingRow& row : rows) EXPECT_EQ(row.clock, Clock::model);
}

TEST(TimingFacts, RatesFollowFromTheMedian) {
  // Median 0.5 s: 1 MP in it are 2 MP/s; 5 GMAC are 10 GFLOP, so 20 GFLOP/s of 80.
  const auto facts = timing_facts(nine_laps(), {.samples = 9},
                                  {.macs = 5e9,
                                   .output_pixels = 1e6,
                                   .peak_flops = 8e10,
                                   .energy_source = "x",
                                   .peak_bytes = 77,
                                   .output_check = "same pixels"});
  EXPECT_EQ(facts["samples"], 9);
  EXPECT_EQ(facts["median_s"], 0.5);
  EXPECT_DOUBLE_EQ(facts["megapixels_per_s"], 2);
  EXPECT_DOUBLE_EQ(facts["peak_share"], 0.25);
  EXPECT_DOUBLE_EQ(facts["joules"], 10);
  EXPECT_EQ(facts["peak_bytes"], 77);
  EXPECT_THAT(facts["flags"], ::testing::IsEmpty());
}

TEST(TimingFacts, WhatIsNotKnownIsAbsent) {
  SubjectTimes short_laps{.steady = true};
  for (int i = 0; i < 9; ++i) short_laps.samples.push_back({.seconds = 0.01, .stages = {}, .joules = 5});
  const auto facts = timing_facts(short_laps, {.samples = 9}, {.energy_source = "counter"});
  for (const char* name :
       {"macs", "peak_share", "peak_bytes", "repeat", "joules"})  // 0.09 s: too short to count
    EXPECT_FALSE(facts.contains(name)) << name;
}

TEST(TimingFacts, DiscardedLapsAreCountedWithTheirReasons) {
  SubjectTimes times = nine_laps();
  times.discarded = {{.seconds = 2, .slowed_by = {"power limit"}},
                     {.seconds = 3, .slowed_by = {"heat", "power limit"}}};
  const auto facts = timing_facts(times, {.samples = 10}, {});
  EXPECT_EQ(facts["samples"], 9);
  EXPECT_EQ(facts["median_s"], 0.5);
  EXPECT_EQ(facts["discarded"].dump(), R"({"reasons":["heat","power limit"],"seconds":[2.0,3.0]})");
  EXPECT_EQ(
      facts["flags"].dump(),
      R"(["laps discarded: 2; the clock was held down by: heat, power limit","9 of 10 samples are left"])");
}

TEST(TimingFacts, SamplesOfASlowedDeviceSaySo) {
  SubjectTimes times = nine_laps();
  times.slowed = true;
  for (Lap& lap : times.samples) lap.slowed_by = {"power limit"};
  const auto facts = timing_facts(times, {.samples = 9}, {});
  EXPECT_FALSE(facts.contains("discarded"));
  EXPECT_EQ(facts["flags"].dump(), R"(["the clock was held down during every sample by: power limit"])");
}

TEST(TimingFacts, DoubtsAreFlagged) {
  SubjectTimes times = nine_laps();
  times.steady = false;
  times.repeated = {0.1, 0.1, 0.1, 0.1, 0.1};
  times.distinct = {0.5, 0.5, 0.5, 0.5, 0.5};
  const auto facts = timing_facts(times, {.samples = 12}, {});
  EXPECT_EQ(facts["repeat"]["ratio"], 0.2);
  ASSERT_EQ(facts["flags"].size(), 3u);
  EXPECT_EQ(facts["flags"][0],
            "repeating one picture takes 0.20 of the time of distinct ones: something remembers pictures");
  EXPECT_EQ(facts["flags"][2], "9 of 12 samples fitted into the time");
}

}  // namespace
}  // namespace upbench
