#include <chrono>
#include <random>
#include <thread>

#include <gtest/gtest.h>
#include <signal.h>
#include <nlohmann/json.hpp>

#include "tests/support/assets.h"
#include "tests/support/csv.h"
#include "tests/support/program.h"

namespace upbench::test {
namespace {

constexpr int kKills = 50;

// Enough small trials that a kill falls somewhere inside most of the time.
constexpr char kSpec[] = R"(name: kill
images:
  procedural: {count: 400, size: 32, seed: 9}
  lr: {scale: 2, kernel: matlab-bicubic}
pipeline:
  - upscale: {model: [nearest, lanczos, bilinear], tile: [none, 16], context: 2}
metrics: [psnr-y, psnr-rgb, mse]
timing: none
)";

std::uint64_t finished(const std::string& store) {
  const ProgramResult result = run_upbench({"status", store, "--json"});
  if (result.exit_code != 0) return 0;
  const auto status = nlohmann::json::parse(result.out);
  return status["runs"].empty() ? 0 : status["runs"][0]["ok"].get<std::uint64_t>();
}

TEST(Kill, FiftyKillsLoseNothingAndTheResumedStoreEqualsAnUninterruptedOne) {
  const TemporaryFolder folder;
  const std::string spec = (folder / "spec.yaml").string(), whole = (folder / "whole.db").string(),
                    cut = (folder / "cut.db").string();
  write_text(spec, kSpec);
  ASSERT_EQ(run_upbench({"run", spec, "--store", whole}).exit_code, 0);

  std::mt19937 random(7);
  std::uniform_int_distribution<int> delay_ms(50, 700);
  std::uint64_t before = 0;
  int interrupted = 0;
  for (int i = 0; i < kKills; ++i) {
    const pid_t process = start_upbench({"run", spec, "--store", cut, "--threads", "1"});
    std::this_thread::sleep_for(std::chrono::milliseconds(delay_ms(random)));
    kill(process, SIGKILL);
    interrupted += wait_for(process) == 128 + SIGKILL;
    if (i % 10 == 9) {
      const std::uint64_t now = finished(cut);
      EXPECT_GE(now, before) << "acknowledged trials were lost";
      before = now;
    }
  }
  EXPECT_GT(interrupted, 0);
  ASSERT_EQ(run_upbench({"run", spec, "--store", cut}).exit_code, 0);
  const ProgramResult expected = run_upbench({"report", whole, "--csv", "-"}),
                      actual = run_upbench({"report", cut, "--csv", "-"});
  ASSERT_EQ(actual.exit_code, 0) << actual.err;
  EXPECT_EQ(without_costs(actual.out), without_costs(expected.out));
}

}  // namespace
}  // namespace upbench::test
