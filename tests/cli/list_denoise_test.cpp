#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/support/program.h"

namespace upbench {
namespace {

using testing::HasSubstr;

// Every tool at denoise 0.4 of 20 uniform steps, from the tools' own rules, by hand: start sigma to three
// digits, and the timestep, which ComfyUI rounds.
TEST(ListDenoise, SaysWhatEveryToolStartsFrom) {
  const test::ProgramResult result =
      test::run_upbench({"list", "denoise", "--steps", "20", "--scheduler", "uniform", "--json"});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  struct Expected {
    int steps;
    double sigma, timestep;
  };
  // 999 (1 - i / 19) at i = 11; of 50 steps 999 (1 - i / 49) at i = 30, of 49 (single precision) at 29;
  // diffusers one step fewer than A1111.
  const std::map<std::string, Expected> expected = {
      {"a1111", {9, 1.246, 999 * 8 / 19.0}}, {"a1111-hires", {20, 1.117, 999 * 19 / 49.0}},
      {"comfy", {20, 1.117, 387}},           {"diffusers", {8, 1.048, 999 * 7 / 19.0}},
      {"sdcpp", {9, 1.246, 999 * 8 / 19.0}}, {"sdcpp-hires", {21, 1.194, 999 * 20 / 49.0}},
  };
  std::size_t found = 0;
  for (const auto& row : nlohmann::json::parse(result.out)) {
    if (row["denoise"] != 0.4) continue;
    const Expected& tool = expected.at(row["as"]);
    EXPECT_EQ(row["steps"], tool.steps) << row;
    EXPECT_NEAR(row["start_sigma"], tool.sigma, 5.1e-4) << row;  // half a unit of the last digit
    EXPECT_NEAR(row["start_timestep"], tool.timestep, 1e-6) << row;
    ++found;
  }
  EXPECT_EQ(found, expected.size());
}

TEST(ListDenoise, PrintsTheSameAsATable) {
  const test::ProgramResult result =
      test::run_upbench({"list", "denoise", "--steps", "20", "--scheduler", "uniform"});
  EXPECT_THAT(result.out, HasSubstr("\n   0.40     9  1.2458 420.6    20  1.1171 387.4    20  1.1171 387.0"));
  EXPECT_THAT(result.out, HasSubstr("20 steps, scheduler uniform"));
}

TEST(ListDenoise, RefusesWhatItDoesNotKnow) {
  const auto error = [](const std::vector<std::string>& options) {
    std::vector<std::string> arguments = {"list", "denoise"};
    arguments.insert(arguments.end(), options.begin(), options.end());
    const test::ProgramResult result = test::run_upbench(arguments);
    EXPECT_EQ(result.exit_code, 2);
    EXPECT_EQ(result.out, "");
    return result.err;
  };
  EXPECT_THAT(error({"--scheduler", "karas"}),
              HasSubstr("unknown scheduler 'karas', expected one of uniform, karras"));
  EXPECT_THAT(error({"--steps", "0"}), HasSubstr("steps is 0, expected 1 .. 10000"));
  EXPECT_THAT(error({"--steps", "-3"}), HasSubstr("steps is -3"));
  EXPECT_THAT(error({"--steps", "20000"}), HasSubstr("steps is 20000"));
}

}  // namespace
}  // namespace upbench
