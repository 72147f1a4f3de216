// LibTorch's switches: what a sweep sets, and what its environment and its records say of it.
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "gpu.h"
#include "harness/device_runtime.h"
#include "harness/environment.h"
#include "harness/worker.h"
#include "pretend.h"
#include "tests/support/assets.h"

namespace upbench {
namespace {

TEST(SweepSettings, AreRepeatableUnlessItIsToBeFast) {
  EXPECT_EQ(sweep_settings(false), DeviceSettings{});
  EXPECT_EQ(sweep_settings(true), (DeviceSettings{.search_algorithms = true, .deterministic = false}));
}

TEST(Environment, SaysWhatCudnnMayDo) {
  const DeviceInfo device{.name = "cuda:0", .description = "a GPU"};
  const auto said = [&](bool fast) {
    return nlohmann::json::parse(describe_environment(device, 2, sweep_settings(fast)).json).at("cudnn");
  };
  EXPECT_EQ(said(false), nlohmann::json({{"benchmark", false}, {"deterministic", true}}));
  EXPECT_EQ(said(true), nlohmann::json({{"benchmark", true}, {"deterministic", false}}));
  EXPECT_NE(describe_environment(device, 2, sweep_settings(true)).key,
            describe_environment(device, 2, sweep_settings(false)).key);
}

TEST(Environment, SaysWhatIsInForceWhereNothingElseIsTold) {
  const DeviceSettings before = settings_in_force();
  for (const bool fast : {true, false}) {
    apply(sweep_settings(fast));
    const auto environment = nlohmann::json::parse(describe_environment({.name = "cpu"}, 1).json);
    EXPECT_EQ(environment.at("cudnn").at("benchmark"), fast);
  }
  apply(before);
}

// With the CPU taken for a device, and on a GPU.
class FastSweeps : public testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    if (on_gpu() && !test::no_gpu().empty()) GTEST_SKIP() << test::no_gpu();
    if (!on_gpu()) pretended_.emplace("none");
  }
  void TearDown() override { apply({}); }
  bool on_gpu() const { return std::string(GetParam()) != "cpu"; }

  Sweep sweep(bool fast) const {
    Spec spec = parse_spec(
        "name: fast\nimages: {procedural: {count: 1, size: 32}, lr: {scale: 2}}\n"
        "pipeline:\n  - upscale: {model: compact-x2}\nmetrics: [mse]\ntiming: none\n",
        "fast.yaml", ".");
    std::vector<std::string> command = {"upbench", "run", "fast.yaml"};
    if (fast) command.emplace_back("--fast");
    return prepare_sweep(std::move(spec),
                         {.device = GetParam(), .threads = 2, .fast = fast, .command = command});
  }

  std::optional<test::Pretending> pretended_;
  test::TemporaryFolder folder_;
};
INSTANTIATE_TEST_SUITE_P(Pretended, FastSweeps, testing::Values("cpu"));
INSTANTIATE_TEST_SUITE_P(Cuda, FastSweeps, testing::Values("cuda:0"));

TEST_P(FastSweeps, SetTheSwitchesAndSayItInEnvironmentCommandAndRecord) {
  for (const bool fast : {false, true}) {
    SCOPED_TRACE(fast);
    const Sweep asked = sweep(fast);
    Store store((folder_ / (fast ? "fast.db" : "plain.db")).string());
    ASSERT_EQ(run_sweep(asked, store, {.keep_outputs = KeepOutputs::none}).progress.ok, 1u);
    EXPECT_EQ(settings_in_force(), sweep_settings(fast));

    const RunPlan kept = store.plan(asked.plan.rows.run.key);
    const auto environment = nlohmann::json::parse(kept.environment.json);
    EXPECT_EQ(environment.at("cudnn").at("benchmark"), fast);
    EXPECT_EQ(environment.at("cudnn").at("deterministic"), !fast);
    EXPECT_EQ(nlohmann::json::parse(kept.run.command).back() == "--fast", fast);
    const auto output = store.output(asked.plan.rows.trials.at(0).output);
    ASSERT_TRUE(output);
    EXPECT_EQ(nlohmann::json::parse(output->used).at("fast"), fast);
  }
}

}  // namespace
}  // namespace upbench
