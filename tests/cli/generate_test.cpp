#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/models/diffusion/text/clip_vocabulary.h"
#include "tests/models/diffusion/tiny_diffusion.h"
#include "tests/support/assets.h"
#include "tests/support/csv.h"
#include "tests/support/program.h"

namespace upbench::test {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

class GenerateCommands : public ::testing::Test {
 protected:
  void SetUp() override {
    write_ldm_checkpoint(folder_ / "tiny.safetensors", 1);
    std::filesystem::create_directories(folder_ / "tokenizer");
    write_small_vocabulary(folder_ / "tokenizer");
  }
  ProgramResult run(const std::vector<std::string>& arguments) {
    return run_upbench(arguments, {}, folder_.path().string());
  }
  void write_spec(const std::string& generate, const std::string& rest = "") {
    std::ofstream(folder_ / "s.yaml") << "name: s\ngenerate: {checkpoint: tiny.safetensors, steps: 3, "
                                      << generate << "}\nmetrics: [psnr-y]\ntiming: none\n"
                                      << rest;
  }

  TemporaryFolder folder_;
};

TEST_F(GenerateCommands, PromptsBecomePicturesThatAreReported) {
  write_spec("prompts: [low, \"\"], size: [16x16, 24x16]",
             "seeds: [0, 1]\npipeline:\n  - resize: {scale: 2}\n"
             "  - refine: {checkpoint: tiny.safetensors, denoise: 0.5, steps: 4, prompt: [sidecar, none]}\n");
  const ProgramResult plan = run({"plan", "s.yaml", "--device", "cpu"});
  ASSERT_EQ(plan.exit_code, 0) << plan.err;
  EXPECT_THAT(plan.out, AllOf(HasSubstr("generate.size: 16x16, 24x16"), HasSubstr("trials         16")));
  const ProgramResult made = run({"run", "s.yaml", "--device", "cpu", "--keep-outputs", "all"});
  ASSERT_EQ(made.exit_code, 0) << made.err;
  const ProgramResult report = run({"report", "s.db", "--csv", "-"});
  ASSERT_EQ(report.exit_code, 0) << report.err;
  const auto rows = parse_csv(report.out);
  ASSERT_EQ(rows.size(), 2u * 2 * 2 * 2) << "sizes, prompts of refine, items, seeds";
  for (const auto& row : rows) EXPECT_EQ(row.at("status"), "ok") << row.at("reason");
  EXPECT_EQ(rows[0].at("picture"), "prompt-001");
  const ProgramResult page = run({"report", "s.db"});
  EXPECT_THAT(page.out, AllOf(HasSubstr("prompt (sidecar): low"), HasSubstr("prompt (sidecar): empty")));
}

// As a stage's setting: where it has no step it is the run without it.
TEST_F(GenerateCommands, ARefinerMakesTheLastSteps) {
  write_ldm_checkpoint(folder_ / "second.safetensors", 2);
  write_spec(
      "prompts: [\"\"], size: 16x16, guidance: 1, refiner: [none, second.safetensors], refiner-at: [0.4, 1]",
      "");
  const ProgramResult made = run({"run", "s.yaml", "--device", "cpu"});
  ASSERT_EQ(made.exit_code, 0) << made.err;
  EXPECT_THAT(made.out, HasSubstr("4 trials: 4 ok, 0 failed, 0 skipped; 2 run now"));
  const std::string store = read_text((folder_ / "s.db").string());
  EXPECT_NE(store.find("\"refiner\":{\"architecture\":\"other\",\"at\":0.4"), std::string::npos);
  write_diffusers_folder(folder_ / "other", 2);  // whose latents have another scale
  write_spec("prompts: [\"\"], size: 16x16, guidance: 1, refiner: other", "");
  const ProgramResult refused = run({"run", "s.yaml", "--device", "cpu"});
  EXPECT_NE(refused.exit_code, 0);
  EXPECT_THAT(refused.out + refused.err, HasSubstr("refiner other: latents of"));
}

TEST_F(GenerateCommands, MistakesAreRefusedBeforeAnyWork) {
  for (const auto& [settings, reason] : {std::pair{"prompts: none.txt", "none.txt: cannot be opened"},
                                         {"prompts: [\"\"], size: 15x16", "expected multiples of 2"},
                                         {"prompts: [\"\"], size: 0x16", "generate.size"}}) {
    write_spec(settings);
    const ProgramResult made = run({"run", "s.yaml", "--device", "cpu"});
    EXPECT_EQ(made.exit_code, 2) << settings;
    EXPECT_THAT(made.err, HasSubstr(reason));
  }
}

}  // namespace
}  // namespace upbench::test
