#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/support/assets.h"
#include "tests/support/program.h"

namespace upbench::test {
namespace {

using ::testing::HasSubstr;

constexpr char kSpec[] = R"(name: gate
images: {procedural: {count: 12, size: 48, seed: 2}, lr: {scale: 2, kernel: matlab-bicubic}}
pipeline: [{upscale: {model: [lanczos, compact-x2]}}]
metrics: [psnr-y, ssim-y]
timing: none
)";

class CompareTest : public ::testing::Test {
 protected:
  void SetUp() override {
    write_text((folder_ / "gate.yaml").string(), kSpec);
    run({"run", "gate.yaml", "--store", "base.db"});
  }
  ProgramResult run(const std::vector<std::string>& arguments) {
    return run_upbench(arguments, {}, folder_.path().string());
  }
  TemporaryFolder folder_;
};

TEST_F(CompareTest, AStoreAndItsBaselineAreTheSame) {
  ASSERT_EQ(run({"baseline", "base.db", "-o", "base.json"}).exit_code, 0);
  const ProgramResult result = run({"compare", "base.json", "base.db"});
  EXPECT_EQ(result.exit_code, 0) << result.out << result.err;
  EXPECT_THAT(result.out, HasSubstr("4 no worse"));
}

TEST_F(CompareTest, AliasedInputsFailTheGate) {
  run({"run", "gate.yaml", "--store", "new.db", "--set", "images.lr.kernel=nearest"});
  const ProgramResult result = run({"compare", "base.db", "new.db", "--json", "--junit", "verdict.xml"});
  EXPECT_EQ(result.exit_code, 1) << result.out << result.err;
  const auto verdict = nlohmann::json::parse(result.out);
  EXPECT_EQ(verdict["schema"], "upbench-verdict-1");
  EXPECT_EQ(verdict["exit_code"], 1);
  EXPECT_THAT(read_text((folder_ / "verdict.xml").string()), HasSubstr("<failure message=\"regressed"));
}

TEST_F(CompareTest, AnUnfinishedRunIsIncomplete) {
  run({"run", "gate.yaml", "--store", "new.db", "--set", "upscale.model=lanczos"});
  const ProgramResult result = run({"compare", "base.db", "new.db"});
  EXPECT_EQ(result.exit_code, 3);
  EXPECT_THAT(result.out, HasSubstr("cell upscale.model = compact-x2"));
}

TEST_F(CompareTest, WrongRequestsAreRefusedWithTheFile) {
  EXPECT_EQ(run({"compare", "base.db", "none.db"}).exit_code, 2);
  write_text((folder_ / "broken.json").string(), "{\"schema\": 7}");
  const ProgramResult broken = run({"compare", "broken.json", "base.db"});
  EXPECT_EQ(broken.exit_code, 2);
  EXPECT_THAT(broken.err, HasSubstr("broken.json"));
  write_text((folder_ / "policy.yaml").string(), "metrics: {psnr-y: {tolerance: 1}}\n");
  const ProgramResult policy = run({"compare", "base.db", "base.db", "--policy", "policy.yaml"});
  EXPECT_EQ(policy.exit_code, 2);
  EXPECT_THAT(policy.err, HasSubstr("margin is missing"));
  EXPECT_EQ(run({"compare", "base.db", "base.db", "--run", "ffffffff"}).exit_code, 2);
}

}  // namespace
}  // namespace upbench::test
