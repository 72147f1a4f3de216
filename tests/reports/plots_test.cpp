#include "reports/plots.h"

#include <set>

#include <gtest/gtest.h>

#include "tests/reports/plots/plot_checks.h"
#include "tests/reports/sample_run.h"

namespace upbench {
namespace {

using nlohmann::json;
using test::find_plot;

std::size_t rows(const Plot& plot) {
  return plot.spec["data"]["values"].size();
}

RunData many(std::uint32_t cells, std::uint32_t images) {
  RunData data;
  data.plan.metrics = {{"psnr-y", "dB", "", true, 1, 0, 2}};
  for (std::uint32_t c = 0; c < cells; ++c) {
    data.plan.cells.push_back({});
    data.plan.cells.back().label = {{"refine.denoise", std::to_string(c)}};
  }
  data.plan.images.resize(images);
  for (std::uint32_t c = 0; c < cells; ++c)
    for (std::uint32_t i = 0; i < images; ++i) {
      TrialResult result{.cell = c, .image = i, .finished = true};
      result.scores = {{c + i * 0.01, ValueFlag::ok, {}}};
      result.timings = {{"trial", Clock::sweep, 0, 1.0 + c}};
      data.add(result);
    }
  return data;
}

TEST(Plots, EveryFieldIsInTheData) {
  const RunData data = test::sample_run();
  const std::vector<Plot> plots = test::plots_of(data);
  // 2 metrics x (time, distance, 2 axes, pictures), ranks of three cells, samples of the model time
  ASSERT_EQ(plots.size(), 12U);
  for (const Plot& plot : plots) test::expect_whole(plot);
}

TEST(Plots, FrontierHoldsWhatNoFasterCellMatches) {
  const RunData data = test::sample_run();
  const std::vector<Plot> plots = test::plots_of(data);
  const Plot* plot = find_plot(plots, "quality-vs-time_ssim-y");
  ASSERT_NE(plot, nullptr);
  std::set<std::string> frontier;
  for (const json& row : plot->spec["data"]["values"])
    if (row["frontier"]) frontier.insert(row["cell"]);
  EXPECT_EQ(frontier, (std::set<std::string>{"lanczos · tile none", "net.pth · tile none"}));
}

TEST(Plots, ThreeNumbersAreACurveAndNamesAreNot) {
  const RunData numbers = many(3, 2), names = test::sample_run();
  const std::vector<Plot> curves = test::plots_of(numbers), lists = test::plots_of(names);
  EXPECT_EQ(find_plot(curves, "axis_refine-denoise_psnr-y")->spec["encoding"]["x"]["type"], "quantitative");
  EXPECT_EQ(find_plot(lists, "axis_upscale-model_psnr-y")->spec["encoding"]["y"]["sort"],
            json({"lanczos", "net.pth"}));
}

TEST(Plots, ASweetSpotIsDrawnWithBandIntervalAndPlateau) {
  const RunData data = test::scored_run("refine.denoise", {"0.1", "0.2", "0.3", "0.4", "0.5"}, 12, {"psnr-y"},
                                        [](std::size_t, std::size_t cell, std::size_t picture) {
                                          const double away = static_cast<double>(cell) - 2;
                                          return 30 - 0.02 * away * away + 0.02 * test::noise(picture, cell);
                                        });
  const std::vector<Plot> plots = test::plots_of(data);
  EXPECT_EQ(find_plot(plots, "axis_refine-denoise_psnr-y"), nullptr) << "the same once more";
  const Plot* plot = find_plot(plots, "sweet-spot_refine-denoise_psnr-y");
  ASSERT_NE(plot, nullptr);
  EXPECT_NE(plot->title.find("sweet spot"), std::string::npos);
  EXPECT_EQ(plot->spec["layer"].size(), 5u);  // plateau, interval of the best, band, curve, settings
  const json& interval = plot->spec["layer"][1]["data"]["values"][0];
  EXPECT_LT(interval["from"], 0.3);
  EXPECT_GT(interval["to"], 0.3);
}

TEST(Plots, DistancesAreThoseOfTheTable) {
  const RunData data = test::scored_run("upscale.model", {"poor", "good", "fair"}, 8, {"psnr-y"},
                                        [](std::size_t, std::size_t cell, std::size_t picture) {
                                          const double level[] = {28, 30, 29};
                                          return level[cell] + static_cast<double>(picture);
                                        });
  const std::vector<Plot> plots = test::plots_of(data);
  const Plot* plot = find_plot(plots, "distance_psnr-y");
  ASSERT_NE(plot, nullptr);
  EXPECT_EQ(rows(*plot), 16u);
  EXPECT_EQ(plot->spec["data"]["values"][0]["cell"], "fair");
  EXPECT_EQ(plot->spec["data"]["values"][0]["value"], 1);
  const Plot* ranks = find_plot(plots, "ranks_psnr-y");
  ASSERT_NE(ranks, nullptr);
  EXPECT_EQ(ranks->spec["data"]["values"][0]["first"], "100 %");
}

TEST(Plots, ManyPicturesBecomeQuantiles) {
  const RunData data = many(30, 100);
  const std::vector<Plot> plots = test::plots_of(data);
  const Plot* plot = find_plot(plots, "pictures_psnr-y");
  ASSERT_NE(plot, nullptr);
  EXPECT_EQ(rows(*plot), 30U);
  EXPECT_DOUBLE_EQ(plot->spec["data"]["values"][0]["value"].get<double>(),
                   29 + 0.495);  // median of 29.00 ... 29.99
}

TEST(Plots, NoPlotHasMoreThanFiveThousandMarks) {
  const RunData data = many(6000, 1);
  for (const Plot& plot : test::plots_of(data)) {
    EXPECT_LE(rows(plot) * plot.spec["layer"].size(), 5000U) << plot.name;
    EXPECT_NE(plot.caption.find("left out"), std::string::npos) << plot.name;
  }
}

TEST(Plots, NamesAreSafeForFilesAndDistinct) {
  const RunData data = test::hostile_run("../../etc/passwd");
  std::set<std::string> names;
  for (const Plot& plot : test::plots_of(data)) {
    EXPECT_EQ(plot.name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-_"), std::string::npos)
        << plot.name;
    EXPECT_TRUE(names.insert(plot.name).second) << plot.name;
  }
}

TEST(Plots, NothingScoredGivesNoPlot) {
  const RunData data = test::unfinished_run();
  EXPECT_TRUE(test::plots_of(data).empty());
}

}  // namespace
}  // namespace upbench
