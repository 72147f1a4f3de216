#include <filesystem>
#include <fstream>
#include <set>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/models/diffusion/tiny_diffusion.h"
#include "tests/support/assets.h"
#include "tests/support/csv.h"
#include "tests/support/program.h"

namespace upbench::test {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

class RefineTileCommands : public ::testing::Test {
 protected:
  void SetUp() override { write_ldm_checkpoint(folder_ / "tiny.safetensors", 1); }

  ProgramResult run(const std::vector<std::string>& arguments) {
    return run_upbench(arguments, {}, folder_.path().string());
  }
  void write_spec(int size, const std::string& refine) {
    std::ofstream(folder_ / "s.yaml") << fmt::format(
        "name: s\nimages: {{procedural: {{count: 1, size: {}, seed: 1}}, lr: {{scale: 2, kernel: "
        "matlab-bicubic}}}}\npipeline:\n  - upscale: {{model: lanczos}}\n  - refine: {{checkpoint: "
        "tiny.safetensors, guidance: 1, steps: 2, denoise: 0.4, {}}}\nmetrics: [psnr-y]\ntiming: none\n",
        size, refine);
  }
  std::vector<CsvRow> rows(const std::string& store) {
    const ProgramResult report = run({"report", store, "--csv", "-"});
    EXPECT_EQ(report.exit_code, 0) << report.err;
    return parse_csv(report.out);
  }

  TemporaryFolder folder_;
};

TEST_F(RefineTileCommands, EveryModeRunsOnAPictureOf256Pixels) {
  write_spec(
      256,
      "tile: {size: 128, overlap: 32, mode: {zip: [linear, chess, none, linear, multidiffusion, mixture]}, "
      "crop: {zip: [a1111, comfy, a1111, comfy-minimal, a1111, a1111]}, seam-fix: {zip: [none, band, "
      "half-tile-intersections, half-tile, none, none]}}");
  const ProgramResult made = run({"run", "s.yaml", "--device", "cpu"});
  ASSERT_EQ(made.exit_code, 0) << made.err;
  const auto all = rows("s.db");
  ASSERT_EQ(all.size(), 6u);
  std::set<std::string> scores;
  for (const auto& row : all) {
    EXPECT_EQ(row.at("status"), "ok") << row.at("reason");
    scores.insert(row.at("psnr-y"));
  }
  EXPECT_EQ(scores.size(), 6u);
}

TEST_F(RefineTileCommands, MistakesAreRefusedWithTheirPlace) {
  write_spec(32, "tile: {size: 16, mode: lineer}");
  const ProgramResult made = run({"run", "s.yaml", "--device", "cpu"});
  EXPECT_EQ(made.exit_code, 2);
  EXPECT_THAT(made.err, AllOf(HasSubstr("s.yaml:5:"), HasSubstr("refine.tile.mode"), HasSubstr("lineer")));
}

TEST_F(RefineTileCommands, ThePlanDrawsTheTiles) {
  write_spec(64, "tile: {size: [none, 32], mode: [linear, mixture], overlap: 8, seam-fix: [none, band]}");
  const ProgramResult made = run({"plan", "s.yaml", "--device", "cpu", "--tiles", "drawn"});
  ASSERT_EQ(made.exit_code, 0) << made.err;
  EXPECT_THAT(made.out, HasSubstr("4 tiles, 4 evaluations of a picture of 32 x 32"));
  std::size_t drawn = 0, with_seams = 0;
  for (const auto& file : std::filesystem::directory_iterator(folder_ / "drawn")) {
    const std::string svg = read_text(file.path().string());
    EXPECT_THAT(svg, AllOf(::testing::StartsWith("<svg"), ::testing::EndsWith("</svg>\n"),
                           HasSubstr("class=\"seam\"")));
    ++drawn;
    with_seams += svg.find("6 tiles") != std::string::npos;
  }
  EXPECT_EQ(drawn, 4u) << "of the cells with tiles";
  EXPECT_EQ(with_seams, 1u) << "4 tiles and 2 bands";
}

class TilePresets : public RefineTileCommands, public ::testing::WithParamInterface<std::string> {};

// The preset as it is, on small pictures and a tiny checkpoint.
TEST_P(TilePresets, RunOnATinyModel) {
  const std::string preset = fmt::format("{}/experiments/{}.yaml", UPBENCH_SOURCE_DIR, GetParam());
  const ProgramResult made = run(
      {"run",      preset,
       "--device", "cpu",
       "--models", folder_.path().string(),
       "--store",  "p.db",
       "--set",    "refine.checkpoint=tiny",
       "--set",    "images.procedural={count: 1, size: 64, seed: 1}",
       "--set",    GetParam() == "tile-lab" ? "refine.tile.size=[none, 32, 48, 64]" : "refine.tile.size=32",
       "--set",    GetParam() == "tile-lab" ? "refine.tile.overlap=[8, 16]" : "refine.tile.seam-width=16",
       "--set",    "refine.steps=2",
       "--set",    "timing=none"});
  ASSERT_EQ(made.exit_code, 0) << made.err;
  const auto all = rows("p.db");
  EXPECT_EQ(all.size(), GetParam() == "tile-lab" ? 128u : 32u);
  for (const auto& row : all) EXPECT_EQ(row.at("status"), "ok") << row.at("reason");
}

INSTANTIATE_TEST_SUITE_P(Presets, TilePresets, ::testing::Values("usdu-seams", "tile-lab"),
                         [](const auto& preset) {
                           std::string name = preset.param;
                           std::erase(name, '-');
                           return name;
                         });

}  // namespace
}  // namespace upbench::test
