#include "reports/decision/tables.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "reports/render/csv.h"
#include "reports/render/html.h"
#include "reports/render/json.h"
#include "reports/render/latex.h"
#include "reports/render/text.h"
#include "tests/reports/sample_run.h"

namespace upbench {
namespace {

using test::noise;
using test::scored_run;
using testing::HasSubstr;

// The text of a column, row by row.
std::vector<std::string> column(const Table& table, const std::string& id) {
  std::vector<std::string> texts;
  for (const Table::Row& row : table.rows)
    for (std::size_t i = 0; i < table.columns.size(); ++i)
      if (table.columns[i].id == id) texts.push_back(row.cells[i].text);
  return texts;
}

Table comparison_of(const RunData& data) {
  const Analysis analysis = analyse(data);
  return comparison_table(analysis, decide(analysis));
}

// Two cells 1 dB apart on 10 pictures, whatever the picture.
RunData one_decibel() {
  return scored_run("upscale.model", {"poor", "good"}, 10, {"psnr-y"},
                    [](std::size_t, std::size_t cell, std::size_t picture) {
                      return 30 + static_cast<double>(cell) + static_cast<double>(picture);
                    });
}

TEST(ComparisonTable, HoldsWhatIsKnownByHand) {
  // All ten differences are 1: the interval is 1, p is 2^-9 for the only pair, and no spread gives no effect
  // size.
  EXPECT_EQ(
      render_text(comparison_of(one_decibel())),
      R"txt(metric  cell   n    mean      rank  first places    behind the best       p  beaten on  effect  verdict
psnr-y  good  10  35.50*  1 [1, 1]         100 %                  –       –          –       –  best
psnr-y  poor  10   34.50  2 [2, 2]           0 %  1.00 [1.00, 1.00]  0.0020         10       –  worse
)txt");
}

TEST(ComparisonTable, IntervalsAreColumnsOfDataFilesAndNotesOfPages) {
  const Table table = comparison_of(one_decibel());
  EXPECT_THAT(csv_header(table.columns),
              HasSubstr("rank,rank_low,rank_high,first_places,behind,behind_low,behind_high,p,"));
  EXPECT_THAT(csv_row(table.columns, table.rows[1]), HasSubstr("34.5,2,2,2,0,1,1,1,0.001953125,10,,worse"));
  EXPECT_EQ(json_row(table.columns, table.rows[1])["behind_low"], 1);
  EXPECT_EQ(json_row(table.columns, table.rows[0])["behind_low"], nullptr);
  EXPECT_THAT(render_html(table), HasSubstr("data-v=\"1\">1.00 <small>[1.00, 1.00]</small>"));
  EXPECT_THAT(render_latex(table), HasSubstr("1.00 [1.00, 1.00]"));
}

TEST(ComparisonTable, NothingIsMarkedWhereNothingCanBeTold) {
  const RunData data = scored_run(
      "upscale.model", {"a", "b"}, 4, {"psnr-y"},
      [](std::size_t, std::size_t cell, std::size_t picture) { return 30 + noise(picture, cell); });
  const Table table = comparison_of(data);
  for (const Table::Row& row : table.rows)
    for (const Table::Cell& cell : row.cells) EXPECT_FALSE(cell.best);
  EXPECT_THAT(column(table, "verdict"), testing::ElementsAre("best mean", "not told from it"));
}

TEST(ComparisonTable, WhatCannotBeToldFromTheBestIsMarkedWithIt) {
  const RunData data = scored_run("upscale.model", {"a", "b", "poor"}, 20, {"psnr-y"},
                                  [](std::size_t, std::size_t cell, std::size_t picture) {
                                    return 30 + noise(picture, cell) - (cell == 2 ? 5 : 0);
                                  });
  const Table table = comparison_of(data);
  ASSERT_EQ(table.rows.size(), 3u);
  EXPECT_TRUE(table.rows[0].cells[3].best);
  EXPECT_TRUE(table.rows[1].cells[3].best);
  EXPECT_FALSE(table.rows[2].cells[3].best);
}

TEST(SharesTable, AnAxisThatExplainsAllSaysSo) {
  RunData data = scored_run("x", {"0", "1", "2", "3"}, 6, {"psnr-y"},
                            [](std::size_t, std::size_t cell, std::size_t picture) {
                              return 30 + (cell >= 2 ? 3.0 : 0.0) + noise(picture);
                            });
  for (std::size_t cell = 0; cell < 4; ++cell)
    data.plan.cells[cell].label = {{"upscale.model", cell < 2 ? "a" : "b"},
                                   {"upscale.tile", cell % 2 == 0 ? "none" : "64"}};
  const Analysis analysis = analyse(data);
  EXPECT_EQ(render_text(shares_table(analysis, decide(analysis))),
            R"txt(axis           psnr-y
model         100.0 %
tile            0.0 %
model × tile    0.0 %
)txt");
}

TEST(AgreementTable, OppositeOrdersHaveTauMinusOne) {
  const RunData data =
      scored_run("upscale.model", {"a", "b", "c"}, 8, {"psnr-y", "lpips"},
                 [](std::size_t metric, std::size_t cell, std::size_t picture) {
                   return static_cast<double>(cell) * (metric == 0 ? 1 : 0.1) + noise(picture);
                 });
  const Analysis analysis = analyse(data);
  const Table table = agreement_table(analysis, decide(analysis));
  ASSERT_EQ(table.rows.size(), 1u);
  EXPECT_EQ(table.rows[0].cells[3].value, -1);
  EXPECT_EQ(table.rows[0].cells[4].text, "c");
  EXPECT_EQ(table.rows[0].cells[5].text, "a");
}

TEST(FrontTable, ACellThatIsWorseAndSlowerIsLeftOut) {
  RunData data = scored_run("upscale.model", {"fast", "good", "bad"}, 8, {"psnr-y"},
                            [](std::size_t, std::size_t cell, std::size_t picture) {
                              const double level[] = {30, 32, 29};
                              return level[cell] + 0.1 * noise(picture, cell);
                            });
  for (auto& trial : data.trials) trial.model_seconds = trial.cell == 0 ? 1 : trial.cell == 1 ? 5 : 6;
  const Analysis analysis = analyse(data);
  const Table table = front_table(analysis, decide(analysis));
  EXPECT_THAT(column(table, "cell"), testing::ElementsAre("fast", "good"));
  EXPECT_EQ(table.rows[0].cells[5].value, 1);
}

TEST(StabilityTable, NamesThePictureAndWhoWinsWithoutIt) {
  const RunData data = scored_run("upscale.model", {"a", "b"}, 10, {"psnr-y"},
                                  [](std::size_t, std::size_t cell, std::size_t picture) {
                                    return cell == 0 ? 30 : picture == 9 ? 40 : 29.5;
                                  });
  const Analysis analysis = analyse(data);
  const Table table = stability_table(analysis, decide(analysis));
  ASSERT_EQ(table.rows.size(), 1u);
  EXPECT_EQ(table.rows[0].cells[1].text, "b");
  EXPECT_EQ(table.rows[0].cells[2].text, "p9");
  EXPECT_EQ(table.rows[0].cells[3].text, "a");
}

TEST(SweetSpots, LowerIsBetterAndWideRangesAreFittedOverTheLogarithm) {
  // Best at 64 of 8 .. 512; lpips, so the least is the best.
  const std::vector<std::string> values = {"8", "16", "32", "64", "128", "256", "512", "none"};
  const RunData data = scored_run(
      "upscale.tile", values, 20, {"lpips"}, [](std::size_t, std::size_t cell, std::size_t picture) {
        const double away = static_cast<double>(cell) - 3;
        return 0.2 + 0.1 * noise(picture) + 0.01 * away * away + 0.004 * noise(picture, cell + 1);
      });
  const std::vector<SweetSpot> spots = find_sweet_spots(analyse(data), {});
  ASSERT_EQ(spots.size(), 1u);
  EXPECT_TRUE(spots[0].logarithmic);
  EXPECT_EQ(spots[0].settings.size(), 7u) << "'none' is no number";
  EXPECT_EQ(spots[0].response.verdict, ResponseVerdict::sweet_spot);
  EXPECT_NEAR(spots[0].response.best, 64, 6);  // a tenth of a doubling
  EXPECT_LE(spots[0].response.best_interval.low, 64);
  EXPECT_GE(spots[0].response.best_interval.high, 64);
  EXPECT_LT(spots[0].means[3], spots[0].means[0]);
}

TEST(SweetSpots, AWideGapBetweenSettingsHoldsNoBestThatNobodyTried) {
  // Falls steeply, then slowly: a spline over the settings themselves swings up between 0.5 and 1.
  const double level[] = {36.5, 27.4, 26.2, 24.6, 23, 20.9};
  const RunData data =
      scored_run("degrade.strength", {"0", "0.05", "0.1", "0.25", "0.5", "1"}, 12, {"psnr-y"},
                 [&](std::size_t, std::size_t cell, std::size_t picture) {
                   return level[cell] * (1 + 0.4 * noise(picture)) + noise(picture, cell + 1);
                 });
  const std::vector<SweetSpot> spots = find_sweet_spots(analyse(data), {});
  ASSERT_EQ(spots.size(), 1u);
  EXPECT_TRUE(spots[0].by_order);
  EXPECT_EQ(spots[0].response.verdict, ResponseVerdict::edge_optimum);
  EXPECT_EQ(spots[0].response.best, 0);
  EXPECT_LT(spots[0].response.best_interval.high, 0.05);
  EXPECT_EQ(spots[0].response.at.back(), 1);
}

TEST(SweetSpots, EachModelHasItsOwnAndTheAverageIsFirst) {
  RunData data = scored_run("x", std::vector<std::string>(10, ""), 12, {"psnr-y"},
                            [](std::size_t, std::size_t cell, std::size_t picture) {
                              const double x = 0.1 * static_cast<double>(cell % 5),
                                           best = cell < 5 ? 0.1 : 0.3;
                              return 30 - 50 * (x - best) * (x - best) + 0.02 * noise(picture, cell);
                            });
  for (std::size_t cell = 0; cell < 10; ++cell)
    data.plan.cells[cell].label = {{"upscale.model", cell < 5 ? "low" : "high"},
                                   {"refine.denoise", "0." + std::to_string(cell % 5)}};
  const std::vector<SweetSpot> spots = find_sweet_spots(analyse(data), {});
  ASSERT_EQ(spots.size(), 3u);
  EXPECT_EQ(spots[0].group, "");
  EXPECT_EQ(spots[1].group, "low");
  EXPECT_NEAR(spots[0].response.best, 0.2, 0.02);
  EXPECT_NEAR(spots[1].response.best, 0.1, 0.02);
  EXPECT_NEAR(spots[2].response.best, 0.3, 0.02);
}

}  // namespace
}  // namespace upbench
