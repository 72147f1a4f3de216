// Samples of the model time, and how costs grow with the picture.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "tests/reports/plots/plot_checks.h"
#include "tests/reports/sample_run.h"

namespace upbench {
namespace {

using nlohmann::json;
using test::find_plot;

// Cells fast and slow on pictures whose sides double: time in proportion to the pixels.
RunData growing(std::size_t pictures) {
  RunData data = test::scored_run("upscale.model", {"fast", "slow"}, pictures, {"psnr-y"},
                                  [](std::size_t, std::size_t, std::size_t) { return 30.0; });
  for (RunData::Trial& trial : data.trials) {
    trial.width = 64 + 8 * static_cast<int>(trial.image);
    trial.height = 100;
    trial.sweep_seconds = (trial.cell + 1) * 1e-6 * trial.width * trial.height;
    trial.peak_bytes = trial.cell == 0 ? 0 : static_cast<std::uint64_t>(1 << 20) * (trial.image + 1);
  }
  return data;
}

TEST(TimingSamples, EveryLapIsATickAndTheMedianHasItsInterval) {
  RunData data = test::sample_run();
  for (auto& [trial, laps] : data.laps) {
    data.trials[trial].model_time = data.keep({.low = 0.9 * laps[1], .high = 1.2 * laps[1]});
    break;
  }
  const std::vector<Plot> plots = test::plots_of(data);
  const Plot* plot = find_plot(plots, "timing-samples");
  ASSERT_NE(plot, nullptr);
  test::expect_whole(*plot);
  EXPECT_EQ(plot->spec["data"]["values"].size(), 9U);  // 3 laps of 3 cells; the fourth repeats one
  const json& medians = plot->spec["layer"][2]["data"]["values"];
  ASSERT_EQ(medians.size(), 3U);
  EXPECT_EQ(medians[0]["line"], "lanczos · tile none");
  EXPECT_DOUBLE_EQ(medians[0]["value"].get<double>(), 0.002);
  EXPECT_DOUBLE_EQ(medians[0]["low"].get<double>(), 0.0018);
  EXPECT_DOUBLE_EQ(medians[0]["high"].get<double>(), 0.0024);
  EXPECT_EQ(plot->spec["layer"][0]["encoding"]["x"]["scale"]["type"], "log") << "milliseconds beside seconds";
}

TEST(TimingSamples, ManyLapsBecomeQuantiles) {
  RunData data = test::sample_run();
  for (auto& [trial, laps] : data.laps) {
    laps.clear();
    for (int i = 0; i <= 1000; ++i) laps.push_back(1 + i * 0.001);
  }
  const std::vector<Plot> plots = test::plots_of(data);
  const Plot* plot = find_plot(plots, "timing-samples");
  ASSERT_NE(plot, nullptr);
  EXPECT_EQ(plot->spec["data"]["values"].size(), 12U);
  EXPECT_NEAR(plot->spec["data"]["values"][0]["value"].get<double>(), 1.05, 1e-9);
  EXPECT_LE(test::marks_of(*plot), 5000U);
}

TEST(TimingSamples, AbsentWithoutModelTimes) {
  const RunData data = growing(3);
  EXPECT_EQ(find_plot(test::plots_of(data), "timing-samples"), nullptr);
}

TEST(CostGrowth, OnePointASizeOverLogarithmicAxes) {
  const RunData data = growing(4);
  const std::vector<Plot> plots = test::plots_of(data);
  const Plot* time = find_plot(plots, "growth_time");
  ASSERT_NE(time, nullptr);
  test::expect_whole(*time);
  ASSERT_EQ(time->spec["data"]["values"].size(), 8U);
  const json& first = time->spec["data"]["values"][0];
  EXPECT_DOUBLE_EQ(first["megapixels"].get<double>(), 0.0064);
  EXPECT_DOUBLE_EQ(first["cost"].get<double>(), 0.0064);
  EXPECT_EQ(time->spec["encoding"]["x"]["scale"]["type"], "log");
  EXPECT_EQ(time->spec["encoding"]["y"]["scale"]["type"], "log");
  const Plot* memory = find_plot(plots, "growth_memory");
  ASSERT_NE(memory, nullptr);
  test::expect_whole(*memory);
  EXPECT_EQ(memory->spec["data"]["values"].size(), 4U) << "the device does not tell for the other cell";
  EXPECT_DOUBLE_EQ(memory->spec["data"]["values"][3]["cost"].get<double>(), 4);
  EXPECT_EQ(memory->spec["data"]["values"][3]["shown"], "4.00 MiB");
}

TEST(CostGrowth, ManySizesAreJoinedAndNoneIsLost) {
  const RunData data = growing(3000);
  const std::vector<Plot> plots = test::plots_of(data);
  const Plot* time = find_plot(plots, "growth_time");
  ASSERT_NE(time, nullptr);
  EXPECT_LE(test::marks_of(*time), 500U);
  std::size_t pictures = 0;
  for (const json& row : time->spec["data"]["values"]) pictures += row["n"].get<std::size_t>();
  EXPECT_EQ(pictures, 6000U);
}

TEST(CostGrowth, OneSizeIsNoGrowth) {
  RunData data = growing(4);
  for (RunData::Trial& trial : data.trials) trial.width = 64;
  const std::vector<Plot> plots = test::plots_of(data);
  EXPECT_EQ(find_plot(plots, "growth_time"), nullptr);
  EXPECT_EQ(find_plot(plots, "growth_memory"), nullptr);
}

}  // namespace
}  // namespace upbench
