#include "reports/gate/artifacts.h"

#include <cmath>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "reports/gate/calibrate.h"
#include "reports/gate/causes.h"
#include "reports/gate/verdict_text.h"
#include "reports/statistics/random.h"
#include "tests/reports/gate/sample_side.h"

namespace upbench {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

// Both cells: the first `pictures` of the twenty have a seam.
GateSide with_seams(std::size_t pictures) {
  return changed(with_detector(sample_side(), "seam"),
                 [=](std::size_t, std::size_t picture, GateSide::Trial& trial) {
                   trial.decisions[0] = picture < pictures;
                 });
}

const GateComparison* find(const GateResult& result, const std::string& cell = "model = a") {
  for (const GateComparison& comparison : result.comparisons)
    if (comparison.about == GateComparison::About::artifact && comparison.cell == cell) return &comparison;
  return nullptr;
}

TEST(GateArtifacts, TwiceAsManySeamsFailTheGateWithTheirPictures) {
  const GateSide base = with_seams(10), now = with_seams(20);
  const GateResult result = judge(base, now);
  const GateComparison* seam = find(result);
  ASSERT_NE(seam, nullptr);
  EXPECT_EQ(seam->verdict, GateVerdict::regressed);
  EXPECT_EQ(seam->counts->only_after, 10u);
  EXPECT_DOUBLE_EQ(seam->p, std::exp2(-10));
  EXPECT_EQ(exit_code_of(result), 1);
  EXPECT_EQ(seam->worst.size(), 5u);
  EXPECT_THAT(
      verdict_markdown(result),
      HasSubstr(
          "model = a: artifact seam: 10 -&gt; 20 of 20 pictures, +50 % \\[+29 %, +67 %\\] (tolerance 0): "
          "10 appeared, 0 cleared; worst: p10, p11, p12, p13, p14"));
  const auto parsed = nlohmann::json::parse(verdict_json(result));
  EXPECT_THAT(parsed.dump(), HasSubstr(R"("counts":{"appeared":10,"cleared":0})"));
}

TEST(GateArtifacts, FewerSeamsAreAnImprovement) {
  EXPECT_EQ(find(judge(with_seams(14), with_seams(2)))->verdict, GateVerdict::improved);
}

TEST(GateArtifacts, AFewMoreMayBeChanceAndItIsSaidWhatWouldBeFound) {
  const GateResult result = judge(with_seams(2), with_seams(5));
  const GateComparison* seam = find(result);
  EXPECT_EQ(seam->verdict, GateVerdict::cannot_tell);
  EXPECT_TRUE(std::isnan(seam->p)) << "three changed pictures: 1/8 at best";
  EXPECT_THAT(seam->reason, HasSubstr("20 pictures find a rise to 51 % or more"));
  EXPECT_EQ(exit_code_of(result), 0) << "not required without a policy";
  GatePolicy policy;
  policy.require_artifacts = true;
  EXPECT_EQ(exit_code_of(judge(with_seams(2), with_seams(5), policy)), 3);
}

TEST(GateArtifacts, ManyPicturesWithoutAnyAreNoWorse) {
  GateSide base = with_seams(0);
  for (std::size_t p = 20; p < 120; ++p) {
    base.pictures.push_back({"p" + std::to_string(p), std::string(64, '1')});
    for (std::size_t c = 0; c < 2; ++c) base.trials[{c, p, 0}] = base.trials.at({c, 0, 0});
  }
  EXPECT_EQ(find(judge(base, base))->verdict, GateVerdict::no_worse);
  EXPECT_EQ(find(judge(with_seams(0), with_seams(0)))->verdict, GateVerdict::cannot_tell)
      << "0 of 20 twice: a rise by 5 % cannot be ruled out";
}

TEST(GateArtifacts, WhatCannotBeFoundHoldsNoOtherComparisonBack) {
  GateSide base = with_seams(1);
  for (int i = 0; i < 30; ++i) base = with_detector(std::move(base), "d" + std::to_string(i));
  const auto worse = [](std::size_t cell, std::size_t, GateSide::Trial& trial) {
    if (cell == 0) trial.scores[0].value -= 0.2;
  };
  const auto p_of = [&](const GateSide& side) {
    for (const GateComparison& comparison : judge(side, changed(side, worse)).comparisons)
      if (comparison.metric == "psnr-y") return comparison.adjusted_p;
    return 0.0;
  };
  EXPECT_EQ(p_of(base), p_of(sample_side()));
}

TEST(GateArtifacts, OnlyCalibratedDetectorsDecide) {
  GateSide base = with_seams(0), now = with_seams(20);
  base.detectors[0].calibrated = now.detectors[0].calibrated = false;
  EXPECT_EQ(find(judge(base, now)), nullptr);
}

TEST(GateArtifacts, AnotherVersionOrALostDecisionIsSaid) {
  GateSide now = with_seams(0);
  now.detectors[0].version = 2;
  EXPECT_EQ(find(judge(with_seams(0), now))->verdict, GateVerdict::not_comparable);
  now = with_seams(0);
  now.detectors[0].calibration = "c2";
  EXPECT_THAT(find(judge(with_seams(0), now))->reason, HasSubstr("those of c1 in the base and of c2 now"));
  now = with_seams(0);
  now.trials.at({0, 3, 0}).decisions[0].reset();
  EXPECT_THAT(find(judge(with_seams(0), now))->reason, HasSubstr("no decision any more, p3 first"));
  now.detectors[0].calibrated = false;
  EXPECT_THAT(find(judge(with_seams(0), now))->reason, HasSubstr("is not calibrated now"));
}

TEST(GateArtifacts, ADetectorThatIsGoneIsMissingWhereArtifactsAreRequired) {
  GatePolicy policy;
  policy.require_artifacts = true;
  EXPECT_THAT(judge(with_seams(0), sample_side(), policy).missing, ElementsAre("detector seam"));
  EXPECT_TRUE(judge(with_seams(0), sample_side()).missing.empty());
}

TEST(GateArtifacts, APictureHasItWhereAnyOfItsSeedsDoes) {
  GateSide base = with_seams(0);
  for (std::size_t p = 0; p < 20; ++p) base.trials[{0, p, 7}] = base.trials.at({0, p, 0});
  GateSide now = base;
  for (std::size_t p = 0; p < 12; ++p) now.trials.at({0, p, p % 2 == 0 ? 0 : 7}).decisions[0] = true;
  EXPECT_EQ(find(judge(base, now))->counts->only_after, 12u);
}

TEST(GateArtifacts, TheCauseIsLookedForAsOfAnyRegression) {
  const GateSide base = with_seams(0);
  GateSide now = with_seams(20);
  now.cells[0].settings[0]["context"] = 4;
  GateSide before = base;
  before.cells[0].settings[0]["context"] = 16;
  GateResult result = judge(before, now);
  name_causes(before, now, result);
  EXPECT_THAT(verdict_markdown(result), HasSubstr("smaller tile context"));
}

TEST(GateArtifacts, ThePolicyHasLimitsForAllAndForOne) {
  const GatePolicy policy = parse_policy(
      "artifacts: {tolerance: 0.1, margin: 0.2, required: true, detectors: {seam: {tolerance: 0.6, margin: "
      "0.7}}}",
      "p.yaml");
  EXPECT_TRUE(policy.require_artifacts);
  EXPECT_EQ(artifact_limits(policy, "halo").tolerance, 0.1);
  EXPECT_EQ(find(judge(with_seams(10), with_seams(20), policy))->verdict, GateVerdict::no_worse);
  EXPECT_THAT(policy_refusal("artifacts: {tolerance: 2, margin: 3}"),
              HasSubstr("p.yaml:1:24: artifacts.tolerance is '2', expected a number from 0 to 1"));
  EXPECT_THAT(policy_refusal("artifacts: {seam: 1}"), HasSubstr("unknown key of artifacts 'seam'"));
}

TEST(GateArtifacts, BaselinesKeepDecisions) {
  GateSide side = with_seams(3);
  side.trials.at({1, 4, 0}).decisions[0].reset();
  const GateSide read = parse_baseline(baseline_text(side), "b.json");
  ASSERT_EQ(read.detectors.size(), 1u);
  EXPECT_TRUE(read.detectors[0].calibrated);
  for (const auto& [key, trial] : side.trials) EXPECT_EQ(read.trials.at(key).decisions, trial.decisions);
}

// What calibration says of a rate is what the exact test's power gives.
TEST(GateArtifacts, CalibrationSaysTheLeastRiseFound) {
  const GateSide side = with_seams(5);
  const GateCalibration calibration =
      calibrate({side}, {}, {.comparisons = 20, .simulations = 200, .resamples = 50});
  EXPECT_EQ(calibration.false_alarms, 0);
  for (const GateCalibration::Row& row : calibration.rows) {
    if (row.metric != "artifact seam") continue;
    EXPECT_DOUBLE_EQ(row.rate, 0.25);
    EXPECT_EQ(row.noise, 0);
    // Six comparisons of metrics and times, and this one; 200 simulations know 95 % to 1.5 %, of which the
    // bisection takes the first that is enough.
    EXPECT_NEAR(0.25 + row.smallest, rate_found(20, 0.25, 0.05 / 7, 0.95), 0.05);
  }
  EXPECT_THAT(calibration_markdown(calibration),
              HasSubstr("| artifact seam | 20 | 0.0 % | 0 | 25.0 % -&gt; "));
}

}  // namespace
}  // namespace upbench
