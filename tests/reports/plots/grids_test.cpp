// Grids of two axes: tiles and overlaps, checkpoints and checkpoints.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "tests/reports/plots/plot_checks.h"
#include "tests/reports/sample_run.h"

namespace upbench {
namespace {

using nlohmann::json;
using test::find_plot;

// Each pair of values of two axes is a cell, with three pictures. Score of a metric and cell, seconds of a
// cell.
RunData grid(const std::string& x, const std::vector<std::string>& columns, const std::string& y,
             const std::vector<std::string>& rows, const std::vector<std::string>& metrics) {
  std::vector<std::string> names;
  for (std::size_t i = 0; i < columns.size() * rows.size(); ++i) names.push_back(fmt::format("{}", i));
  RunData data =
      test::scored_run(x, names, 3, metrics, [](std::size_t metric, std::size_t cell, std::size_t picture) {
        return 10.0 * static_cast<double>(metric) + static_cast<double>(cell) +
               0.1 * static_cast<double>(picture);
      });
  for (std::size_t i = 0; i < names.size(); ++i)
    data.plan.cells[i].label = {{x, columns[i % columns.size()]}, {y, rows[i / columns.size()]}};
  for (RunData::Trial& trial : data.trials) trial.sweep_seconds = 1.0 + trial.cell;
  return data;
}

json row_at(const Plot& plot, const std::string& x, const std::string& y) {
  for (const json& row : plot.spec["data"]["values"])
    if (row["x"] == x && row["y"] == y) return row;
  return nullptr;
}

TEST(Grids, TilesByOverlapShowEveryMetricAndTheTime) {
  const RunData data =
      grid("upscale.tile", {"128", "64", "none"}, "upscale.overlap", {"16", "8"}, {"psnr-y", "lpips-seam"});
  const std::vector<Plot> plots = test::plots_of(data);
  const Plot* quality = find_plot(plots, "tiles_upscale_psnr-y");
  ASSERT_NE(quality, nullptr);
  test::expect_whole(*quality);
  EXPECT_EQ(quality->spec["data"]["values"].size(), 6U);
  EXPECT_EQ(quality->spec["encoding"]["x"]["sort"], json({"none", "64", "128"})) << "numbers ascend";
  EXPECT_EQ(quality->spec["encoding"]["y"]["sort"], json({"8", "16"}));
  // Cell 4 is tile 64 with overlap 8: 4.0, 4.1, 4.2.
  EXPECT_DOUBLE_EQ(row_at(*quality, "64", "8")["value"].get<double>(), 4.1);
  EXPECT_EQ(row_at(*quality, "64", "8")["told"], "4.10 dB");
  EXPECT_EQ(row_at(*quality, "64", "8")["n"], 3);
  ASSERT_NE(find_plot(plots, "tiles_upscale_lpips-seam"), nullptr);
  const Plot* time = find_plot(plots, "tiles_upscale_time");
  ASSERT_NE(time, nullptr);
  test::expect_whole(*time);
  EXPECT_DOUBLE_EQ(row_at(*time, "64", "8")["value"].get<double>(), 5);
  EXPECT_EQ(row_at(*time, "64", "8")["shown"], "5.00 s");
}

TEST(Grids, TheBrightEndIsTheBetterOne) {
  const RunData data =
      grid("upscale.tile", {"64", "128"}, "upscale.overlap", {"8", "16"}, {"psnr-y", "lpips-alex"});
  const std::vector<Plot> plots = test::plots_of(data);
  const auto range = [&](const char* name) {
    return find_plot(plots, name)->spec["layer"][0]["encoding"]["color"]["scale"]["range"];
  };
  json higher = range("tiles_upscale_psnr-y"), lower = range("tiles_upscale_lpips-alex");
  EXPECT_EQ(higher.back(), "#fee838");
  EXPECT_EQ(lower.front(), "#fee838");
  // White letters on dark fields, dark ones on bright fields.
  EXPECT_EQ(row_at(*find_plot(plots, "tiles_upscale_psnr-y"), "128", "16")["bright"], true);
  EXPECT_EQ(row_at(*find_plot(plots, "tiles_upscale_lpips-alex"), "128", "16")["bright"], false);
}

TEST(Grids, CheckpointsOfTwoStagesAreAMatrix) {
  const RunData data =
      grid("upscale.model", {"lanczos", "net.pth"}, "refine.checkpoint", {"a", "b"}, {"psnr-y"});
  const std::vector<Plot> plots = test::plots_of(data);
  const Plot* matrix = find_plot(plots, "checkpoints_upscale-model_refine-checkpoint_psnr-y");
  ASSERT_NE(matrix, nullptr);
  test::expect_whole(*matrix);
  EXPECT_DOUBLE_EQ(row_at(*matrix, "b", "net.pth")["value"].get<double>(), 3.1);
}

TEST(Grids, ACellThatMissesAPictureLeavesItsFieldEmpty) {
  RunData data = grid("upscale.tile", {"64", "128"}, "upscale.overlap", {"8", "16"}, {"psnr-y"});
  data.scores[0].flag = ValueFlag::skipped;
  const std::vector<Plot> plots = test::plots_of(data);
  const Plot* quality = find_plot(plots, "tiles_upscale_psnr-y");
  ASSERT_NE(quality, nullptr);
  EXPECT_TRUE(row_at(*quality, "64", "8").is_null());
  EXPECT_EQ(quality->spec["data"]["values"].size(), 3U);
}

TEST(Grids, OneAxisAloneOrTwoStagesAreNone) {
  const RunData one = grid("upscale.tile", {"64", "128"}, "upscale.mode", {"a", "b"}, {"psnr-y"}),
                two = grid("upscale.tile", {"64", "128"}, "refine.overlap", {"8", "16"}, {"psnr-y"});
  for (const RunData* data : {&one, &two})
    for (const Plot& plot : test::plots_of(*data)) {
      EXPECT_FALSE(plot.name.starts_with("tiles")) << plot.name;
      EXPECT_FALSE(plot.name.starts_with("checkpoints")) << plot.name;
    }
}

}  // namespace
}  // namespace upbench
