#include "harness/store.h"

#include <cmath>
#include <limits>
#include <set>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gtest/gtest.h>

#include "tests/harness/store_fixture.h"
#include "tests/support/assets.h"

namespace upbench::test {
namespace {

class StoreTest : public testing::Test {
 protected:
  TemporaryFolder folder_;
  std::filesystem::path file_ = folder_ / "sweep.db";
};

std::vector<TrialResult> results(const Store& store, const RunPlan& plan) {
  std::vector<TrialResult> all;
  store.for_each_trial(plan.run.key, [&](const TrialResult& result) { all.push_back(result); });
  return all;
}

// What Store::scan_trials() tells, in report order.
std::string scanned(const Store& store, const Digest& run) {
  std::vector<std::string> texts;
  store.scan_trials(
      run, [&](std::size_t count) { texts.resize(count); },
      [&](std::uint32_t ordinal, const TrialResult& result) { texts.at(ordinal) += show(result); });
  return fmt::format("{}", fmt::join(texts, ""));
}

TEST_F(StoreTest, AScanGivesWhatAWalkGives) {
  RunPlan many = example_plan(4, 5);
  many.trials[3].same_as = many.trials[19].same_as = 7;
  const RunPlan few = example_plan(1, 2);
  Store store(file_);
  store.begin_run(few);
  work(store, few, 2);
  store.begin_run(many);
  const Claim broken = store.claim(many.run.key, "worker", 1).at(0);
  Record failed = example_record(many, broken);
  failed.status = Status::failed;
  failed.reason = "out of memory";
  failed.scores.resize(1);
  store.append(failed);
  work(store, many, 15);  // and two are left open
  ASSERT_EQ(store.progress(many.run.key).done(), 18u);
  EXPECT_EQ(scanned(store, many.run.key), show_results(store, many.run.key));  // most of the store
  EXPECT_EQ(scanned(store, few.run.key), show_results(store, few.run.key));    // little of it
  EXPECT_THROW(scanned(store, digest_of("none")), std::invalid_argument);
}

TEST_F(StoreTest, AScanOfADamagedPlanIsRefused) {
  const RunPlan plan = example_plan(2, 2);
  {
    Store store(file_);
    store.begin_run(plan);
  }
  run_sql(file_, "DELETE FROM trials WHERE ordinal = 1");
  const Store store(file_, Store::Access::read);
  EXPECT_THROW(scanned(store, plan.run.key), StoreError);
}

TEST_F(StoreTest, PlanComesBackWhole) {
  const RunPlan plan = example_plan(2, 3);
  Store store(file_);
  store.begin_run(plan);
  EXPECT_EQ(show(store.plan(plan.run.key)), show(plan));
  ASSERT_EQ(store.runs().size(), 1u);
  EXPECT_EQ(store.runs().front().key, plan.run.key);
  EXPECT_EQ(store.runs().front().started_at.size(), std::string("2026-01-01T00:00:00.000Z").size());
  EXPECT_EQ(store.runs().front().finished_at, "");
}

TEST_F(StoreTest, EveryFieldOfARecordComesBack) {
  const RunPlan plan = example_plan(1, 1);
  Store store(file_);
  store.begin_run(plan);
  const Claim claim = store.claim(plan.run.key, "worker", 9).at(0);
  const Record record = example_record(plan, claim);
  store.append(record);
  store.flush();

  TrialResult expected{.seed = claim.seed, .finished = true, .flags = record.flags, .output = record.output};
  expected.width = record.width;
  expected.height = record.height;
  expected.kept_file = record.kept_file;
  expected.peak_bytes = record.peak_bytes;
  expected.pixels = record.pixels;
  for (const auto& score : record.scores) expected.scores.push_back({score.value, score.flag, score.reason});
  expected.timings = record.timings;
  EXPECT_EQ(show_results(store, plan.run.key), show(expected));

  const OutputRow output = store.output(record.output).value();
  EXPECT_EQ(output.width, record.width);
  EXPECT_EQ(output.height, record.height);
  EXPECT_EQ(output.pixels, record.pixels);
  EXPECT_EQ(output.used, record.used);
  EXPECT_EQ(output.kept_file, record.kept_file);
  EXPECT_EQ(output.flags, record.flags);
  EXPECT_TRUE(store.has_model_timing(record.output));
  EXPECT_EQ(store.output_folder(), folder_ / "sweep.db.outputs");

  const auto boundaries = store.boundaries(record.output);
  ASSERT_EQ(boundaries.size(), 2u);
  for (std::size_t i = 0; i < 2; ++i) {
    EXPECT_EQ(boundaries[i].stage, record.boundaries[i].stage);
    EXPECT_EQ(boundaries[i].vertical, record.boundaries[i].vertical);
    EXPECT_EQ(boundaries[i].position, record.boundaries[i].position);
    EXPECT_EQ(boundaries[i].half_width, record.boundaries[i].half_width);
  }
  const auto scores = store.scores(record.output);
  ASSERT_EQ(scores.size(), 3u);
  std::set<Digest> keys;
  for (const auto& score : scores) keys.insert(score.key);
  for (const auto& score : record.scores) EXPECT_TRUE(keys.count(score.key)) << score.metric;
}

TEST_F(StoreTest, UnknownOutputsAndRunsAreToldApartFromEmptyOnes) {
  const Store store(file_);
  EXPECT_FALSE(store.output(digest_of("none")));
  EXPECT_FALSE(store.has_model_timing(digest_of("none")));
  EXPECT_TRUE(store.scores(digest_of("none")).empty());
  EXPECT_TRUE(store.runs().empty());
  EXPECT_THROW(store.plan(digest_of("none")), std::invalid_argument);
  EXPECT_THROW(store.progress(digest_of("none")), std::invalid_argument);
  EXPECT_THROW(store.for_each_trial(digest_of("none"), [](const TrialResult&) {}), std::invalid_argument);
}

TEST_F(StoreTest, ScoresThatAreNoNumberKeepTheirFlagAndNoValue) {
  const RunPlan plan = example_plan(2, 1);
  Store store(file_);
  store.begin_run(plan);
  const auto claims = store.claim(plan.run.key, "worker", 2);  // execution order: the second row first
  Record first = example_record(plan, claims[0]);
  first.scores[0].value = std::numeric_limits<double>::quiet_NaN();
  first.scores[1].value = std::numeric_limits<double>::infinity();
  first.scores[2].flag = ValueFlag::inf;  // with a finite value
  Record second = example_record(plan, claims[1]);
  second.scores[0] = {.key = second.scores[0].key,
                      .metric = "psnr-y",
                      .value = NAN,
                      .flag = ValueFlag::skipped,
                      .reason = "no w"};
  second.scores[1].flag = ValueFlag::undefined;
  second.scores[1].reason = "smaller than 11 px";
  second.scores[2].value = -std::numeric_limits<double>::infinity();
  store.append(first);
  store.append(second);
  store.flush();
  const auto rows = results(store, plan);
  const auto text = [](const TrialResult::Value& v) {
    return fmt::format("{} {} {}", v.value, to_string(v.flag), v.reason);
  };
  EXPECT_EQ(text(rows[1].scores[0]), "0 failed the metric returned NaN");
  EXPECT_EQ(text(rows[1].scores[1]), "inf inf ");
  EXPECT_EQ(text(rows[1].scores[2]), "inf inf ");
  EXPECT_EQ(text(rows[0].scores[0]), "0 skipped no w");
  EXPECT_EQ(text(rows[0].scores[1]), "0 undefined smaller than 11 px");
  EXPECT_EQ(text(rows[0].scores[2]), "-inf inf ");
}

TEST_F(StoreTest, RecordsThatContradictTheirTrialAreRefusedAndMayBeCorrected) {
  const RunPlan plan = example_plan(1, 1);
  Store store(file_);
  store.begin_run(plan);
  const Claim claim = store.claim(plan.run.key, "worker", 1).at(0);
  const Record good = example_record(plan, claim);
  Record record = good;
  record.output = digest_of("another");
  EXPECT_THROW(store.append(record), std::invalid_argument);
  record = good;
  record.scores[0].metric = "psnrr";
  EXPECT_THROW(store.append(record), std::invalid_argument);
  record = good;
  record.timings[0].seconds = NAN;
  EXPECT_THROW(store.append(record), std::invalid_argument);
  record = good;
  record.boundaries[0].position = INFINITY;
  EXPECT_THROW(store.append(record), std::invalid_argument);
  store.append(good);
  store.flush();
  EXPECT_EQ(store.progress(plan.run.key).ok, 1u);
}

TEST_F(StoreTest, FailedTrialsStoreTheirScoresAndReasonButNoOutput) {
  const RunPlan plan = example_plan(1, 2);
  Store store(file_);
  store.begin_run(plan);
  const auto claims = store.claim(plan.run.key, "worker", 2);
  Record failed = example_record(plan, claims[0]);
  failed.status = Status::failed;
  failed.reason = "lpips-alex: broke";
  Record skipped = example_record(plan, claims[1]);
  skipped.status = Status::skipped;
  skipped.reason = "no fp16";
  skipped.scores.clear();
  skipped.timings.clear();
  store.append(failed);
  store.append(skipped);
  store.flush();
  EXPECT_FALSE(store.output(failed.output));
  EXPECT_FALSE(store.output(skipped.output));
  const auto rows = results(store, plan);
  EXPECT_EQ(rows[1].status, Status::failed);
  EXPECT_EQ(rows[1].reason, failed.reason);
  EXPECT_EQ(rows[1].flags, failed.flags);
  EXPECT_EQ(rows[1].scores[2].value, failed.scores[2].value);
  EXPECT_EQ(rows[1].width, 0);
  EXPECT_EQ(rows[0].status, Status::skipped);
  const Progress progress = store.progress(plan.run.key);
  EXPECT_EQ(progress.failed, 1u);
  EXPECT_EQ(progress.skipped, 1u);
  EXPECT_EQ(progress.done(), progress.total);
}

TEST_F(StoreTest, OfAKnownOutputOnlyWhatIsMissingIsAdded) {
  const RunPlan plan = example_plan(1, 1);
  RunPlan again = plan;
  again.run.key = digest_of("a second run");
  again.trials[0].key = digest_of("its trial");
  Store store(file_);
  store.begin_run(plan);
  Record first = example_record(plan, store.claim(plan.run.key, "worker", 1).at(0));
  first.kept_file = "";
  first.timings = {{.stage = "trial", .clock = Clock::sweep, .seconds = 5}};
  store.append(first);
  store.flush();
  store.begin_run(again);
  Record second = example_record(again, store.claim(again.run.key, "worker", 1).at(0));
  second.pixels = digest_of("other pixels");
  second.kept_file = "kept.png";
  second.scores[0].value = 99;
  second.scores[1].flag = ValueFlag::skipped;
  second.timings = {{.stage = "trial", .clock = Clock::sweep, .seconds = 0.001},
                    {.stage = "upscale", .clock = Clock::model, .seconds = 3}};
  store.append(second);
  store.flush();
  EXPECT_EQ(store.output(first.output)->pixels, first.pixels);
  EXPECT_EQ(store.output(first.output)->kept_file, "kept.png");
  const auto row = results(store, plan).at(0);
  EXPECT_EQ(row.scores[0].value, 99);                     // a score replaces its predecessor
  EXPECT_EQ(row.scores[1].value, first.scores[1].value);  // a skipped one does not
  ASSERT_EQ(row.timings.size(), 2u);
  EXPECT_EQ(row.timings[0].seconds, 3);
  EXPECT_EQ(row.timings[1].seconds, 5);
}

TEST_F(StoreTest, ARunShowsOnlyScoresOfItsReferenceMetricVersionAndBorder) {
  const RunPlan plan = example_plan(1, 1);
  Store store(file_);
  store.begin_run(plan);
  work(store, plan, 1);
  RunPlan other = plan;
  other.run.key = digest_of("a second run");
  other.trials[0].key = digest_of("its trial");
  other.images[0].key = digest_of("same input, other reference");
  other.images[0].reference = digest_of("other reference");
  store.begin_run(other);
  Record record = example_record(other, store.claim(other.run.key, "worker", 1).at(0));
  record.scores[0].value = 1;
  record.scores[1].value = 2;
  record.scores.pop_back();
  store.append(record);
  store.flush();
  EXPECT_EQ(store.scores(record.output).size(), 5u);
  EXPECT_NE(results(store, plan).at(0).scores[0].value, 1);
  const auto row = results(store, other).at(0);
  EXPECT_EQ(row.scores[0].value, 1);
  EXPECT_EQ(row.scores[1].value, 2);
  EXPECT_EQ(row.scores[2].flag, ValueFlag::skipped);  // never computed against this reference

  RunPlan newer = plan;
  newer.run.key = digest_of("a third run");
  newer.metrics[0].version = 4;
  newer.metrics[2].border = 7;
  store.begin_run(newer);
  record = example_record(newer, store.claim(newer.run.key, "worker", 1).at(0));
  record.scores.clear();
  store.append(record);
  store.flush();
  const auto row3 = results(store, newer).at(0);
  EXPECT_EQ(row3.scores[0].flag, ValueFlag::skipped);
  EXPECT_EQ(row3.scores[1].flag, ValueFlag::ok);
  EXPECT_EQ(row3.scores[2].flag, ValueFlag::skipped);
}

TEST_F(StoreTest, ReadersSeeWhatIsDurableBesideAWriter) {
  const RunPlan plan = example_plan(3, 4);
  Store store(file_);
  store.begin_run(plan);
  const Store reader(file_, Store::Access::read);
  work(store, plan, 5);
  EXPECT_EQ(reader.progress(plan.run.key).ok, 5u);
  EXPECT_EQ(show(reader.plan(plan.run.key)), show(plan));
  EXPECT_EQ(show_results(reader, plan.run.key), show_results(store, plan.run.key));
  work(store, plan, 100);
  EXPECT_EQ(reader.progress(plan.run.key).ok, 12u);
  EXPECT_THROW(const_cast<Store&>(reader).begin_run(plan), std::invalid_argument);
}

TEST_F(StoreTest, AVisitorMayAskTheStoreWhileWorkGoesOnAndSeesOneSnapshot) {
  const RunPlan plan = example_plan(2, 4);
  Store store(file_);
  store.begin_run(plan);
  work(store, plan, 4);
  std::size_t finished = 0;
  store.for_each_trial(plan.run.key, [&](const TrialResult& result) {
    finished += result.finished;
    work(store, plan, 1);
    EXPECT_EQ(store.boundaries(result.output).size(), 2u * store.output(result.output).has_value());
  });
  EXPECT_EQ(finished, 4u);
  EXPECT_EQ(store.progress(plan.run.key).ok, 8u);
}

TEST_F(StoreTest, FinishingStampsOnceAndOpenWorkClearsTheStamp) {
  const RunPlan plan = example_plan(1, 2);
  Store store(file_);
  store.begin_run(plan);
  work(store, plan, 2);
  store.finish_run(plan.run.key);
  const std::string stamp = store.runs().at(0).finished_at;
  EXPECT_NE(stamp, "");
  store.begin_run(plan);
  store.finish_run(plan.run.key);
  EXPECT_EQ(store.runs().at(0).finished_at, stamp);
}

}  // namespace
}  // namespace upbench::test
