#include <filesystem>
#include <fstream>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/datasets/picture_files.h"
#include "tests/models/diffusion/text/clip_vocabulary.h"
#include "tests/models/diffusion/tiny_diffusion.h"
#include "tests/support/assets.h"
#include "tests/support/csv.h"
#include "tests/support/program.h"

namespace upbench::test {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

class RefineCommands : public ::testing::Test {
 protected:
  void SetUp() override { write_ldm_checkpoint(folder_ / "tiny.safetensors", 1); }
  ProgramResult run(const std::vector<std::string>& arguments) {
    return run_upbench(arguments, {}, folder_.path().string());
  }
  void write_spec(const std::string& refine) {
    std::ofstream(folder_ / "s.yaml")
        << "name: s\nimages: {procedural: {count: 2, size: 16, seed: 1}, lr: {scale: 2, kernel: "
           "matlab-bicubic}}\n"
           "pipeline:\n  - upscale: {model: lanczos}\n  - refine: {checkpoint: tiny.safetensors, "
        << refine << "}\nmetrics: [psnr-y]\ntiming: none\n";
  }

  TemporaryFolder folder_;
};

// Two strengths that are one, with all that a report says of them.
TEST_F(RefineCommands, ADenoiseAxisRunsAndIsReported) {
  write_spec("denoise: [0.2, 0.24, 0.5], steps: 10, guidance: 1");
  const ProgramResult made = run({"run", "s.yaml", "--device", "cpu"});
  ASSERT_EQ(made.exit_code, 0) << made.err;
  const ProgramResult report = run({"report", "s.db", "--csv", "-"});
  ASSERT_EQ(report.exit_code, 0) << report.err;
  const auto rows = parse_csv(report.out);
  ASSERT_EQ(rows.size(), 6u) << "3 strengths, 2 pictures";
  for (const auto& row : rows) EXPECT_EQ(row.at("status"), "ok") << row.at("reason");
  EXPECT_EQ(rows[0].at("psnr-y"), rows[2].at("psnr-y"));
  EXPECT_NE(rows[0].at("psnr-y"), rows[4].at("psnr-y"));
}

TEST_F(RefineCommands, MistakesAreRefusedBeforeAnyWork) {
  write_spec("denoise: 1.2");
  const ProgramResult strength = run({"run", "s.yaml", "--device", "cpu"});
  EXPECT_EQ(strength.exit_code, 2);
  EXPECT_THAT(strength.err, AllOf(HasSubstr("denoise 1.2"), HasSubstr("expected 0 to 1")));
  write_spec("denoise: 0.3, prompt: a cat");
  const ProgramResult prompt = run({"run", "s.yaml", "--device", "cpu"});
  EXPECT_EQ(prompt.exit_code, 2);
  EXPECT_THAT(prompt.err, HasSubstr("CLIP's vocabulary"));
  write_spec("denoise: 0.3, vae: missing.safetensors");
  const ProgramResult vae = run({"run", "s.yaml", "--device", "cpu"});
  EXPECT_EQ(vae.exit_code, 2);
  EXPECT_THAT(vae.err, HasSubstr("no checkpoint 'missing.safetensors'"));
}

// A changed sidecar runs again what it changes, and nothing else; a missing one fails its picture's trials.
TEST_F(RefineCommands, PromptsBesidePicturesAreUsed) {
  std::filesystem::create_directories(folder_ / "tokenizer");
  write_small_vocabulary(folder_ / "tokenizer");
  std::filesystem::create_directories(folder_ / "set");
  for (const int seed : {1, 2, 3})
    write_png(folder_ / fmt::format("set/p{}.png", seed),
              random_raster(8, 8, 3, 8, static_cast<unsigned>(seed)));
  std::ofstream(folder_ / "set/p1.txt") << "low";
  std::ofstream(folder_ / "set/p2.txt") << "l o w";
  std::ofstream(folder_ / "s.yaml") << "name: s\nimages: {lr: set}\npipeline:\n  - refine: {checkpoint: "
                                       "tiny.safetensors, denoise: 0.5, steps: 4, prompt: [sidecar, none]}\n"
                                       "metrics: none\ntiming: none\n";
  const auto rows_of = [&] {
    const ProgramResult made = run({"run", "s.yaml", "--device", "cpu"});
    EXPECT_EQ(made.exit_code, 3) << made.err << "some trials failed";
    const ProgramResult report = run({"report", "s.db", "--csv", "-"});
    EXPECT_EQ(report.exit_code, 0) << report.err;
    return std::pair{parse_csv(report.out), made.out + made.err};
  };
  const ProgramResult plan = run({"plan", "s.yaml", "--device", "cpu"});
  EXPECT_THAT(plan.out, AllOf(HasSubstr("prompts that cannot be used"), HasSubstr("p3: prompt: sidecar")));
  const auto rows = rows_of().first;
  ASSERT_EQ(rows.size(), 6u) << "2 prompts, 3 pictures";
  for (std::size_t i = 0; i < rows.size(); ++i) EXPECT_EQ(rows[i].at("status"), i == 2 ? "failed" : "ok");
  EXPECT_THAT(rows[2].at("reason"), AllOf(HasSubstr("no such file"), HasSubstr("p3.txt")));
  std::ofstream(folder_ / "set/p2.txt") << "w o l";
  const auto [again, said] = rows_of();
  EXPECT_THAT(said, HasSubstr("6 run now (4 of them from outputs in the store)"));
  for (std::size_t i = 0; i < again.size(); ++i) EXPECT_EQ(again[i].at("status"), rows[i].at("status"));
}

// A folder of diffusers by its name, although a file inside it has that stem too.
TEST_F(RefineCommands, AFolderInAModelsFolderIsACheckpoint) {
  write_diffusers_folder(folder_ / "models/model", 2);
  write_spec("denoise: 0.3, steps: 2, guidance: 1");
  const ProgramResult made =
      run({"run", "s.yaml", "--device", "cpu", "--models", "models", "--set", "refine.checkpoint=model"});
  EXPECT_EQ(made.exit_code, 0) << made.err;
}

TEST_F(RefineCommands, InspectNamesTheParts) {
  const ProgramResult made = run({"inspect", "tiny.safetensors"});
  EXPECT_EQ(made.exit_code, 0);
  EXPECT_THAT(made.out, AllOf(HasSubstr("other: UNet, autoencoder, 1 text encoder"), HasSubstr("LDM")));
}

}  // namespace
}  // namespace upbench::test
