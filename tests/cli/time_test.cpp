#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/support/assets.h"
#include "tests/support/program.h"

namespace upbench::test {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class TimeTest : public ::testing::Test {
 protected:
  void SetUp() override {
    write_text((folder_ / "t.yaml").string(),
               "name: t\nimages: {procedural: {count: 2, size: 32}, lr: {scale: 2}}\n"
               "pipeline: [{upscale: {model: [lanczos, compact-x2]}}]\nmetrics: [mse]\ntiming: none\n");
  }
  ProgramResult run(const std::vector<std::string>& arguments) {
    return run_upbench(arguments, {}, folder_.path().string());
  }

  TemporaryFolder folder_;
};

TEST_F(TimeTest, MeasuresOnceWhatTheSpecLeftOutAndReportsIt) {
  EXPECT_THAT(run({"run", "t.yaml"}).out, Not(HasSubstr("model time  sweep time")));
  const std::vector<std::string> time = {"run", "t.yaml", "--time", "--time-budget", "2", "--json"};
  const auto first = nlohmann::json::parse(run(time).out);
  EXPECT_EQ(first["executed"], 0);
  EXPECT_EQ(first["timing"]["measured"], 2);  // two cells, the first picture
  EXPECT_EQ(first["timing"]["failures"].size(), 0u);
  const auto second = nlohmann::json::parse(run(time).out);
  EXPECT_EQ(second["timing"]["measured"], 0);
  EXPECT_EQ(second["timing"]["known"], 2);

  EXPECT_THAT(run({"report", "t.db", "--csv", "-"}).out, HasSubstr("cost_model_samples,cost_model_mad_s"));
  const std::string markdown = run({"report", "t.db", "--markdown", "-"}).out;
  EXPECT_THAT(markdown, HasSubstr("## Model time"));
  EXPECT_THAT(markdown, HasSubstr("Peaks of the device: fp32 arithmetic"));
}

TEST_F(TimeTest, ABudgetAloneIsAMistake) {
  const ProgramResult result = run({"run", "t.yaml", "--time-budget", "2"});
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_THAT(result.err, HasSubstr("--time"));
}

TEST(Doctor, TellsPeaksAndTheCudaModule) {
  const auto doctor = nlohmann::json::parse(run_upbench({"doctor", "--json"}).out);
  int peaks = 0, modules = 0;
  for (const auto& check : doctor["checks"]) {
    peaks += check["what"] == "peak cpu";
    modules += check["what"] == "CUDA module";
    EXPECT_TRUE(check["warning"].is_boolean());
  }
  EXPECT_EQ(peaks, 3);  // fp32, bf16, copy
  EXPECT_EQ(modules, 1);
}

}  // namespace
}  // namespace upbench::test
