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

using ::testing::HasSubstr;

class HiresCommands : public ::testing::Test {
 protected:
  void SetUp() override {
    for (int i = 0; i <= 5; ++i)
      write_ldm_checkpoint(folder_ / fmt::format("tiny{}.safetensors", i), 1 + static_cast<std::uint64_t>(i));
  }
  ProgramResult run(const std::vector<std::string>& arguments) {
    return run_upbench(arguments, {}, folder_.path().string());
  }
  void write_spec(const std::string& text) { std::ofstream(folder_ / "s.yaml") << text; }
  nlohmann::json stages_of_status() {
    const ProgramResult status = run({"status", "s.db", "--json"});
    EXPECT_EQ(status.exit_code, 0) << status.err;
    return nlohmann::json::parse(status.out).at("runs").at(0).at("stages");
  }

  TemporaryFolder folder_;
};

// The first pass is one execution for all checkpoints of the second, in latent and in pixel mode, and a row
// for each says so.
TEST_F(HiresCommands, OneBaseAndFiveHiresCheckpointsGenerateOnce) {
  write_spec(
      "name: s\ngenerate: {checkpoint: tiny0.safetensors, prompts: [\"\"], size: 32x32, steps: 2, guidance: "
      "1}\n"
      "pipeline:\n  - hires: {checkpoint: [tiny1.safetensors, tiny2.safetensors, tiny3.safetensors, "
      "tiny4.safetensors, tiny5.safetensors], upscaler: [latent, lanczos], denoise: 0.5}\n"
      "metrics: [psnr-y]\ntiming: none\n");
  const ProgramResult made = run({"run", "s.yaml", "--device", "cpu", "--keep-outputs", "none"});
  ASSERT_EQ(made.exit_code, 0) << made.err;
  const nlohmann::json expected = {{{"stage", "generate"}, {"executed", 1}, {"reused", 9}},
                                   {{"stage", "hires"}, {"executed", 10}, {"reused", 0}}};
  EXPECT_EQ(stages_of_status(), expected);
  EXPECT_THAT(run({"status", "s.db"}).out, HasSubstr("generate: computed 1 times, shared 9 times"));
}

// A picture of 32 x 32 to 64 x 64, upscalers of both kinds.
TEST_F(HiresCommands, AGivenPictureIsEnlargedAndReported) {
  write_spec(
      "name: s\nimages: {procedural: {count: 1, size: 64, seed: 1}, lr: {scale: 2, kernel: "
      "matlab-bicubic}}\n"
      "pipeline:\n  - hires: {checkpoint: tiny0.safetensors, upscaler: [latent, latent-bislerp, lanczos, "
      "none, compact-x2], denoise: 0.3, steps: 2, guidance: 1}\nmetrics: [psnr-y]\ntiming: none\n");
  const ProgramResult made = run({"run", "s.yaml", "--device", "cpu", "--keep-outputs", "none"});
  ASSERT_EQ(made.exit_code, 0) << made.err;
  const ProgramResult report = run({"report", "s.db", "--csv", "-"});
  ASSERT_EQ(report.exit_code, 0) << report.err;
  const auto rows = parse_csv(report.out);
  ASSERT_EQ(rows.size(), 5u);
  std::set<std::string> scores;
  for (const auto& row : rows) {
    EXPECT_EQ(row.at("status"), "ok") << row.at("reason");
    scores.insert(row.at("psnr-y"));
  }
  EXPECT_EQ(scores.size(), 4u) << "lanczos and none are the same, the others differ";
}

}  // namespace
}  // namespace upbench::test
