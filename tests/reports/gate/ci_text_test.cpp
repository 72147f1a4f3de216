#include "reports/gate/ci_text.h"

#include <algorithm>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/reports/gate/sample_side.h"

namespace upbench {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

GateResult regressed() {
  GateSide base = sample_side();
  base.cells[0].label = "model = a, 50%: x\n::error::forged";
  GateSide now = changed(base, [](std::size_t cell, std::size_t, GateSide::Trial& trial) {
    if (cell == 0) trial.scores[0].value -= 1;
  });
  return judge(base, now, {.resamples = 500});
}

TEST(GateCi, AnnotationsAreOneLineEachAndCannotBeForged) {
  const std::string text = github_annotations(regressed());
  EXPECT_THAT(text, StartsWith("::error title=upbench%3A psnr-y regressed::model = a, 50%25: x"));
  EXPECT_THAT(text, Not(HasSubstr("\n::error::forged")));
  EXPECT_EQ(std::ranges::count(text, '\n'), 1);
  EXPECT_EQ(github_annotations(judge(sample_side(), sample_side(), {.resamples = 500})), "");
}

TEST(GateCi, WhatCannotBeToldIsAWarning) {
  GateSide now = sample_side();
  now.metrics[0].version = 2;
  EXPECT_THAT(github_annotations(judge(sample_side(), now, {.resamples = 500})),
              HasSubstr("::warning title=upbench%3A psnr-y not comparable::model = a"));
}

TEST(GateCi, TheTenthAnnotationSaysHowManyMoreThereAre) {
  GateResult result;
  for (int i = 0; i < 14; ++i) result.failures.push_back("trial " + std::to_string(i) + ": failed: why");
  const std::string text = github_annotations(result);
  EXPECT_EQ(std::ranges::count(text, '\n'), 10);
  EXPECT_THAT(text, HasSubstr("trial 9: failed: why; and 4 more\n"));
}

TEST(GateCi, CodeQualityHasWhatGitLabAsksForAndStableFingerprints) {
  const auto first = nlohmann::json::parse(code_quality_json(regressed(), "ci/baseline.json"));
  ASSERT_EQ(first.size(), 1u);
  EXPECT_EQ(first[0]["severity"], "major");
  EXPECT_EQ(first[0]["location"]["path"], "ci/baseline.json");
  EXPECT_EQ(first[0]["location"]["lines"]["begin"], 1);
  EXPECT_THAT(first[0]["description"].get<std::string>(), StartsWith("psnr-y regressed: "));
  EXPECT_EQ(first[0]["fingerprint"],
            nlohmann::json::parse(code_quality_json(regressed(), "other.json"))[0]["fingerprint"]);
  EXPECT_EQ(code_quality_json(judge(sample_side(), sample_side(), {.resamples = 500}), "b"), "[]\n");
}

TEST(GateCi, TheBadgeSaysTheVerdictAndLoadsNothing) {
  EXPECT_THAT(verdict_badge(regressed()), HasSubstr(">regression</text>"));
  const std::string fine = verdict_badge(judge(sample_side(), sample_side(), {.resamples = 500}));
  EXPECT_THAT(fine, HasSubstr(">no regression</text>"));
  EXPECT_THAT(fine, Not(HasSubstr("href")));
  GateSide now = sample_side();
  now.metrics[0].version = 2;
  EXPECT_THAT(verdict_badge(judge(sample_side(), now, {.resamples = 500})), HasSubstr(">cannot tell</text>"));
}

}  // namespace
}  // namespace upbench
