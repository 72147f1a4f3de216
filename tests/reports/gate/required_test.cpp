#include "reports/gate/required.h"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "reports/gate/verdict_text.h"
#include "tests/reports/gate/sample_side.h"

// What a policy requires to be there, and what it allows to be lost.
namespace upbench {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr char kLeftOut[] = "not run: shown to gain less than 0.05 dB psnr-y on model = a";

GatePolicy policy(const std::string& yaml) {
  GatePolicy read = parse_policy(yaml, "p.yaml");
  read.resamples = 500;  // nothing here is near a limit
  return read;
}

// The trials of the second cell ("model = b") on pictures from `first` on.
GateSide lost(Status status, const std::string& reason, std::size_t first = 0) {
  return changed(sample_side(), [&](std::size_t cell, std::size_t picture, GateSide::Trial& trial) {
    if (cell == 1 && picture >= first) trial = {.finished = true, .status = status, .reason = reason};
  });
}

GateSide without_cell_b() {
  GateSide side = sample_side();
  side.cells.pop_back();
  std::erase_if(side.trials, [](const auto& trial) { return std::get<0>(trial.first) == 1; });
  return side;
}

TEST(GateCellPattern, AskForPartsOfALabel) {
  constexpr char kLabel[] = "upscale.model = compact-x2, upscale.tile = 64";
  EXPECT_TRUE(matches_cell(kLabel, kLabel));
  EXPECT_TRUE(matches_cell("upscale.model = compact-x2", kLabel));
  EXPECT_TRUE(matches_cell("upscale.tile=64, upscale.model=compact*", kLabel));
  EXPECT_TRUE(matches_cell("*.model = *-x2", kLabel));
  EXPECT_TRUE(matches_cell("*", "the only cell"));
  EXPECT_FALSE(matches_cell("upscale.model = compact", kLabel)) << "a part is meant whole";
  EXPECT_FALSE(matches_cell("upscale.model = compact-x2, upscale.tile = 32", kLabel)) << "every part";
  EXPECT_FALSE(matches_cell("upscale.tile = 64, seed = 1", kLabel));
  // A matcher that tries every way would not come back.
  EXPECT_FALSE(matches_cell("*a*a*a*a*a*a*a*a*a*a*a*a*b", std::string(2000, 'a')));
}

TEST(GateRequired, AMissingCellIsIncompleteOnlyWhereItIsRequired) {
  const GateSide now = without_cell_b();
  const GateResult required = judge(sample_side(), now, policy("require: {cells: ['model = *']}"));
  EXPECT_THAT(required.missing, ElementsAre("cell model = b"));
  EXPECT_EQ(exit_code_of(required), 3);
  const GateResult other = judge(sample_side(), now, policy("require: {cells: [model = a]}"));
  EXPECT_THAT(other.missing, IsEmpty());
  EXPECT_THAT(other.allowed, ElementsAre("cell model = b is not there, and the policy does not require it"));
  EXPECT_EQ(exit_code_of(other), 0);
  EXPECT_THAT(verdict_markdown(other), HasSubstr("**Missing or lost, and allowed by the policy**"));
}

TEST(GateRequired, ACellThatTheBaseDoesNotHaveCanBeRequired) {
  const GatePolicy both = policy("require: {cells: [model = a, model = b]}");
  EXPECT_EQ(exit_code_of(judge(without_cell_b(), sample_side(), both)), 0);
  const GateResult neither = judge(without_cell_b(), without_cell_b(), both);
  EXPECT_THAT(neither.missing, ElementsAre("cell model = b: required, and there is none"));
  EXPECT_EQ(exit_code_of(neither), 3);
  const GateResult failed = judge(without_cell_b(), lost(Status::failed, "no memory"), both);
  EXPECT_THAT(failed.missing, ElementsAre("cell model = b: 0 of its pictures are ok, required are 1"));
}

TEST(GateRequired, PicturesAreAllOfTheBasesOrANumber) {
  GateSide now = sample_side();
  now.pictures[19].name = "other";
  EXPECT_THAT(judge(sample_side(), now, policy("require: {pictures: all}")).missing,
              ElementsAre("picture p19"));
  const GateResult enough = judge(sample_side(), now, policy("require: {pictures: 19}"));
  EXPECT_EQ(exit_code_of(enough), 0) << verdict_markdown(enough);
  EXPECT_THAT(enough.allowed, ElementsAre(HasSubstr("picture p19 is not there")));
  const GateResult few = judge(sample_side(), now, policy("require: {pictures: 20}"));
  EXPECT_EQ(exit_code_of(few), 3);
  EXPECT_THAT(few.missing,
              ElementsAre("cell model = a: 19 of its pictures are ok on both sides, required are 20",
                          "cell model = b: 19 of its pictures are ok on both sides, required are 20"));
}

TEST(GateAllowed, SkippedTrialsAreARegressionUnlessTheirCellMayBeSkipped) {
  const GateSide now = lost(Status::skipped, "needs 90 GiB", 18);
  const GateResult refused = judge(sample_side(), now, policy("allow: {skipped: [model = a]}"));
  EXPECT_EQ(exit_code_of(refused), 1);
  EXPECT_THAT(refused.failures, ElementsAre("model = b, p18, seed 0: skipped: needs 90 GiB",
                                            "model = b, p19, seed 0: skipped: needs 90 GiB"));
  EXPECT_EQ(exit_code_of(judge(sample_side(), now, policy("allow: {failed: ['*']}"))), 1);
  const GateResult allowed = judge(sample_side(), now, policy("allow: {skipped: [model = b]}"));
  EXPECT_EQ(exit_code_of(allowed), 0) << verdict_markdown(allowed);
  EXPECT_THAT(allowed.allowed,
              ElementsAre("model = b: 2 of 20 trials are not ok any more, skipped: needs 90 GiB"));
  EXPECT_EQ(allowed.comparisons[3].pictures, 18u) << "what is left is compared";
}

TEST(GateAllowed, FailedTrialsAreARegressionUnlessTheirCellMayFail) {
  const GateSide now = lost(Status::failed, "not finite");
  EXPECT_EQ(exit_code_of(judge(sample_side(), now, policy("allow: {skipped: ['*']}"))), 1);
  const GateResult allowed = judge(sample_side(), now, policy("allow: {failed: [model = b]}"));
  EXPECT_EQ(exit_code_of(allowed), 0) << verdict_markdown(allowed);
  EXPECT_EQ(allowed.comparisons.size(), 3u) << "nothing of the second cell is left to compare";
  EXPECT_EQ(exit_code_of(judge(sample_side(), now,
                               policy("allow: {failed: [model = b]}\nrequire: {cells: [model = b]}"))),
            3)
      << "required all the same";
}

TEST(GateAllowed, AllowingOneThingHidesNothingElse) {
  GateSide now = lost(Status::skipped, "needs 90 GiB", 18);
  for (auto& [key, trial] : now.trials)
    if (trial.status == Status::ok && std::get<0>(key) == 1) trial.scores[0].value -= 1;
  now.trials.erase({0, 5, 0});
  const GateResult result = judge(sample_side(), now, policy("allow: {skipped: ['*']}"));
  EXPECT_EQ(result.count(GateVerdict::regressed), 1u) << "of the pictures that are left";
  EXPECT_THAT(result.missing, ElementsAre("trial model = a, p5, seed 0"));
}

TEST(GateAllowed, WhatAnAdaptiveSweepLeftOutIsOneLineThatSaysHowToRunIt) {
  const GateSide now = lost(Status::skipped, kLeftOut, 8);
  const GateResult refused = judge(sample_side(), now, policy("allow: {skipped: ['*']}"));
  EXPECT_EQ(exit_code_of(refused), 1);
  EXPECT_THAT(refused.failures,
              ElementsAre("model = b: 12 trials were left out by an adaptive sweep (shown to gain less than "
                          "0.05 dB psnr-y on model = a): `upbench run` of sample without --adaptive, with "
                          "the same store, runs them; or the policy allows it: `allow: {not_run: true}`"));
  EXPECT_THAT(verdict_line(refused), HasSubstr("12 trials lost"));
  const GateResult allowed = judge(sample_side(), now, policy("allow: {not_run: true}"));
  EXPECT_EQ(exit_code_of(allowed), 0) << verdict_markdown(allowed);
  EXPECT_EQ(allowed.comparisons[3].pictures, 8u);
  EXPECT_EQ(exit_code_of(judge(sample_side(), lost(Status::skipped, "needs 90 GiB"),
                               policy("allow: {not_run: true}"))),
            1)
      << "skipped for another reason";
}

TEST(GatePolicy, RequireAndAllowAreReadStrictly) {
  const GatePolicy read = parse_policy(
      "require:\n  cells: [upscale.model = lanczos, 'upscale.tile = *']\n  pictures: 12\n"
      "allow: {skipped: [a = 1], failed: [a = 2], not_run: true}\n"
      "memory: {tolerance: 1.2, margin: 1.3, required: true}\n",
      "p.yaml");
  EXPECT_THAT(read.required_cells, ElementsAre("upscale.model = lanczos", "upscale.tile = *"));
  EXPECT_EQ(read.required_pictures, 12u);
  EXPECT_THAT(read.may_skip, ElementsAre("a = 1"));
  EXPECT_THAT(read.may_fail, ElementsAre("a = 2"));
  EXPECT_TRUE(read.may_not_run);
  EXPECT_EQ(read.memory.tolerance, 1.2);
  EXPECT_TRUE(read.require_memory);
  EXPECT_EQ(read.time.tolerance, 1.05) << "memory's limits are its own";
  EXPECT_THAT(parse_policy("require: {cells: all, pictures: all}", "p.yaml").required_cells, IsEmpty());
  EXPECT_THAT(policy_refusal("require: {cell: all}"), HasSubstr("p.yaml:1:11: "));
  EXPECT_THAT(policy_refusal("require: {cell: all}"), HasSubstr("unknown key"));
  EXPECT_THAT(policy_refusal("require:\n  cells: model"), HasSubstr("p.yaml:2:10: require.cells is"));
  EXPECT_THAT(policy_refusal("require: {cells: []}"),
              HasSubstr("expected all, or a list of at least one cell"));
  EXPECT_THAT(policy_refusal("require: {cells: [{a: 1}]}"), HasSubstr("p.yaml:1:19: require.cells is a map"));
  EXPECT_THAT(policy_refusal("require: {pictures: 0}"),
              HasSubstr("p.yaml:1:21: require.pictures (all, or a number)"));
  EXPECT_THAT(policy_refusal("require: {pictures: most}"), HasSubstr("p.yaml:1:21: "));
  EXPECT_THAT(policy_refusal("allow: {skipped: '*'}"), HasSubstr("p.yaml:1:18: allow.skipped is"));
  EXPECT_THAT(policy_refusal("allow: {adaptive: true}"), HasSubstr("p.yaml:1:9: "));
  EXPECT_THAT(policy_refusal("allow: {not_run: [a]}"), HasSubstr("p.yaml:1:18: allow.not_run is a list"));
  EXPECT_THAT(policy_refusal("memory: {tolerance: 0.9, margin: 1}"),
              HasSubstr("p.yaml:1:21: memory.tolerance"));
}

}  // namespace
}  // namespace upbench
