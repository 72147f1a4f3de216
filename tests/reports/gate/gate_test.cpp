#include <cmath>
#include <limits>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "reports/gate/judge.h"
#include "reports/gate/verdict_text.h"
#include "reports/statistics/random.h"
#include "tests/reports/gate/sample_side.h"

namespace upbench {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;

// 500 resamples know the distance of an interval's end from the mean to 6 %; the verdicts here have more
// room.
const GatePolicy kQuick{.resamples = 500};

const GateComparison& find(const GateResult& result, const std::string& cell, const std::string& metric) {
  for (const GateComparison& comparison : result.comparisons)
    if (comparison.cell == cell && comparison.metric == metric) return comparison;
  throw std::logic_error("no such comparison");
}

TEST(Gate, TheSameTwiceIsNoWorseEverywhere) {
  const GateResult result = judge(sample_side(), sample_side(), kQuick);
  EXPECT_EQ(result.comparisons.size(), 6u);
  EXPECT_EQ(result.count(GateVerdict::no_worse), 6u) << verdict_markdown(result);
  EXPECT_EQ(exit_code_of(result), 0);
  EXPECT_TRUE(result.changed.empty());
}

TEST(Gate, ADropOfATenthOfADecibelIsFoundAndTheWorstPictureNamed) {
  Random random(8);
  const GateSide now =
      changed(sample_side(), [&](std::size_t cell, std::size_t picture, GateSide::Trial& trial) {
        if (cell == 1) trial.scores[0].value -= 0.1 + 0.03 * random.normal() + (picture == 7 ? 0.5 : 0);
      });
  const GateResult result = judge(sample_side(), now, kQuick);
  const GateComparison& worse = find(result, "model = b", "psnr-y");
  EXPECT_EQ(worse.verdict, GateVerdict::regressed);
  EXPECT_EQ(worse.worst.at(0).name, "p7");
  EXPECT_EQ(find(result, "model = a", "psnr-y").verdict, GateVerdict::no_worse);
  EXPECT_EQ(exit_code_of(result), 1);
  EXPECT_THAT(verdict_markdown(result), HasSubstr("p7"));
}

TEST(Gate, LessIsBetterWhereTheMetricSaysSo) {
  const GateSide now = changed(
      sample_side(), [](std::size_t, std::size_t, GateSide::Trial& trial) { trial.scores[1].value -= 0.01; });
  EXPECT_EQ(find(judge(sample_side(), now, kQuick), "model = a", "lpips-alex").verdict,
            GateVerdict::improved);
  EXPECT_EQ(find(judge(now, sample_side(), kQuick), "model = a", "lpips-alex").verdict,
            GateVerdict::regressed);
}

TEST(Gate, NoiseLargerThanTheMarginCannotBeTold) {
  Random random(4);
  const GateSide now = changed(sample_side(), [&](std::size_t, std::size_t, GateSide::Trial& trial) {
    trial.scores[0].value += random.normal();
  });
  const GateResult result = judge(sample_side(), now, kQuick);
  EXPECT_EQ(find(result, "model = a", "psnr-y").verdict, GateVerdict::cannot_tell);
  EXPECT_EQ(exit_code_of(result), 3);
  EXPECT_EQ(
      exit_code_of(judge(sample_side(), now, {.require_quality = false, .resamples = kQuick.resamples})), 0);
}

TEST(Gate, ATrialThatFailsNowIsARegression) {
  const GateSide now =
      changed(sample_side(), [](std::size_t cell, std::size_t picture, GateSide::Trial& trial) {
        if (cell == 0 && picture == 2)
          trial = {.finished = true, .status = Status::failed, .reason = "tile 3 is not finite"};
      });
  const GateResult result = judge(sample_side(), now, kQuick);
  EXPECT_EQ(exit_code_of(result), 1);
  EXPECT_THAT(result.failures, Contains(HasSubstr("tile 3 is not finite")));
}

TEST(Gate, WhatIsMissingIsIncompleteAndWhatIsNewIsNot) {
  GateSide now = sample_side();
  now.cells[1].label = "model = c";
  const GateResult result = judge(sample_side(), now, kQuick);
  EXPECT_THAT(result.missing, Contains("cell model = b"));
  EXPECT_THAT(result.added, Contains("cell model = c"));
  EXPECT_EQ(exit_code_of(result), 3);
  GateSide more = sample_side();
  more.cells.push_back({"model = c", {}});
  EXPECT_EQ(exit_code_of(judge(sample_side(), more, kQuick)), 0);
}

TEST(Gate, OtherReferencesAreRefused) {
  GateSide now = sample_side();
  now.pictures[4].reference = std::string(64, '2');
  EXPECT_THROW(judge(sample_side(), now, kQuick), std::invalid_argument);
  now = sample_side();
  for (auto& cell : now.cells) cell.label += '!';
  EXPECT_THROW(judge(sample_side(), now, kQuick), std::invalid_argument);
}

TEST(Gate, AMetricOfAnotherVersionIsNotComparable) {
  GateSide now = sample_side();
  now.metrics[0].version = 2;
  const GateResult result = judge(sample_side(), now, kQuick);
  EXPECT_EQ(find(result, "model = a", "psnr-y").verdict, GateVerdict::not_comparable);
  EXPECT_EQ(exit_code_of(result), 3);
}

TEST(Gate, IdenticalToTheReferenceOnBothSidesIsNoChange) {
  const auto identical = [](std::size_t, std::size_t, GateSide::Trial& trial) {
    trial.scores[0] = {std::numeric_limits<double>::infinity(), ValueFlag::inf};
  };
  const GateResult result =
      judge(changed(sample_side(), identical), changed(sample_side(), identical), kQuick);
  EXPECT_EQ(find(result, "model = a", "psnr-y").verdict, GateVerdict::no_worse);
  const GateResult lost = judge(changed(sample_side(), identical), sample_side(), kQuick);
  EXPECT_EQ(find(lost, "model = a", "psnr-y").verdict, GateVerdict::cannot_tell)
      << "infinite before, finite now";
}

TEST(Gate, ASlowDownOfATenthOnTheSameMachine) {
  const auto slower = [](std::size_t, std::size_t, GateSide::Trial& trial) {
    for (double& seconds : trial.model_seconds) seconds *= 1.15;
  };
  GateSide now = changed(sample_side(), slower);
  EXPECT_EQ(find(judge(sample_side(), now, kQuick), "model = a", "model time").verdict,
            GateVerdict::regressed);
  now.environment["threads"] = 4;
  const GateResult elsewhere = judge(sample_side(), now, kQuick);
  EXPECT_EQ(find(elsewhere, "model = a", "model time").verdict, GateVerdict::not_comparable);
  EXPECT_EQ(exit_code_of(elsewhere), 0) << "time is not required unless the policy says so";
}

TEST(Gate, ChangedWeightsAndVersionsAreNamed) {
  GateSide now = sample_side();
  now.environment["upbench"] = "0.2.0";
  now.cells[0].settings[0]["weights"] = std::string(64, 'c');
  const GateResult result = judge(sample_side(), now, kQuick);
  EXPECT_THAT(result.changed, Contains("upbench: 0.1.0 -> 0.2.0"));
  EXPECT_THAT(result.changed, Contains("upscale.weights: aaaaaaaaaaaa -> cccccccccccc"));
}

TEST(Gate, BaselinesKeepEverythingThatIsCompared) {
  GateSide side = sample_side();
  side.trials[{0, 0, 0}].scores[0] = {std::numeric_limits<double>::infinity(), ValueFlag::inf};
  side.trials[{0, 1, 0}] = {.finished = true, .status = Status::failed, .reason = "says \"no\"\n"};
  side.trials[{0, 1, 0}].scores = {{0, ValueFlag::failed}, {0, ValueFlag::skipped}};
  const std::string text = baseline_text(side);
  const GateSide read = parse_baseline(text, "b.json");
  EXPECT_EQ(baseline_text(read), text);
  EXPECT_EQ(exit_code_of(judge(side, read, kQuick)), 0);
}

TEST(Gate, BaselinesOfAnotherSchemaOrBrokenOnesAreRefused) {
  EXPECT_THROW(parse_baseline("{", "b.json"), std::invalid_argument);
  EXPECT_THROW(parse_baseline("{}", "b.json"), std::invalid_argument);
  std::string text = baseline_text(sample_side());
  text.replace(text.find("baseline-1"), 10, "baseline-9");
  EXPECT_THROW(parse_baseline(text, "b.json"), std::invalid_argument);
  std::string wrong_cell = baseline_text(sample_side());
  wrong_cell.replace(wrong_cell.find("\"cell\":1"), 8, "\"cell\":7");
  EXPECT_THROW(parse_baseline(wrong_cell, "b.json"), std::invalid_argument);
}

TEST(GatePolicy, IsReadStrictly) {
  const GatePolicy policy = parse_policy(
      "metrics: {psnr-y: {tolerance: 0.02, margin: 0.1}}\ntime: {tolerance: 1.2, margin: 1.5, required: "
      "true}\n"
      "quality: {required: false}\nfamily_error: 0.01\n",
      "p.yaml");
  EXPECT_EQ(limits_of(policy, {.name = "psnr-y"}, 30).margin, 0.1);
  EXPECT_EQ(policy.time.tolerance, 1.2);
  EXPECT_TRUE(policy.require_time);
  EXPECT_FALSE(policy.require_quality);
  EXPECT_THAT(policy_refusal("metrics: {psnr-y: {tolerance: 0.1, margin: 0.05}}"), HasSubstr("p.yaml:1:"));
  EXPECT_THAT(policy_refusal("timing: {}"), HasSubstr("unknown key 'timing'"));
  EXPECT_THAT(policy_refusal("time: {tolerance: 0.9, margin: 1}"), HasSubstr("expected a number from 1"));
  EXPECT_THAT(policy_refusal("time: {required: yes}"), HasSubstr("true or false"));
  EXPECT_THAT(policy_refusal("a: [1"), HasSubstr("p.yaml:1:"));
}

TEST(GateText, JunitCountsAndEscapes) {
  GateSide base = sample_side(), now = sample_side();
  base.cells[0].label = now.cells[0].label = "model = <\"a\">";
  for (auto& [key, trial] : now.trials) trial.scores[0].value -= 1;
  const std::string xml = verdict_junit(judge(base, now, kQuick));
  EXPECT_THAT(xml, HasSubstr("tests=\"6\" failures=\"2\" errors=\"0\" skipped=\"0\""));
  EXPECT_THAT(xml, HasSubstr("&lt;&quot;a&quot;&gt;"));
}

// Noise alone, compared again and again: the gate must keep quiet.
TEST(Gate, FalseAlarmsAreRare) {
  int alarms = 0;
  constexpr int kRepeats = 200;
  for (int repeat = 0; repeat < kRepeats; ++repeat) {
    Random random(100, static_cast<std::uint64_t>(repeat));
    const GateSide now = changed(sample_side(), [&](std::size_t, std::size_t, GateSide::Trial& trial) {
      trial.scores[0].value += 0.05 * random.normal();
      trial.scores[1].value += 0.002 * random.normal();
      for (double& seconds : trial.model_seconds) seconds = 1 + 0.03 * random.normal();
    });
    alarms += exit_code_of(judge(sample_side(), now, kQuick)) == 1 ? 1 : 0;
  }
  EXPECT_LE(alarms, kRepeats / 20);
}

TEST(Gate, AnInjectedDropOfFiveHundredthsIsFound) {
  int found = 0;
  constexpr int kRepeats = 100;
  for (int repeat = 0; repeat < kRepeats; ++repeat) {
    Random random(200, static_cast<std::uint64_t>(repeat));
    const GateSide now = changed(sample_side(), [&](std::size_t cell, std::size_t, GateSide::Trial& trial) {
      if (cell == 0) trial.scores[0].value -= 0.05 + 0.05 * random.normal();
    });
    found += find(judge(sample_side(), now, kQuick), "model = a", "psnr-y").verdict == GateVerdict::regressed
                 ? 1
                 : 0;
  }
  RecordProperty("found", found);
  EXPECT_GE(found, 95 * kRepeats / 100);
}

}  // namespace
}  // namespace upbench
