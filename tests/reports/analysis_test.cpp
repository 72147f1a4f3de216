#include "reports/analysis.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "reports/headline.h"
#include "reports/summary.h"
#include "tests/reports/sample_run.h"

namespace upbench {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

// One metric, one cell a row of `scores`, one picture a column, seeds as given.
RunData small_run(const std::vector<std::vector<double>>& scores, int seeds = 1) {
  RunData data;
  data.plan.metrics = {{"psnr-y", "dB", "", true, 1, 0, 2}};
  for (std::size_t cell = 0; cell < scores.size(); ++cell) {
    data.plan.cells.push_back({});
    data.plan.cells.back().label = {{"upscale.model", std::string(1, static_cast<char>('A' + cell))}};
  }
  data.plan.images.resize(scores.front().size() / seeds);
  for (std::uint32_t cell = 0; cell < scores.size(); ++cell)
    for (std::uint32_t i = 0; i < scores[cell].size(); ++i) {
      const double score = scores[cell][i];
      TrialResult result{.cell = cell, .image = i / seeds, .seed = i % seeds, .finished = true};
      const ValueFlag flag = std::isinf(score)   ? ValueFlag::inf
                             : std::isnan(score) ? ValueFlag::failed
                                                 : ValueFlag::ok;
      result.scores = {{std::isfinite(score) ? score : 0, flag, {}}};
      data.add(result);
    }
  return data;
}

std::vector<std::uint32_t> cells_of(const Verdict& verdict) {
  std::vector<std::uint32_t> cells;
  for (const Contender& contender : verdict.contenders) cells.push_back(contender.cell);
  return cells;
}

constexpr double kInf = std::numeric_limits<double>::infinity(),
                 kNone = std::numeric_limits<double>::quiet_NaN();

TEST(Analysis, SeedsAreAveragedBeforePictures) {
  const RunData data = small_run({{30, 32, 40, 44}}, 2);
  const MetricFigures figures = analyse(data).cells[0].metrics[0];
  EXPECT_EQ(figures.scored, 2U);
  EXPECT_THAT(figures.of_picture, ElementsAre(31, 42));
  EXPECT_EQ(figures.mean, 36.5);
  EXPECT_DOUBLE_EQ(figures.spread,
                   11 / std::sqrt(2.0));  // two values 11 apart; over four trials it would be 6.6
}

TEST(Analysis, APictureWithAMissingSeedIsNotScored) {
  const RunData data = small_run({{30, kNone, 40, 44}}, 2);
  EXPECT_EQ(analyse(data).cells[0].metrics[0].scored, 1U);
}

TEST(Analysis, ACellThatMissedTheHardPictureIsNotCalledBest) {
  const RunData data = small_run({{40, 20}, {41, kNone}, {39, 19}});
  const Analysis analysis = analyse(data);
  EXPECT_EQ(analysis.cells[1].metrics[0].mean, 41);
  EXPECT_FALSE(analysis.cells[1].metrics[0].comparable);
  EXPECT_THAT(cells_of(judge_metric(analysis, 0)), ElementsAre(0, 2));
  EXPECT_THAT(analysis.ranking, ElementsAre(0, 2, 1));
}

TEST(Analysis, APictureThatNoCellScoredDoesNotCount) {
  const RunData data = small_run({{40, kNone}, {41, kNone}});
  EXPECT_THAT(cells_of(judge_metric(analyse(data), 0)), ElementsAre(1, 0));
}

TEST(Analysis, InfiniteScoresAreLeftOutOfTheMeanAndCounted) {
  const RunData data = small_run({{kInf, 30}, {40, 31}, {kInf, kInf}});
  const Analysis analysis = analyse(data);
  EXPECT_EQ(analysis.cells[0].metrics[0].mean, 30);
  EXPECT_EQ(analysis.cells[0].metrics[0].infinite, 1U);
  EXPECT_FALSE(analysis.cells[0].metrics[0].comparable);
  EXPECT_EQ(analysis.cells[2].metrics[0].mean, kInf);
  EXPECT_THAT(judge_metric(analysis, 0).leaders(), ElementsAre(2));
}

TEST(Analysis, OneCellIsNotBestOfAnything) {
  const RunData data = small_run({{30}});
  EXPECT_THAT(judge_metric(analyse(data), 0).leaders(), IsEmpty());
}

TEST(Analysis, LowerIsBetterTurnsTheRanking) {
  RunData data = small_run({{30}, {20}});
  data.plan.metrics[0].higher_is_better = false;
  EXPECT_THAT(analyse(data).ranking, ElementsAre(1, 0));
  EXPECT_THAT(cells_of(judge_metric(analyse(data), 0)), ElementsAre(1, 0));
}

TEST(Analysis, EffectIsPairedSoAnUnbalancedAxisDoesNotMislead) {
  // Tile 64 was tried with the good model only: its mean is higher, but on the same model it loses 1 dB.
  RunData data = small_run({{20, 22}, {40, 42}, {39, 41}});
  data.plan.cells[0].label = {{"upscale.model", "weak"}, {"upscale.tile", "none"}};
  data.plan.cells[1].label = {{"upscale.model", "good"}, {"upscale.tile", "none"}};
  data.plan.cells[2].label = {{"upscale.model", "good"}, {"upscale.tile", "64"}};
  const Table table = axes_table(analyse(data));
  ASSERT_EQ(table.rows.size(), 4U);
  EXPECT_EQ(table.rows[2].cells[1].text, "none");
  EXPECT_EQ(table.rows[2].cells[3].value, 31);
  EXPECT_EQ(table.rows[3].cells[3].value, 40);
  EXPECT_EQ(table.rows[3].cells[4].value, -1);
}

TEST(Analysis, TimesOfARepeatedTrialAreThoseOfItsOriginal) {
  const RunData data = test::sample_run();
  const Analysis analysis = analyse(data);
  EXPECT_EQ(analysis.cells[1].model_timed,
            1U);  // picture a alone was timed, and there this cell repeats the first
  EXPECT_EQ(analysis.cells[1].model_seconds, 0.002);
}

// One picture, one cell a letter: equal letters are byte-equal outputs, '-' is none.
RunData run_of_outputs(const std::string& outputs) {
  RunData data;
  data.plan.images.resize(1);
  for (std::uint32_t cell = 0; cell < outputs.size(); ++cell) {
    data.plan.cells.push_back({});
    data.plan.cells.back().label = {{"upscale.model", fmt::format("model {}", cell)}};
    TrialResult result{.cell = cell, .finished = true};
    if (outputs[cell] != '-') result.pixels = sha256(std::string(1, outputs[cell]));
    data.add(result);
  }
  return data;
}

TEST(SamePixels, CellsOfOtherSettingsWithEqualOutputsAreFlagged) {
  const RunData data = run_of_outputs("aba--");
  const Analysis analysis = analyse(data);
  EXPECT_THAT(analysis.same_pixels, ElementsAre(kNoTrial, kNoTrial, 0u, kNoTrial, kNoTrial));
  const Table table = same_pixels_table(analysis);
  ASSERT_EQ(table.rows.size(), 1u);
  EXPECT_EQ(table.rows[0].cells[0].text, "model 2");
  EXPECT_EQ(table.rows[0].cells[1].text, "model 0");
  const Table trials = TrialTable(analysis, TrialTable::For::programs).table(10);
  const auto flags = std::find_if(trials.columns.begin(), trials.columns.end(),
                                  [](const Table::Column& column) { return column.id == "flags"; });
  EXPECT_EQ(trials.rows[2].cells[static_cast<std::size_t>(flags - trials.columns.begin())].text,
            "same-pixels-as model 0");
  EXPECT_THAT(test::headline_of(data).warnings,
              testing::Contains(testing::Field(
                  &Sentence::text, HasSubstr("model 2 gave the very pixels of model 0 on every picture"))));
}

TEST(SamePixels, RepeatsSeedsAndOtherPicturesAreNoFinding) {
  RunData data = run_of_outputs("aa");
  data.trials[1].same_as = 0;
  EXPECT_THAT(analyse(data).same_pixels, testing::Each(kNoTrial));
  data = run_of_outputs("aa");
  data.trials[1].cell = 0;  // another seed of the same cell
  EXPECT_THAT(analyse(data).same_pixels, testing::Each(kNoTrial));
  data = run_of_outputs("aa");
  data.plan.images.resize(2);
  data.trials[1].image = 1;
  EXPECT_THAT(analyse(data).same_pixels, testing::Each(kNoTrial));
}

TEST(PublishedNumbers, StandBesideTheRunsOwnMeans) {
  RunData data = small_run({{30, 32}, {33, 35}});
  data.plan.run.canonical_spec =
      R"({"published": [{"where": [["upscale.model", "B"]], "scores": [["psnr-y", 34.5], ["lpips", 1]], "source": "a paper"},
                        {"where": [["upscale.model", "C"]], "scores": [["psnr-y", 1]], "source": "no such cell"}]})";
  const Table table = published_table(analyse(data));
  ASSERT_EQ(table.rows.size(), 1u);
  const auto& cells = table.rows[0].cells;
  EXPECT_EQ(cells[0].text, "B");
  EXPECT_EQ(cells[2].value, 34.5);
  EXPECT_EQ(cells[3].value, 34.0);
  EXPECT_EQ(cells[4].value, -0.5);
  EXPECT_EQ(cells[5].value, 2.0);
  EXPECT_EQ(cells[6].text, "a paper");
}

TEST(PublishedNumbers, ADamagedSpecInTheStoreHasNone) {
  RunData data = small_run({{30, 32}});
  for (const char* spec : {"", "[]", "{\"published\": 3}", "{\"published\": [{}]}", "not json"}) {
    data.plan.run.canonical_spec = spec;
    EXPECT_TRUE(published_table(analyse(data)).rows.empty()) << spec;
  }
}

TEST(TrialSeconds, WithoutAWholeTheStagesAddUp) {
  const std::vector<TimingRow> timings = {{"upscale", Clock::model, 0, 1},
                                          {"upscale", Clock::model, 1, 3},
                                          {"resize", Clock::model, 0, 0.5},
                                          {"trial", Clock::sweep, 0, 9}};
  EXPECT_EQ(trial_seconds(timings, Clock::model), 2.5);
  EXPECT_EQ(trial_seconds(timings, Clock::sweep), 9);
  EXPECT_TRUE(std::isnan(trial_seconds({}, Clock::model)));
}

TEST(Axes, AParameterOfTwoStagesKeepsItsPath) {
  std::vector<CellRow> cells(2);
  cells[0].label = {{"upscale.tile", "none"}, {"refine.tile", "64"}, {"refine.denoise", "0.2"}};
  cells[1].label = {{"upscale.tile", "64"}, {"refine.tile", "64"}};
  const std::vector<ReportAxis> axes = find_axes(cells);
  EXPECT_EQ(axes[0].title, "upscale.tile");
  EXPECT_EQ(axes[2].title, "denoise");
  EXPECT_EQ(cell_name(axes, 0), "none · denoise 0.2");
  EXPECT_EQ(cell_name(axes, 1), "64");
}

}  // namespace
}  // namespace upbench
