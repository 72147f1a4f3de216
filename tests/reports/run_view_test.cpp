#include "reports/run_view.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "reports/render/text.h"
#include "tests/reports/sample_run.h"

namespace upbench {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

RunData worked() {
  RunData data = test::sample_run();
  data.plan.environment.json = R"json({"upbench": "0.3.0 (0123456789ab, modified)"})json";
  data.plan.run.command = R"(["upbench", "run", "my sweep.yaml", "--set", "it's=1"])";
  // 12 trials, one repeats another, one failed: each cell has its share of outputs that passed `upscale`.
  data.stage_work = {{{0, "upscale"}, {.seconds = 0.5, .count = 3}},
                     {{2, "upscale"}, {.seconds = 1.5, .count = 1}}};
  data.metric_work = {{"psnr-y", {.seconds = 2, .count = 10}}};
  data.used = {
      R"({"stages": [{"id": "upscale", "architecture": "interpolator", "tensor_hash": "0000"}]})", "",
      R"({"stages": [{"id": "upscale", "architecture": "RRDBNet", "precision": "fp32", "tensor_hash": "ab12", "licence": "MIT", "peak_bytes": 2097152}]})"};
  return data;
}

TEST(RunView, CommandsAreThoseOfAShell) {
  const RunData data = worked();
  const std::string text = render_text(reproduce_table(analyse(data)));
  EXPECT_THAT(text, HasSubstr("git checkout 0123456789ab && scripts/build.sh"));
  EXPECT_THAT(text, HasSubstr(R"(upbench run 'my sweep.yaml' --set 'it'\''s=1')"));
  EXPECT_THAT(text, HasSubstr("upbench report sample.db --html report.html"));
  EXPECT_THAT(text, HasSubstr("upbench compare sample.db NEW.db"));
  EXPECT_THAT(reproduce_table(analyse(data)).caption, HasSubstr(data.plan.run.key.short_hex()));
}

TEST(RunView, WhatWasSavedIsCounted) {
  const RunData data = worked();
  const Table table = plan_table(analyse(data));
  std::map<std::string, double> counts;
  for (const Table::Row& row : table.rows) counts[row.cells[0].text] = *row.cells[1].value;
  EXPECT_EQ(counts["cells (settings)"], 4);
  EXPECT_EQ(counts["pictures"], 3);
  EXPECT_EQ(counts["trials"], 12);
  EXPECT_EQ(counts["trials that repeat another (same pixels by their settings)"], 1);
  EXPECT_EQ(counts["outputs computed and scored"], 10);
  EXPECT_EQ(counts["stages that these outputs passed through"], 10);
  EXPECT_EQ(counts["stages taken from a trial that shares what comes before"], 6);
}

TEST(RunView, TimeIsBrokenDownByStageAndMetric) {
  const RunData data = worked();
  const Table table = work_table(analyse(data));
  ASSERT_EQ(table.rows.size(), 2U);
  const auto value = [&](std::size_t row, std::size_t column) { return table.rows[row].cells[column].value; };
  EXPECT_EQ(table.rows[0].cells[0].text, "upscale");
  EXPECT_EQ(value(0, 1), 4);        // computed
  EXPECT_EQ(value(0, 2), 6);        // shared
  EXPECT_EQ(value(0, 3), 2);        // s
  EXPECT_EQ(value(0, 4), 0.5);      // each
  EXPECT_EQ(value(0, 5), 0.5);      // of all
  EXPECT_EQ(value(0, 6), 2 << 20);  // bytes
  EXPECT_EQ(table.rows[1].cells[0].text, "psnr-y");
  EXPECT_EQ(value(1, 4), 0.2);
}

TEST(RunView, WeightsHaveTheirHashAndLicence) {
  const RunData data = worked();
  const Table table = weights_table(analyse(data));
  ASSERT_EQ(table.rows.size(), 2U);
  const std::string text = render_text(table);
  EXPECT_THAT(text, HasSubstr("lanczos"));
  EXPECT_THAT(text, HasSubstr("no weights"));
  EXPECT_THAT(text, HasSubstr("net.pth"));
  EXPECT_THAT(text, HasSubstr("ab12"));
  EXPECT_THAT(text, HasSubstr("MIT"));
  EXPECT_THAT(text, Not(HasSubstr("0000")));
}

TEST(RunView, WhatAStoreDoesNotKnowIsLeftOut) {
  RunData data = test::unfinished_run();
  data.plan.run.command = "[1, null";
  data.plan.environment.json = "no json";
  for (CellRow& cell : data.plan.cells) cell.settings = "[[], {\"id\": 3}]";
  data.used = {"[]", R"({"stages": 3})", R"({"stages": [4, {"tensor_hash": 5}]})"};
  const Analysis analysis = analyse(data);
  EXPECT_TRUE(reproduce_table(analysis).rows.empty());
  EXPECT_TRUE(work_table(analysis).rows.empty());
  EXPECT_TRUE(weights_table(analysis).rows.empty());
  EXPECT_EQ(plan_table(analysis).rows.size(), 7U);
}

}  // namespace
}  // namespace upbench
