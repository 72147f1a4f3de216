#include <string>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "tests/models/diffusion/tiny_diffusion.h"
#include "tests/support/assets.h"
#include "tests/support/csv.h"
#include "tests/support/program.h"

namespace upbench::test {
namespace {

// A preset, what is smaller than in it, and how many rows it then has.
struct PresetCase {
  std::string name;
  std::vector<std::string> settings;
  std::size_t rows = 0;
};

class RefinePresets : public ::testing::TestWithParam<PresetCase> {};

const char* const kSmallPictures = "images.procedural={count: 1, size: 64, seed: 1}";

TEST_P(RefinePresets, RunOnATinyModel) {
  TemporaryFolder folder;
  write_ldm_checkpoint(folder / "tiny.safetensors", 1);
  write_ldm_checkpoint(folder / "other.safetensors", 2);
  write_safetensors(folder / "control.safetensors", tiny_control_net(4));
  std::vector<std::string> arguments = {
      "run",
      fmt::format("{}/experiments/{}.yaml", UPBENCH_SOURCE_DIR, GetParam().name),
      "--device",
      "cpu",
      "--models",
      folder.path().string(),
      "--store",
      "p.db",
      "--set",
      "timing=none",
      "--keep-outputs",
      "none"};
  for (const std::string& setting : GetParam().settings)
    arguments.insert(arguments.end(), {"--set", setting});
  const ProgramResult made = run_upbench(arguments, {}, folder.path().string());
  ASSERT_EQ(made.exit_code, 0) << made.err;
  const ProgramResult report = run_upbench({"report", "p.db", "--csv", "-"}, {}, folder.path().string());
  ASSERT_EQ(report.exit_code, 0) << report.err;
  const auto rows = parse_csv(report.out);
  EXPECT_EQ(rows.size(), GetParam().rows);
  for (const auto& row : rows) EXPECT_EQ(row.at("status"), "ok") << row.at("reason");
}

INSTANTIATE_TEST_SUITE_P(
    Presets, RefinePresets,
    ::testing::Values(
        PresetCase{
            "denoise-curve", {"refine.checkpoint=tiny", kSmallPictures, "refine.steps=2", "seeds=[0]"}, 16},
        PresetCase{"latent-vs-pixel", {"hires.checkpoint=tiny", kSmallPictures, "hires.steps=2"}, 42},
        PresetCase{
            "usdu-vs-hires",
            {"refine.checkpoint=tiny", kSmallPictures, "refine.steps=2", "refine.tile.size=[none, 32]"},
            6},
        PresetCase{"checkpoint-swap",
                   {"generate.checkpoint=tiny", "generate.prompts=[\"\"]", "generate.size=32x32",
                    "generate.steps=[1, 2]", "hires.checkpoint=[tiny, other]", "hires.steps=2", "seeds=[0]"},
                   4},
        PresetCase{"controlnet-tile",
                   {"refine.checkpoint=tiny", kSmallPictures, "refine.steps=2",
                    "refine.control-net=[none, control]"},
                   12},
        PresetCase{"denoise-quickstart",
                   {kSmallPictures, "refine.steps=2", "refine.tile.size=[none, 32]", "metrics=[psnr-y]"},
                   48},
        PresetCase{"chain", {kSmallPictures, "refine.steps=2"}, 6},
        PresetCase{"pre-downscale",
                   {"refine.checkpoint=tiny", kSmallPictures, "refine.steps=2",
                    "resize.megapixels=[0.0005, 0.001024]"},
                   8}),
    [](const auto& preset) {
      std::string name = preset.param.name;
      std::erase(name, '-');
      return name;
    });

}  // namespace
}  // namespace upbench::test
