#include "reports/model_time.h"

#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "reports/analysis.h"
#include "reports/render/markdown.h"
#include "reports/report.h"
#include "tests/reports/sample_run.h"

namespace upbench {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

const std::string kSession(64, 'a');

TrialResult timed_trial() {
  TrialResult result{.cell = 0, .image = 1, .finished = true, .width = 128, .height = 96};
  result.timings = {{"trial", Clock::model, 0, 0.5}};
  result.model_time =
      R"({"samples": 9, "mad_s": 0.01, "low_s": 0.4, "high_s": 0.6, "megapixels_per_s": 2.5, "macs": 5e9,
          "peak_share": 0.25, "joules": 12.5, "flags": ["not steady", "few"], "session": ")" +
      kSession + "\"}";
  result.scores.resize(3);
  return result;
}

RunData run_with_model_time() {
  RunData data = test::unfinished_run();
  data.add(timed_trial());
  data.timing_sessions[kSession] =
      R"({"peaks": {"fp32_flops": 93e9, "bf16_flops": 205e9, "fp16_flops": 0, "copy_bytes_per_s": 12e9},
          "flags": ["other processes kept 0.5 processors busy"]})";
  return data;
}

TEST(ModelTime, IsReadFromTheFactsOfTheStore) {
  const ModelTime time = parse_model_time(timed_trial().model_time);
  EXPECT_EQ(time.samples, 9);
  EXPECT_EQ(time.mad, 0.01);
  EXPECT_EQ(time.low, 0.4);
  EXPECT_EQ(time.high, 0.6);
  EXPECT_EQ(time.megapixels_per_s, 2.5);
  EXPECT_EQ(time.macs, 5e9);
  EXPECT_EQ(time.peak_share, 0.25);
  EXPECT_EQ(time.joules, 12.5);
  EXPECT_EQ(time.flags, "not steady; few");
}

TEST(ModelTime, WhatIsNotAsExpectedIsUnknown) {
  for (const char* facts : {"", "nonsense", "[]", R"({"samples": "9", "flags": 3, "session": 1})"}) {
    const ModelTime time = parse_model_time(facts);
    EXPECT_TRUE(std::isnan(time.samples)) << facts;
    EXPECT_EQ(time.flags + time.session, "") << facts;
  }
}

TEST(ModelTime, TableShowsSamplesPeaksAndDoubts) {
  const RunData data = run_with_model_time();
  const Table table = model_time_table(analyse(data));
  ASSERT_EQ(table.rows.size(), 1u);
  EXPECT_THAT(table.caption,
              HasSubstr("fp32 arithmetic 93 GFLOP/s, bf16 arithmetic 205 GFLOP/s, copy 12 GB/s."));
  EXPECT_THAT(table.caption, HasSubstr("Doubtful: other processes kept 0.5 processors busy."));
  const std::string text = render_markdown(table);
  for (const char* part :
       {"500 ms", "10.0 ms", "400 ms", "600 ms", "2.500", "25 %", "12.500", "not steady; few"})
    EXPECT_THAT(text, HasSubstr(part));
}

TEST(ModelTime, CsvHasItsColumnsWhereSomethingWasMeasured) {
  EXPECT_THAT(report_csv(test::sample_run()), Not(HasSubstr("cost_model_samples")));
  const std::string csv = report_csv(run_with_model_time());
  EXPECT_THAT(csv,
              HasSubstr("cost_peak_bytes,cost_model_samples,cost_model_mad_s,cost_model_low_s,"
                        "cost_model_high_s,cost_megapixels_per_s,cost_macs,cost_peak_share,cost_joules\r\n"));
  EXPECT_THAT(csv, HasSubstr(",9,0.01,0.4,0.6,2.5,5000000000,0.25,12.5\r\n"));
}

TEST(ModelTime, ReportsOfRunsWithoutAnyHaveNoSection) {
  EXPECT_THAT(report_markdown(test::sample_run()), Not(HasSubstr("## Model time")));
  EXPECT_THAT(report_markdown(run_with_model_time()), HasSubstr("## Model time"));
}

}  // namespace
}  // namespace upbench
