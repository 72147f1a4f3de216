#include "reports/decision/start_sigma.h"

#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "reports/decision/tables.h"
#include "reports/render/text.h"
#include "tests/reports/sample_run.h"

namespace upbench {
namespace {

using nlohmann::json;
using test::noise;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

// One strength with its start sigma and what that is in A1111's img2img and in diffusers, which have a
// strength for each whole step, and in ComfyUI, which has one for any. 20 uniform steps; reference values of
// the tools, ComfyUI's rounded.
struct Strength {
  const char* denoise;
  double sigma, a1111, diffusers, comfy;
  int steps;
};
constexpr Strength kStrengths[] = {
    {"0.2", 0.596, 0.20, 0.25, 0.22, 5},  {"0.3", 0.878, 0.30, 0.35, 0.33, 7},
    {"0.35", 1.048, 0.35, 0.40, 0.38, 8}, {"0.4", 1.246, 0.40, 0.45, 0.43, 9},
    {"0.5", 1.765, 0.50, 0.55, 0.54, 11}, {"0.6", 2.557, 0.60, 0.65, 0.65, 13}};

std::string refine_settings(double sigma, const json& translation, const std::string& scheduler = "uniform",
                            const std::string& sampler = "euler") {
  return json{{{"id", "upscale"}, {"settings", {{"model", "lanczos"}}}},
              {{"id", "refine"},
               {"settings",
                {{"steps", 20},
                 {"scheduler", scheduler},
                 {"sampler", sampler},
                 {"levels", {{"start_sigma", sigma}, {"translation", translation}}}}}}}
      .dump();
}

json tool(double denoise, double sigma, int steps) {
  return {{"denoise", denoise}, {"start_sigma", sigma}, {"steps", steps}};
}

json translation_of(const Strength& strength) {
  return {{"a1111", tool(strength.a1111, strength.sigma, strength.steps)},
          {"diffusers", tool(strength.diffusers, strength.sigma, strength.steps)},
          {"comfy", tool(strength.comfy, strength.sigma, 20)},
          {"sdcpp-hires", nullptr},
          {"sigma", tool(strength.sigma, strength.sigma, 20)}};
}

double hill(double sigma, double best) {
  return -8 * std::pow(std::log2(sigma / best), 2);
}

// Cells whose psnr-y is best where they start from sigma `best`.
RunData run_of(const std::vector<std::pair<CellLabel, std::string>>& cells, double best,
               const std::vector<double>& sigmas) {
  RunData data = test::scored_run("x", std::vector<std::string>(cells.size(), ""), 20, {"psnr-y"},
                                  [&](std::size_t, std::size_t cell, std::size_t picture) {
                                    return 30 + 5 * noise(picture) + hill(sigmas[cell], best) +
                                           0.1 * noise(picture, cell + 1);
                                  });
  for (std::size_t cell = 0; cell < cells.size(); ++cell) {
    data.plan.cells[cell].label = cells[cell].first;
    data.plan.cells[cell].settings = cells[cell].second;
  }
  return data;
}

RunData a1111_run(double best) {
  std::vector<std::pair<CellLabel, std::string>> cells;
  std::vector<double> sigmas;
  for (const Strength& strength : kStrengths) {
    cells.push_back(
        {{{"refine.denoise", strength.denoise}}, refine_settings(strength.sigma, translation_of(strength))});
    sigmas.push_back(strength.sigma);
  }
  return run_of(cells, best, sigmas);
}

// Of two values of one axis beside denoise, each with sigmas of its own.
RunData two_lines(const std::string& axis, const std::vector<double>& first,
                  const std::vector<double>& second, double best) {
  std::vector<std::pair<CellLabel, std::string>> cells;
  std::vector<double> sigmas;
  for (const bool is_second : {false, true})
    for (const double sigma : is_second ? second : first) {
      const std::string denoise = std::to_string(0.1 + 0.01 * static_cast<double>(sigmas.size()));
      const bool scheduler = axis == "refine.scheduler";
      const std::string value =
          scheduler ? (is_second ? "karras" : "uniform") : (is_second ? "comfy" : "a1111");
      cells.push_back({{{"refine.denoise", denoise}, {axis, value}},
                       refine_settings(sigma, {{"comfy", tool(is_second ? 0.6 : 0.4, sigma, 20)}},
                                       scheduler ? value : "uniform")});
      sigmas.push_back(sigma);
    }
  return run_of(cells, best, sigmas);
}

std::vector<SweetSpot> spots_of(const RunData& data) {
  return find_sweet_spots(analyse(data), {});
}

TEST(StartSigma, ADenoiseAxisIsFollowedOverTheSigmaThatCellsState) {
  const std::vector<SweetSpot> spots = spots_of(a1111_run(1.2));
  ASSERT_EQ(spots.size(), 1u);
  EXPECT_TRUE(spots[0].over_sigma);
  EXPECT_TRUE(spots[0].logarithmic);
  EXPECT_THAT(spots[0].settings, ElementsAre(0.596, 0.878, 1.048, 1.246, 1.765, 2.557));
  EXPECT_EQ(spots[0].response.verdict, ResponseVerdict::sweet_spot);
  EXPECT_NEAR(spots[0].response.best, 1.2, 0.05);  // six settings, 0.1 dB of noise
  EXPECT_LT(spots[0].response.best_interval.low, 1.2);
  EXPECT_GT(spots[0].response.best_interval.high, 1.2);
}

TEST(StartSigma, StrengthsOfOneLevelAreOneSetting) {
  RunData data = a1111_run(1.2);
  // 0.35 and 0.4 as if these started at the same level
  data.plan.cells[3].settings = data.plan.cells[2].settings;
  EXPECT_EQ(spots_of(data)[0].settings.size(), 5u);
}

TEST(StartSigma, WhatMakesNoStepIsNoSettingAndNotTheLowestOne) {
  RunData data = a1111_run(1.2);
  data.plan.cells[0].label[0].second = "0";
  data.plan.cells[0].settings = refine_settings(0, json::object());
  EXPECT_EQ(spots_of(data)[0].settings.front(), 0.878);
}

TEST(StartSigma, WhereOneCellDoesNotStateItTheLabelsAreTheAxis) {
  for (const std::string& settings :
       {std::string(), std::string("{"), std::string("[1, null]"), std::string(R"([{"id": "refine"}])"),
        std::string(R"([{"id": "refine", "settings": {"levels": {"start_sigma": "1"}}}])"),
        std::string(R"([{"id": "refine", "settings": {"levels": {"start_sigma": -1}}}])"),
        std::string(R"([{"id": "other", "settings": {"levels": {"start_sigma": 1}}}])")}) {
    RunData data = a1111_run(1.2);
    data.plan.cells[4].settings = settings;
    const std::vector<SweetSpot> spots = spots_of(data);
    ASSERT_EQ(spots.size(), 1u) << settings;
    EXPECT_FALSE(spots[0].over_sigma) << settings;
    EXPECT_EQ(spots[0].settings.front(), 0.2) << settings;
    EXPECT_THAT(spots[0].denoise, testing::IsEmpty()) << settings;
  }
}

TEST(StartSigma, AnyStageMayHaveTheDenoise) {
  RunData data = a1111_run(1.2);
  for (CellRow& cell : data.plan.cells) {
    json stages = json::parse(cell.settings);
    stages[1]["id"] = "hires.second";
    cell.settings = stages.dump();
    cell.label[0].first = "hires.second.denoise";
  }
  EXPECT_TRUE(spots_of(data)[0].over_sigma);
}

DenoiseStarts starts_of(const RunData& data) {
  return denoise_starts(analyse(data), 0);
}

double denoise_in(const std::string& rule, double sigma) {
  const std::vector<DenoiseTranslation> made = translate_sigma(sigma, starts_of(a1111_run(1.2)), {0, 1});
  EXPECT_EQ(made.size(), 1u);
  for (const auto& found : made.at(0).tools)
    if (found.rule == rule) return found.denoise;
  return -1;
}

TEST(StartSigma, AToolOfWholeStepsGetsItsNearestStrengthAndOthersTheOneBetween) {
  // sqrt(1.048 x 1.246) = 1.143 is half way
  EXPECT_EQ(denoise_in("a1111", 1.14), 0.35);
  EXPECT_EQ(denoise_in("a1111", 1.15), 0.40);
  EXPECT_EQ(denoise_in("diffusers", 1.15), 0.45);
  EXPECT_EQ(denoise_in("comfy", 1.048), 0.38);
  // log(1.2 / 1.048) / log(1.246 / 1.048) = 0.78 of the way from 0.38 to 0.43
  EXPECT_EQ(denoise_in("comfy", 1.2), 0.42);
  // 9 to 11 steps: 10 lie between
  EXPECT_EQ(denoise_in("a1111", 1.48), 0.45);
}

TEST(StartSigma, ATranslationBeyondTheStoredOnesIsTheNearestOrNone) {
  EXPECT_EQ(denoise_in("comfy", 2.9), 0.65);
  EXPECT_EQ(denoise_in("comfy", 0.55), 0.22);
  RunData data = a1111_run(1.2);
  const std::vector<DenoiseTranslation> none = translate_sigma(3.5, starts_of(data), {0});
  EXPECT_TRUE(none.empty()) << "2.557 is 1.37 times off";
}

TEST(StartSigma, TheLevelItselfIsNoTool) {
  EXPECT_EQ(denoise_in("sigma", 1.2), -1);
}

TEST(StartSigma, EachSchedulerHasATranslationAndSamplersWhereTheyDiffer) {
  DenoiseStarts starts(4);
  const auto start = [](const char* scheduler, const char* sampler, double denoise) {
    return DenoiseStart{1, {20, scheduler, sampler}, {{"comfy", denoise, 1, 20}}};
  };
  starts[0] = start("uniform", "euler", 0.4);
  starts[1] = start("karras", "euler", 0.5);
  starts[2] = start("uniform", "heun", 0.4);
  starts[3] = start("uniform", "dpm2", 0.38);
  const std::vector<DenoiseTranslation> made = translate_sigma(1, starts, {0, 1, 2, 3});
  std::vector<std::string> contexts;
  for (const DenoiseTranslation& one : made) contexts.push_back(one.context);
  EXPECT_THAT(contexts, ElementsAre("20 steps, uniform", "20 steps, karras", "20 steps, uniform, dpm2"));
}

TEST(StartSigma, ToolsWithOneStrengthShareIt) {
  EXPECT_EQ(tools_text({{"a1111", 0.35}, {"comfy", 0.4}, {"sdcpp", 0.35}, {"own", 0.4}}),
            "0.35 in A1111's img2img and stable-diffusion.cpp, 0.40 in ComfyUI and own");
  EXPECT_EQ(tools_text(std::vector<DenoiseTranslation::Tool>()), "");
}

// Both tools follow the same hill over sigma, at other sigmas.
TEST(StartSigma, ToolsFallOnOneAxisWhereTheirStretchesOverlap) {
  const RunData data =
      two_lines("refine.as", {0.5, 0.7, 1.0, 1.4, 2.0, 2.8}, {0.6, 0.85, 1.2, 1.7, 2.4}, 1.2);
  const std::vector<SweetSpot> spots = spots_of(data);
  ASSERT_EQ(spots.size(), 3u) << "the average and each tool's";
  EXPECT_THAT(spots[0].settings, ElementsAre(0.6, 0.85, 1.2, 1.7, 2.4)) << "the most within 0.6 to 2.4";
  EXPECT_EQ(spots[0].response.verdict, ResponseVerdict::sweet_spot);
  for (const SweetSpot& spot : spots) EXPECT_NEAR(spot.response.best, 1.2, 0.06) << spot.group;
  EXPECT_EQ(spots[1].settings.size(), 6u);
}

TEST(StartSigma, BetweenTwoSettingsOfAToolItsScoresAreLinearInLogSigma) {
  // Without noise the average at 1.0 is known: one tool has it, the other has 0.5 and 2.0 around it.
  std::vector<std::pair<CellLabel, std::string>> cells;
  const std::vector<double> sigmas = {0.5, 1.0, 2.0, 4.0, 0.25, 0.5, 2.0, 4.0, 8.0};
  for (std::size_t i = 0; i < sigmas.size(); ++i)
    cells.push_back({{{"refine.denoise", std::to_string(i)}, {"refine.as", i < 4 ? "a1111" : "comfy"}},
                     refine_settings(sigmas[i], json::object())});
  RunData data = run_of(cells, 1, sigmas);
  for (RunData::Score& score : data.scores) score.value = 0;
  for (std::size_t t = 0; t < data.trials.size(); ++t)
    data.scores[t].value = 10 * static_cast<double>(data.trials[t].image) +
                           (data.trials[t].cell < 4 ? 1 : 0) + std::log2(sigmas[data.trials[t].cell]);
  const SweetSpot spot = spots_of(data).at(0);
  ASSERT_THAT(spot.settings, ElementsAre(0.5, 1.0, 2.0, 4.0));
  // 95: mean of 10 x picture; 0.5: half of the one that is ahead by 1
  for (std::size_t i = 0; i < 4; ++i) EXPECT_NEAR(spot.means[i], 95.5 + std::log2(spot.settings[i]), 1e-9);
}

TEST(StartSigma, ToolsWithoutACommonStretchHaveEachTheirOwnVerdict) {
  const RunData data = two_lines("refine.as", {0.3, 0.5, 0.8, 1.2}, {1.0, 1.4, 2.0, 2.8, 4.0}, 0.6);
  for (const SweetSpot& spot : spots_of(data)) EXPECT_FALSE(spot.group.empty());
  const Headline headline = test::headline_of(data);
  const auto says = [](const char* words) {
    return testing::Field("text", &Sentence::text, HasSubstr(words));
  };
  EXPECT_THAT(headline.findings, Contains(says("Along denoise (start sigma): with a1111, psnr-y has a sweet "
                                               "spot at sigma 0.6")));
  EXPECT_THAT(headline.findings, Contains(says("with comfy, psnr-y is best at the lower end")));
  EXPECT_EQ(test::plots_of(data)[0].name.find("axis_"), std::string::npos);
}

TEST(StartSigma, TheVerdictNamesSigmaAndEveryToolsStrength) {
  const Headline headline = test::headline_of(a1111_run(1.2));
  EXPECT_THAT(
      headline.findings,
      Contains(testing::Field(
          "text", &Sentence::text,
          testing::MatchesRegex("Along denoise \\(start sigma\\): psnr-y has a sweet spot at sigma "
                                "1\\.[12][0-9] \\[1\\.[0-9]+, 1\\.[0-9]+\\] \\(denoise 0\\.40 in A1111's "
                                "img2img, 0\\.4[12] in ComfyUI, 0\\.45 in diffusers, with 20 steps, "
                                "uniform\\).*"))));
}

TEST(StartSigma, TheTableHasAColumnAToolAndARowAScheduler) {
  const RunData data =
      two_lines("refine.scheduler", {0.6, 0.85, 1.2, 1.7, 2.4}, {0.6, 0.85, 1.2, 1.7, 2.4}, 1.2);
  const Analysis analysis = analyse(data);
  const Decisions decisions = decide(analysis);
  const Table table = denoise_table(analysis, decisions);
  ASSERT_EQ(table.columns.size(), 7u);
  EXPECT_EQ(table.columns[6].id, "denoise_comfy");
  ASSERT_EQ(table.rows.size(), 4u) << "two of the average, one of each scheduler";
  EXPECT_EQ(table.rows[0].cells[5].text, "20 steps, uniform");
  EXPECT_EQ(table.rows[0].cells[6].value, 0.4);
  EXPECT_EQ(table.rows[1].cells[5].text, "20 steps, karras");
  EXPECT_EQ(table.rows[1].cells[6].value, 0.6);
  EXPECT_TRUE(table.rows[0].cells[4].interval);
  EXPECT_THAT(render_text(sweet_spots_table(analysis, decisions)), HasSubstr("denoise (start sigma)"));
  EXPECT_TRUE(denoise_table(analyse(test::sample_run()), decide(analyse(test::sample_run()))).rows.empty());
}

TEST(StartSigma, ThePlotIsOverLogSigmaWithTheToolsStrengthsBesideThePoints) {
  const std::vector<Plot> plots = test::plots_of(a1111_run(1.2));
  for (const Plot& plot : plots)
    EXPECT_THAT(plot.name, Not(HasSubstr("axis_refine"))) << "strengths have no order";
  const auto plot = std::ranges::find(plots, "sweet-spot_refine-denoise_psnr-y", &Plot::name);
  ASSERT_NE(plot, plots.end());
  const json& points = plot->spec["layer"].back();
  EXPECT_EQ(points["encoding"]["x"]["scale"]["type"], "log");
  EXPECT_EQ(points["encoding"]["x"]["title"], "denoise (start sigma)");
  const json& point = points["data"]["values"][2];
  EXPECT_EQ(point["setting"], 1.048);
  EXPECT_EQ(point["denoise"], "0.35 in A1111's img2img, 0.38 in ComfyUI, 0.40 in diffusers");
  for (const json& field : points["encoding"]["tooltip"])
    EXPECT_TRUE(point.contains(field["field"].get<std::string>())) << field;
}

}  // namespace
}  // namespace upbench
