#include "reports/load_run.h"

#include <filesystem>
#include <stdexcept>
#include <string>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "reports/analysis.h"
#include "reports/report.h"
#include "reports/summary.h"
#include "tests/reports/sample_run.h"
#include "tests/support/assets.h"

namespace upbench {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::HasSubstr;

// The sample's plan with its trials, and one record: net.pth, none on picture a.
class LoadRun : public testing::Test {
 protected:
  void SetUp() override {
    RunPlan plan = test::unfinished_run().plan;
    for (std::uint32_t cell = 0; cell < 4; ++cell)
      for (std::uint32_t image = 0; image < 3; ++image) {
        const std::string name = std::to_string(3 * cell + image);
        plan.trials.push_back({.key = sha256("trial " + name),
                               .output = sha256("output " + name),
                               .cell = cell,
                               .image = image,
                               .position = 11 - (3 * cell + image)});
      }
    plan.run.environment = plan.environment.key = sha256(plan.environment.json);
    Store store(file_);
    store.begin_run(plan);
    for (const Claim& claim : store.claim(plan.run.key, "worker", 12)) {
      if (claim.trial != sha256("trial 6")) continue;
      Record record{.trial = claim.trial,
                    .output = claim.output,
                    .token = claim.token,
                    .width = 128,
                    .height = 96,
                    .peak_bytes = 1024};
      record.scores = {
          {.key = sha256("score"), .output = claim.output, .metric = "psnr-y", .value = 31.25},
          {.key = sha256("score 2"), .output = claim.output, .metric = "ssim-y", .flag = ValueFlag::inf}};
      record.timings = {{"trial", Clock::model, 0, 0.5}, {"trial", Clock::sweep, 0, 0.75}};
      store.append(record);
    }
    store.flush();
  }

  test::TemporaryFolder folder_;  // one a test: tests run side by side
  const std::filesystem::path file_ = folder_ / "run.db";
};

TEST_F(LoadRun, ReadsWhatAStoreHolds) {
  const std::string csv = report_csv(load_runs({file_}));
  EXPECT_THAT(csv, HasSubstr("\r\nlanczos,none,a,0,,,,pending,,,,,,\r\n"));
  EXPECT_THAT(csv, HasSubstr("\r\nnet.pth,none,a,0,31.25,inf,,ok,"));
  EXPECT_THAT(csv, HasSubstr(",0.5,0.75,1024\r\n"));
}

TEST_F(LoadRun, TakesTheBeginningOfAKey) {
  const std::string key = sha256("run").hex();
  EXPECT_EQ(load_runs({file_}, key.substr(0, 8)).trials.size(), 12U);
  EXPECT_THROW(load_runs({file_}, "no such run"), std::invalid_argument);
}

TEST(Combine, PartsOfOneRunFillEachOther) {
  std::vector<RunData> parts = {test::unfinished_run(), test::sample_run()};
  EXPECT_EQ(report_csv(combine(std::move(parts))), report_csv(test::sample_run()));
}

TEST(Combine, PartsOfOneRunMustHaveTheSameTrials) {
  RunData shorter = test::unfinished_run();
  shorter.trials.pop_back();
  std::vector<RunData> parts = {test::sample_run(), std::move(shorter)};
  EXPECT_THROW(combine(std::move(parts)), std::runtime_error);
}

TEST(Combine, DifferentRunsBecomeAnAxis) {
  std::vector<RunData> parts = {test::sample_run(), test::sample_run()};
  parts[1].plan.run.key = sha256("other");
  parts[1].plan.run.name = "other";
  parts[1].plan.environment.key = sha256("other machine");
  const RunData data = combine(std::move(parts));
  EXPECT_EQ(data.plan.cells.size(), 8U);
  EXPECT_EQ(data.plan.images.size(), 3U);
  EXPECT_EQ(data.plan.metrics.size(), 3U);
  EXPECT_EQ(data.trials[15].same_as, 12U);
  EXPECT_EQ(analyse(data).cells[4].name, "other · model lanczos · tile none");
  EXPECT_EQ(analyse(data).cells[4].metrics[0].mean, 32);
  EXPECT_THAT(data.warnings, Contains(HasSubstr("times are not comparable")));
}

// A spec written by hand may hold anything: such a run quotes nothing.
TEST(Combine, WhatARunQuotesStaysBesideItsOwnCells) {
  std::vector<RunData> parts = {test::sample_run(), test::sample_run(), test::sample_run()};
  for (std::size_t p = 1; p < parts.size(); ++p) {
    parts[p].plan.run.name = fmt::format("part {}", p);
    parts[p].plan.run.key = sha256(parts[p].plan.run.name);
  }
  parts[1].plan.run.canonical_spec =
      R"({"published": [{"where": [["upscale.model", "lanczos"]], "scores": [["psnr-y", 30.5]], "source": "a paper"}]})";
  parts[2].plan.run.canonical_spec = R"({"published": [3, {"where": 4}]})";
  const Table table = published_table(analyse(combine(std::move(parts))));
  ASSERT_FALSE(table.rows.empty());
  for (const Table::Row& row : table.rows) {
    EXPECT_THAT(row.cells[0].text, AllOf(HasSubstr("part 1"), HasSubstr("lanczos")));
    EXPECT_EQ(row.cells[2].value, 30.5);
  }
}

TEST(Combine, AMetricOfAnotherVersionIsAnotherColumn) {
  std::vector<RunData> parts = {test::sample_run(), test::sample_run()};
  parts[1].plan.run.key = sha256("other");
  parts[1].plan.metrics[0].version = 2;
  parts[1].plan.run.canonical_spec =
      R"({"published": [{"where": [["upscale.model", "lanczos"]], "scores": [["psnr-y", 30.5]], "source": "a paper"}]})";
  const RunData data = combine(std::move(parts));
  ASSERT_EQ(data.plan.metrics.size(), 4U);
  EXPECT_EQ(data.plan.metrics[3].name, "psnr-y@v2@border4");
  EXPECT_EQ(data.score(0, 3).flag, ValueFlag::skipped);
  EXPECT_EQ(data.score(12, 3).value, 30);
  const Table published = published_table(analyse(data));  // beside that column's values, not the first run's
  ASSERT_FALSE(published.rows.empty());
  for (const Table::Row& row : published.rows) {
    EXPECT_EQ(row.cells[1].text, "psnr-y@v2@border4");
    EXPECT_TRUE(row.cells[3].value.has_value()) << row.cells[0].text;
  }
}

TEST(Combine, NothingIsRefused) {
  EXPECT_THROW(combine({}), std::invalid_argument);
}

TEST(RunData, RefusesATrialOutsideThePlan) {
  RunData data;
  EXPECT_THROW(data.add({.cell = 1}), std::invalid_argument);
}

}  // namespace
}  // namespace upbench
