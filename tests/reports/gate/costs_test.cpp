#include "reports/gate/costs.h"

#include <cmath>
#include <cstdint>
#include <limits>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "reports/gate/causes.h"
#include "reports/gate/verdict_text.h"
#include "tests/reports/gate/sample_side.h"

namespace upbench {
namespace {

using ::testing::HasSubstr;

constexpr std::uint64_t kMebibyte = 1 << 20;

// 10 MiB, 20 on the picture p7; of the second cell times `more`.
GateSide with_memory(double more) {
  return changed(sample_side(), [&](std::size_t cell, std::size_t picture, GateSide::Trial& trial) {
    const auto bytes = static_cast<double>((picture == 7 ? 20 : 10) * kMebibyte);
    trial.peak_bytes = static_cast<std::uint64_t>(std::lround(cell == 1 ? bytes * more : bytes));
  });
}

GateResult judged(const GateSide& base, const GateSide& now, GatePolicy policy = {}) {
  policy.resamples = 500;  // nothing here is near a limit
  GateResult result = judge(base, now, policy);
  name_causes(base, now, result);
  return result;
}

const GateComparison* memory_of(const GateResult& result, const std::string& cell) {
  for (const GateComparison& comparison : result.comparisons)
    if (comparison.cell == cell && comparison.metric == "peak memory") return &comparison;
  return nullptr;
}

TEST(GateMemory, TheMostOfAnyPictureIsComparedAsARatio) {
  const GateResult result = judged(with_memory(1), with_memory(1.2));
  const GateComparison& worse = *memory_of(result, "model = b");
  EXPECT_EQ(worse.verdict, GateVerdict::regressed);
  EXPECT_NEAR(worse.worsening, 1.2, 1e-6);  // whole bytes
  EXPECT_EQ(worse.interval.low, worse.worsening);
  EXPECT_EQ(described(worse),
            "1.200 times the memory (tolerance 1.05), 20.0 MiB -> 24.0 MiB, the most of 20 pictures");
  EXPECT_EQ(memory_of(result, "model = a")->verdict, GateVerdict::no_worse);
  EXPECT_EQ(exit_code_of(result), 1);
  ASSERT_FALSE(result.causes.empty());
  EXPECT_EQ(result.causes[0].text,
            "more memory: 1.20 times as much in 1 of 2 measured cells: not in the others, so what only these "
            "cells use");
}

TEST(GateMemory, OnlyTheRatioOfTheMostDecides) {
  EXPECT_EQ(memory_of(judged(with_memory(1), with_memory(1.04)), "model = b")->verdict,
            GateVerdict::no_worse);
  EXPECT_EQ(memory_of(judged(with_memory(1), with_memory(1.06)), "model = b")->verdict,
            GateVerdict::regressed)
      << "exact numbers: between tolerance and margin nothing is open";
  EXPECT_EQ(memory_of(judged(with_memory(1.2), with_memory(1)), "model = b")->verdict, GateVerdict::improved);
  GateSide smaller = with_memory(1);
  for (auto& [key, trial] : smaller.trials)
    if (std::get<1>(key) != 7) trial.peak_bytes = 15 * kMebibyte;
  EXPECT_EQ(memory_of(judged(with_memory(1), smaller), "model = b")->verdict, GateVerdict::no_worse)
      << "the most is as it was";
  GatePolicy none;
  none.memory = {1, 1};
  EXPECT_EQ(memory_of(judged(with_memory(1), with_memory(1), none), "model = b")->verdict,
            GateVerdict::no_worse);
}

TEST(GateMemory, MakesNoOtherComparisonHarderToTell) {
  const auto slower = [](GateSide side) {
    return changed(std::move(side), [](std::size_t, std::size_t, GateSide::Trial& trial) {
      for (double& seconds : trial.model_seconds) seconds *= 1.15;
    });
  };
  const GateResult without = judged(sample_side(), slower(sample_side()));
  const GateResult with = judged(with_memory(1), slower(with_memory(1)));
  ASSERT_EQ(with.comparisons.size(), without.comparisons.size() + 2);
  EXPECT_EQ(with.comparisons[2].adjusted_p, without.comparisons[2].adjusted_p);
  EXPECT_TRUE(std::isnan(with.comparisons[3].adjusted_p));
}

TEST(GateMemory, IsNotComparableBetweenMachines) {
  GateSide now = with_memory(3);
  now.environment["device"]["name"] = "cuda";
  const GateResult result = judged(with_memory(1), now);
  EXPECT_EQ(memory_of(result, "model = b")->verdict, GateVerdict::not_comparable);
  EXPECT_EQ(exit_code_of(result), 0) << "not required";
  GatePolicy required;
  required.require_memory = true;
  EXPECT_EQ(exit_code_of(judged(with_memory(1), now, required)), 3);
}

TEST(GateMemory, WhatIsNotKnownIsLeftOutUnlessItIsRequired) {
  const GateResult result = judged(with_memory(1), sample_side());
  EXPECT_EQ(memory_of(result, "model = a"), nullptr);
  GatePolicy required;
  required.require_memory = true;
  const GateResult lacking = judged(with_memory(1), sample_side(), required);
  EXPECT_EQ(exit_code_of(lacking), 3);
  EXPECT_THAT(described(*memory_of(lacking, "model = a")), HasSubstr("upbench run --time"));
}

TEST(GateTime, RequiredAndNotMeasuredIsIncomplete) {
  const GateSide now = changed(
      sample_side(), [](std::size_t, std::size_t, GateSide::Trial& trial) { trial.model_seconds.clear(); });
  EXPECT_EQ(exit_code_of(judged(sample_side(), now)), 0);
  GatePolicy required;
  required.require_time = true;
  const GateResult lacking = judged(sample_side(), now, required);
  EXPECT_EQ(exit_code_of(lacking), 3);
  EXPECT_THAT(verdict_markdown(lacking), HasSubstr("a side has no model times of it"));
}

TEST(GateMemory, BaselinesKeepItUnlessTheyArePortable) {
  GateSide side = with_memory(1.5);
  EXPECT_EQ(baseline_text(parse_baseline(baseline_text(side), "b.json")), baseline_text(side));
  EXPECT_THAT(baseline_text(side), HasSubstr("\"peak_bytes\":31457280"));
  std::string negative = baseline_text(side);
  negative.replace(negative.find("31457280"), 8, "-1");
  EXPECT_THROW(parse_baseline(negative, "b.json"), std::invalid_argument);
  leave_out_machine(side);
  EXPECT_EQ(baseline_text(side).find("peak_bytes"), std::string::npos);
}

}  // namespace
}  // namespace upbench
