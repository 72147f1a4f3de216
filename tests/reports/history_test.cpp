#include "reports/history.h"

#include <algorithm>
#include <fstream>
#include <functional>
#include <iterator>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "reports/statistics/random.h"
#include "tests/reports/gate/sample_side.h"
#include "tests/support/assets.h"

namespace upbench {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::string revision(std::size_t number) {
  return std::string(1, static_cast<char>('a' + number)) + "123456789abcdef";
}

// Runs of which number `change` and later ones lose a decibel in the first cell and take a third longer in
// the second.
std::vector<HistoryEntry> runs(std::size_t count, std::size_t change) {
  std::vector<HistoryEntry> entries;
  Random random(9);
  for (std::size_t i = 0; i < count; ++i)
    entries.push_back({revision(i), "2026-01-01T00:00:00Z",
                       changed(sample_side(), [&](std::size_t cell, std::size_t, GateSide::Trial& trial) {
                         if (i >= change && cell == 0) trial.scores[0].value -= 1;
                         for (double& seconds : trial.model_seconds)
                           seconds = (i >= change && cell == 1 ? 4.0 / 3 : 1) * (1 + 0.01 * random.normal());
                       })});
  return entries;
}

const HistorySeries& find(const HistoryReport& report, const std::string& cell, const std::string& metric) {
  for (const HistorySeries& series : report.series)
    if (series.cell == cell && series.metric == metric) return series;
  throw std::logic_error("no such series");
}

TEST(History, AChangeIsBracketedByTheRevisionsAroundIt) {
  const HistoryReport report = report_history(runs(10, 6));
  EXPECT_EQ(report.series.size(), 6u);
  const HistorySeries& worse = find(report, "model = a", "psnr-y");
  ASSERT_EQ(worse.changes.size(), 1u);
  EXPECT_EQ(worse.changes[0].last_before, 5u);
  EXPECT_EQ(worse.changes[0].first, 6u);
  EXPECT_NEAR(worse.changes[0].worsening, 1, 1e-9);  // sums of doubles
  const HistorySeries& slower = find(report, "model = b", "model time");
  ASSERT_EQ(slower.changes.size(), 1u);
  EXPECT_EQ(slower.changes[0].first, 6u);
  EXPECT_NEAR(slower.changes[0].worsening, 4.0 / 3, 0.01);  // medians of noise of 1 %
  EXPECT_THAT(find(report, "model = b", "psnr-y").changes, IsEmpty());
  EXPECT_THAT(find(report, "model = a", "model time").changes, IsEmpty());
  const std::string text = history_text(report);
  EXPECT_THAT(text, HasSubstr("10 runs, a123456789ab to j123456789ab; 2 changes"));
  EXPECT_THAT(text, HasSubstr("after f123456789ab, up to and with g123456789ab"));
  EXPECT_THAT(text, HasSubstr("worse by 1.000 dB"));
  EXPECT_THAT(history_markdown(report), HasSubstr("| model = b | model time | 1.33"));
}

TEST(History, WhatTheNewestRunChangedIsSaidBeforeItIsAChangePoint) {
  const HistorySeries worse = find(report_history(runs(5, 4)), "model = a", "psnr-y");
  EXPECT_THAT(worse.changes, IsEmpty());
  EXPECT_TRUE(worse.newest_differs);
  EXPECT_NEAR(worse.newest_worsening, 1, 1e-9);  // sums of doubles
  EXPECT_FALSE(find(report_history(runs(5, 5)), "model = a", "psnr-y").newest_differs);
}

TEST(History, ChangesBelowTheToleranceAreLeftOut) {
  EXPECT_THAT(
      find(report_history(runs(10, 6), {.metrics = {{"psnr-y", {2, 3}}}}), "model = a", "psnr-y").changes,
      IsEmpty());
}

TEST(History, OnlyWhatCanBeComparedIsInASeries) {
  std::vector<HistoryEntry> entries = runs(6, 6);
  entries[0].side.metrics[0].version = 7;
  entries[1].side.environment["threads"] = 64;
  entries[2].side.pictures[4].reference = std::string(64, '9');
  const HistoryReport report = report_history(entries);
  const HistorySeries& scores = find(report, "model = a", "psnr-y");
  EXPECT_EQ(scores.runs, (std::vector<std::size_t>{1, 2, 3, 4, 5}));
  EXPECT_EQ(scores.pictures, 19u);
  EXPECT_EQ(find(report, "model = a", "model time").runs, (std::vector<std::size_t>{0, 2, 3, 4, 5}));
  EXPECT_THAT(report.notes, Contains("psnr-y: runs with another version or convention are left out"));
  EXPECT_THAT(report.notes,
              Contains(HasSubstr("times of some runs are left out: another environment: threads")));
}

TEST(History, AFileHoldsOneRunALineAndGivesBackWhatWasAdded) {
  const test::TemporaryFolder folder;
  const auto file = folder / "made/history.jsonl";
  for (const HistoryEntry& entry : runs(4, 2)) add_to_history(file, entry);
  std::ifstream stream(file);
  const std::string text{std::istreambuf_iterator<char>(stream), {}};
  EXPECT_EQ(std::ranges::count(text, '\n'), 4);
  const std::vector<HistoryEntry> read = read_history(file);
  ASSERT_EQ(read.size(), 4u);
  EXPECT_EQ(read[3].revision, revision(3));
  EXPECT_EQ(history_json(report_history(read)), history_json(report_history(runs(4, 2))));
}

TEST(History, WhatIsNoHistoryIsRefusedWithItsLineAndNeverOverwritten) {
  const test::TemporaryFolder folder;
  const auto file = folder / "history.jsonl";
  add_to_history(file, runs(1, 1)[0]);
  std::ofstream(file, std::ios::app) << "{\"schema\": \"upbench-history-9\"}\n";
  const auto size = std::filesystem::file_size(file);
  for (const auto& attempt : {std::function<void()>([&] { read_history(file); }),
                              std::function<void()>([&] { add_to_history(file, runs(1, 1)[0]); })}) {
    try {
      attempt();
      FAIL() << "accepted";
    } catch (const std::invalid_argument& error) {
      EXPECT_THAT(error.what(), HasSubstr("history.jsonl:2: schema"));
    }
  }
  EXPECT_EQ(std::filesystem::file_size(file), size);
  EXPECT_THROW(read_history(folder / "none.jsonl"), std::invalid_argument);
}

TEST(History, RunsWithoutRevisionGoByTheirTime) {
  std::vector<HistoryEntry> entries = runs(2, 2);
  entries[0].revision.clear();
  EXPECT_EQ(report_history(entries).labels[0], "2026-01-01T00:00:00Z");
}

}  // namespace
}  // namespace upbench
