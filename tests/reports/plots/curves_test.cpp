// All metrics along one setting, artifact rates, results over many versions.
#include <cmath>
#include <map>
#include <set>
#include <string>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "reports/artifact_rates.h"
#include "reports/plots/history_plots.h"
#include "tests/reports/plots/plot_checks.h"
#include "tests/reports/sample_run.h"

namespace upbench {
namespace {

using nlohmann::json;
using test::find_plot;

// Denoise from 0.1 on, sigma ten times as much; A1111 calls it the same, ComfyUI half of it. psnr-y is best
// at sigma 3, lpips (lower is better) at sigma 4.
RunData sweep() {
  std::vector<std::string> strengths;
  for (int i = 1; i <= 6; ++i) strengths.push_back(fmt::format("0.{}", i));
  RunData data = test::scored_run("refine.denoise", strengths, 12, {"psnr-y", "lpips-alex"},
                                  [](std::size_t metric, std::size_t cell, std::size_t picture) {
                                    const double away = static_cast<double>(cell) + 1 - (metric == 0 ? 3 : 4);
                                    const double noise = 0.02 * test::noise(picture, cell + 10 * metric);
                                    return metric == 0 ? 30 - 0.2 * away * away + noise
                                                       : 0.1 + 0.01 * away * away + 0.01 * noise;
                                  });
  for (std::size_t i = 0; i < strengths.size(); ++i) {
    const double denoise = 0.1 * static_cast<double>(i + 1), sigma = 10 * denoise;
    const auto tool = [&](double strength) {
      return json{{"denoise", strength}, {"start_sigma", sigma}, {"steps", 20}};
    };
    data.plan.cells[i].settings =
        json{{{"id", "refine"},
              {"settings",
               {{"steps", 20},
                {"scheduler", "karras"},
                {"sampler", "euler"},
                {"levels",
                 {{"start_sigma", sigma},
                  {"translation", {{"a1111", tool(denoise)}, {"comfy", tool(denoise / 2)}}}}}}}}}
            .dump();
  }
  return data;
}

TEST(Responses, EveryMetricIsOnOneSigmaAxisWithTheToolsStrengths) {
  const RunData data = sweep();
  const std::vector<Plot> plots = test::plots_of(data);
  const Plot* plot = find_plot(plots, "responses_refine-denoise");
  ASSERT_NE(plot, nullptr);
  test::expect_whole(*plot);
  ASSERT_EQ(plot->spec["layer"].size(), 4U);                     // curves, settings, strengths, names
  std::map<std::string, std::pair<double, double>> range, best;  // share, and where it is 1
  for (const json& row : plot->spec["data"]["values"]) {
    auto& [low, high] = range.try_emplace(row["metric"], 1.0, 0.0).first->second;
    const double share = row["share"];
    low = std::min(low, share);
    if (share > high) {
      high = share;
      best[row["metric"]].first = row["setting"];
    }
  }
  ASSERT_EQ(range.size(), 2U);
  for (const auto& [metric, shares] : range) {
    EXPECT_NEAR(shares.first, 0, 0.02) << metric;
    EXPECT_NEAR(shares.second, 1, 0.02) << metric << ": up is better, whatever the metric";
  }
  EXPECT_NEAR(best["psnr-y"].first, 3, 0.3);
  EXPECT_NEAR(best["lpips-alex"].first, 4, 0.3);
  // Strengths stand at their sigma, in a row of their tool.
  const json& strengths = plot->spec["layer"][2]["data"]["values"];
  std::map<std::string, std::size_t> of_tool;
  for (const json& row : strengths) {
    ++of_tool[row["tool"]];
    const double factor = row["tool"] == "ComfyUI" ? 20 : 10;
    EXPECT_NEAR(std::stod(row["shown"].get<std::string>()) * factor, row["setting"].get<double>(), 1e-9);
  }
  EXPECT_EQ(of_tool.size(), 2U);
  EXPECT_GE(of_tool["A1111's img2img"], 5U);
  EXPECT_NE(plot->caption.find("20 steps, karras"), std::string::npos);
}

TEST(Responses, NoiseIsDashedAndStaysInTheFrame) {
  RunData data = sweep();
  for (std::size_t i = 1; i < data.scores.size(); i += 2)  // lpips: level but for noise of its last digits
    data.scores[i].value = 0.3 + 1e-7 * test::noise(i, 3);
  const std::vector<Plot> plots = test::plots_of(data);
  const Plot* plot = find_plot(plots, "responses_refine-denoise");
  ASSERT_NE(plot, nullptr);
  std::set<std::string> effects;
  for (const json& layer : {plot->spec["data"], plot->spec["layer"][1]["data"]})
    for (const json& row : layer["values"]) {
      effects.insert(row["metric"].get<std::string>() + ": " + row["effect"].get<std::string>());
      EXPECT_GE(row["share"].get<double>(), -1e-9);
      EXPECT_LE(row["share"].get<double>(), 1 + 1e-9);
    }
  EXPECT_EQ(effects, (std::set<std::string>{"psnr-y: effect", "lpips-alex: no effect"}));
}

TEST(Responses, AMetricThatDoesNotChangeIsLeftOut) {
  RunData data = sweep();
  for (std::size_t i = 1; i < data.scores.size(); i += 2) data.scores[i].value = 0.3;
  for (const Plot& plot : test::plots_of(data)) EXPECT_FALSE(plot.name.starts_with("responses")) << plot.name;
}

TEST(Responses, OneMetricAloneHasItsOwnPlot) {
  const RunData data =
      test::scored_run("refine.denoise", {"0.1", "0.2", "0.3", "0.4"}, 12, {"psnr-y"},
                       [](std::size_t, std::size_t cell, std::size_t picture) {
                         return 30.0 - static_cast<double>(cell) + 0.1 * test::noise(picture, cell);
                       });
  for (const Plot& plot : test::plots_of(data)) EXPECT_FALSE(plot.name.starts_with("responses")) << plot.name;
}

// A tiled cell with a seam in every fourth of 20 pictures, a whole one without; halos nowhere.
RunData seams() {
  RunData data = test::scored_run("upscale.tile", {"64", "none"}, 20, {"seam", "halo"},
                                  [](std::size_t, std::size_t, std::size_t) { return 1.0; });
  for (std::size_t t = 0; t < data.trials.size(); ++t) {
    const bool seam = data.trials[t].cell == 0 && data.trials[t].image % 4 == 0;
    data.set_decision(t, 0, seam ? RunData::Decision::flagged : RunData::Decision::clean);
    data.set_decision(t, 1, RunData::Decision::clean);
  }
  data.calibrated_by = {{"seam", "7"}, {"halo", "7"}};
  data.gating = {"seam"};
  return data;
}

TEST(ArtifactPlots, PointAndBarAreTheRateAndWilsonsInterval) {
  const RunData data = seams();
  const std::vector<Plot> plots = test::plots_of(data);
  const Plot* plot = find_plot(plots, "artifacts_seam");
  ASSERT_NE(plot, nullptr);
  test::expect_whole(*plot);
  const json& rows = plot->spec["data"]["values"];
  ASSERT_EQ(rows.size(), 2U);
  const json& tiled = rows[0]["line"] == "64" ? rows[0] : rows[1];
  EXPECT_DOUBLE_EQ(tiled["rate"].get<double>(), 0.25);
  EXPECT_NEAR(tiled["low"].get<double>(), 0.112, 1e-3);  // Wilson of 5 of 20
  EXPECT_NEAR(tiled["high"].get<double>(), 0.469, 1e-3);
  EXPECT_EQ(plot->spec["layer"][1]["encoding"]["x"]["scale"]["domain"], json({0, 1})) << "the whole range";
  EXPECT_EQ(find_plot(plots, "artifacts_halo"), nullptr);
  const Plot* any = find_plot(plots, "artifacts_any-artifact");
  ASSERT_NE(any, nullptr);
  EXPECT_NE(any->caption.find("No picture is flagged by: halo"), std::string::npos);
}

TEST(ArtifactPlots, DetectorsAreNotDrawnAsQualityBesideMetricsOfIt) {
  RunData data = seams();
  data.plan.metrics[1].name = "psnr-y";
  data.calibrated_by = {{"seam", "7"}};
  std::set<std::string> names;
  for (const Plot& plot : test::plots_of(data)) names.insert(plot.name);
  EXPECT_TRUE(names.contains("pictures_psnr-y"));
  EXPECT_FALSE(names.contains("pictures_seam"));
  EXPECT_TRUE(names.contains("artifacts_seam"));
}

TEST(ArtifactPlots, ClassesOfPicturesHaveTheirOwn) {
  RunData data = seams();
  for (std::size_t i = 0; i < data.plan.images.size(); ++i)
    data.plan.images[i].notes = {i % 4 == 0 ? "class: text" : "class: leaf"};
  const std::vector<Plot> plots = test::plots_of(data);
  const Plot* plot = find_plot(plots, "artifact-classes_seam");
  ASSERT_NE(plot, nullptr);
  test::expect_whole(*plot);
  std::map<std::string, double> rates;
  for (const json& row : plot->spec["data"]["values"]) rates[row["line"]] = row["rate"];
  EXPECT_EQ(rates, (std::map<std::string, double>{
                       {"text · 64", 1}, {"leaf · 64", 0}, {"text · none", 0}, {"leaf · none", 0}}));
}

TEST(ArtifactPlots, AbsentWithoutDetectors) {
  const RunData data = test::sample_run();
  for (const Plot& plot : test::plots_of(data)) EXPECT_FALSE(plot.name.starts_with("artifact")) << plot.name;
}

HistoryReport history(std::size_t runs, std::size_t cells) {
  HistoryReport report;
  for (std::size_t i = 0; i < runs; ++i) report.labels.push_back(fmt::format("r{}", i));
  for (std::size_t c = 0; c < cells; ++c) {
    HistorySeries series{.cell = fmt::format("cell {}", c), .metric = "psnr-y", .unit = "dB", .decimals = 2};
    series.pictures = 5;
    for (std::size_t i = 0; i < runs; ++i) {
      series.runs.push_back(i);
      series.values.push_back(i < runs / 2 ? 30 : 29);
    }
    series.changes.push_back({.first = runs / 2,
                              .last_before = runs / 2 - 1,
                              .before = 30,
                              .after = 29,
                              .worsening = 1,
                              .p = 0.01});
    report.series.push_back(series);
  }
  return report;
}

TEST(HistoryPlots, ALineACellAndAMarkWhereTheLevelChanges) {
  const std::vector<Plot> plots = history_plots(history(8, 2));
  ASSERT_EQ(plots.size(), 1U);
  const Plot& plot = plots[0];
  test::expect_whole(plot);
  EXPECT_EQ(plot.name, "history_psnr-y");
  EXPECT_EQ(plot.spec["data"]["values"].size(), 16U);
  EXPECT_EQ(plot.spec["data"]["values"][0]["run"], 1);
  EXPECT_EQ(plot.spec["data"]["values"][0]["label"], "r0");
  const json& changes = plot.spec["layer"][0]["data"]["values"];
  ASSERT_EQ(changes.size(), 2U);
  EXPECT_DOUBLE_EQ(changes[0]["at"].get<double>(), 4.5) << "between the fourth run and the fifth";
  EXPECT_EQ(changes[0]["shown"], "30.00 dB to 29.00 dB");
  EXPECT_EQ(changes[0]["kind"], "worse");
}

TEST(HistoryPlots, CellsAreNamedByWhatTellsThemApart) {
  HistoryReport report = history(4, 2);
  report.series[0].cell = "upscale.model = a.pth, upscale.tile = 64, upscale.overlap = 8";
  report.series[1].cell = "upscale.model = a.pth, upscale.tile = none, upscale.overlap = 8";
  EXPECT_EQ(history_plots(report)[0].spec["layer"][1]["encoding"]["color"]["scale"]["domain"],
            json({"64", "none"}));
  report.series[1].cell = "upscale.model = a.pth, upscale.mode = 64, upscale.overlap = 8";
  EXPECT_EQ(history_plots(report)[0].spec["layer"][1]["encoding"]["color"]["scale"]["domain"],
            json({report.series[0].cell, report.series[1].cell}))
      << "equal values of other settings";
}

TEST(HistoryPlots, ManyRunsAreJoinedWithTheirRange) {
  const std::vector<Plot> plots = history_plots(history(4000, 20));
  ASSERT_EQ(plots.size(), 1U);
  EXPECT_EQ(plots[0].spec["data"]["values"].size(), 12U * 120);
  EXPECT_LE(test::marks_of(plots[0]), 5000U);
  EXPECT_NE(plots[0].caption.find("8 cells are left out"), std::string::npos);
}

TEST(HistoryPlots, OneRunIsNoHistory) {
  EXPECT_TRUE(history_plots(history(1, 2)).empty());
}

}  // namespace
}  // namespace upbench
