#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "harness/store.h"
#include "tests/harness/store_fixture.h"
#include "tests/support/assets.h"

namespace upbench::test {
namespace {

namespace fs = std::filesystem;

DetectionRow example_detection(const Record& record) {
  return {.key = record.scores.at(0).key,
          .detector = record.scores.at(0).metric,
          .threshold = 2.5,
          .flagged = true,
          .gates = true,
          .calibration = "3",
          .map_file = "ab/map.png",
          .map_white = 7.25,
          .boxes = {{1, 2, 30, 40, 6.5}, {5, 6, 7, 8, 3}},
          .parts = {{"step", "levels", 1.5}}};
}

class StoreDetections : public testing::Test {
 protected:
  // Finishes every trial, each with one detection, and returns the first trial's output.
  Digest fill(const fs::path& file) {
    Store store(file);
    store.begin_run(plan_);
    for (const auto& claim : store.claim(plan_.run.key, "worker", plan_.trials.size())) {
      Record record = example_record(plan_, claim);
      record.kept_file.clear();
      record.detections = {example_detection(record)};
      store.append(record);
    }
    store.set_calibration("3", R"({"version": "3"})");
    store.flush();
    return plan_.trials.at(0).output;
  }
  // As a program of schema 1 left it.
  static void make_old(const fs::path& file) {
    run_sql(file, "DROP TABLE detections");
    run_sql(file, "UPDATE meta SET value = '1' WHERE name = 'schema'");
    run_sql(file, "PRAGMA user_version = 1");
  }

  TemporaryFolder folder_;
  RunPlan plan_ = example_plan(2, 2);
  fs::path a_ = folder_ / "a.db", b_ = folder_ / "b.db";
};

TEST_F(StoreDetections, ComeBackAsTheyWere) {
  const Digest output = fill(a_);
  const Store store(a_, Store::Access::read);
  const auto rows = store.detections(output);
  ASSERT_EQ(rows.size(), 1u);
  EXPECT_EQ(rows[0].threshold, 2.5);
  EXPECT_TRUE(rows[0].flagged);
  EXPECT_TRUE(rows[0].gates);
  EXPECT_EQ(rows[0].calibration, "3");
  EXPECT_EQ(rows[0].map_file, "ab/map.png");
  EXPECT_EQ(rows[0].map_white, 7.25);
  ASSERT_EQ(rows[0].boxes.size(), 2u);
  EXPECT_EQ(rows[0].boxes[0].height, 40);
  EXPECT_EQ(rows[0].boxes[0].value, 6.5);
  ASSERT_EQ(rows[0].parts.size(), 1u);
  EXPECT_EQ(rows[0].parts[0].unit, "levels");
  EXPECT_EQ(store.calibration("3"), R"({"version": "3"})");
  EXPECT_EQ(store.calibration("4"), "");
}

TEST_F(StoreDetections, StandBesideTheScoresOfTheirTrials) {
  fill(a_);
  const Store store(a_, Store::Access::read);
  std::size_t seen = 0;
  store.for_each_trial(plan_.run.key, [&](const TrialResult& trial) { seen += trial.detections.size(); });
  EXPECT_EQ(seen, plan_.trials.size());
  std::size_t scanned = 0;
  store.scan_trials(
      plan_.run.key, [](std::size_t) {},
      [&](std::uint32_t, const TrialResult& trial) {
        scanned += trial.detections.size();
        for (const DetectionRow& row : trial.detections) EXPECT_EQ(row.boxes.size(), row.flagged ? 2u : 0u);
      });
  EXPECT_EQ(scanned, plan_.trials.size());
}

TEST_F(StoreDetections, ANewDecisionReplacesTheOld) {
  Store store(a_);
  store.begin_run(plan_);
  for (const auto& claim : store.claim(plan_.run.key, "worker", 1)) {
    Record record = example_record(plan_, claim);
    record.detections = {example_detection(record), example_detection(record)};
    record.detections[1].flagged = false;
    store.append(record);
    store.flush();
    const auto rows = store.detections(record.output);
    ASSERT_EQ(rows.size(), 1u);
    EXPECT_FALSE(rows[0].flagged);
  }
}

TEST_F(StoreDetections, RefuseWhatIsNoNumber) {
  Store store(a_);
  store.begin_run(plan_);
  const auto claims = store.claim(plan_.run.key, "worker", 1);
  Record record = example_record(plan_, claims.at(0));
  record.detections = {example_detection(record)};
  record.detections[0].boxes[1].value = NAN;
  EXPECT_THROW(store.append(record), std::invalid_argument);
}

TEST_F(StoreDetections, AStoreOfTheFirstSchemaIsReadAsItIsAndBroughtUpToDateByAWriter) {
  const Digest output = fill(a_);
  make_old(a_);
  {
    const Store store(a_, Store::Access::read);
    EXPECT_TRUE(store.detections(output).empty());
    std::size_t trials = 0;
    store.for_each_trial(plan_.run.key, [&](const TrialResult&) { ++trials; });
    EXPECT_EQ(trials, plan_.trials.size());
  }
  {
    Store store(a_);
    store.begin_run(plan_);
    EXPECT_TRUE(store.detections(output).empty());
    EXPECT_EQ(store.progress(plan_.run.key).ok, plan_.trials.size());
  }
  EXPECT_EQ(integrity(a_), "ok");
  run_sql(a_, "DELETE FROM detections");  // fails where there is no such table
}

TEST_F(StoreDetections, MergeWithTheirMapsAndCalibration) {
  const Digest output = fill(b_);
  fs::create_directories(folder_.path() / "b.db.outputs" / "ab");
  std::ofstream(folder_.path() / "b.db.outputs" / "ab" / "map.png") << "picture";
  Store store(a_);
  store.merge(b_);
  ASSERT_EQ(store.detections(output).size(), 1u);
  EXPECT_EQ(store.detections(output)[0].map_file, "ab/map.png");
  EXPECT_TRUE(fs::exists(folder_.path() / "a.db.outputs" / "ab" / "map.png"));
  EXPECT_EQ(store.calibration("3"), R"({"version": "3"})");
}

TEST_F(StoreDetections, MergeWithAStoreOfTheFirstSchema) {
  const Digest output = fill(b_);
  make_old(b_);
  Store store(a_);
  EXPECT_GT(store.merge(b_).added, 0u);
  EXPECT_TRUE(store.detections(output).empty());
}

}  // namespace
}  // namespace upbench::test
