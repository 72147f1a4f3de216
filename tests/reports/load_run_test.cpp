#include "reports/load_run.h"

#include <stdexcept>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "reports/analysis.h"
#include "reports/report.h"
#include "tests/reports/sample_run.h"

namespace upbench {
namespace {

using testing::Contains;
using testing::HasSubstr;

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

TEST(Combine, AMetricOfAnotherVersionIsAnotherColumn) {
  std::vector<RunData> parts = {test::sample_run(), test::sample_run()};
  parts[1].plan.run.key = sha256("other");
  parts[1].plan.metrics[0].version = 2;
  const RunData data = combine(std::move(parts));
  ASSERT_EQ(data.plan.metrics.size(), 4U);
  EXPECT_EQ(data.plan.metrics[3].name, "psnr-y@v2@border4");
  EXPECT_EQ(data.score(0, 3).flag, ValueFlag::skipped);
  EXPECT_EQ(data.score(12, 3).value, 30);
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
