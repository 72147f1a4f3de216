#include <filesystem>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/support/assets.h"
#include "tests/support/program.h"

namespace upbench::test {
namespace {

using ::testing::HasSubstr;

constexpr char kSpec[] = R"(name: history
images: {procedural: {count: 3, size: 48, seed: 2}, lr: {scale: 2, kernel: matlab-bicubic}}
pipeline: [{upscale: {model: compact-x2, tile: 16, context: 8}}]
metrics: [psnr-y]
timing: none
)";

class HistoryTest : public ::testing::Test {
 protected:
  void SetUp() override {
    write_text((folder_ / "history.yaml").string(), kSpec);
    ASSERT_EQ(run({"run", "history.yaml", "--store", "good.db"}).exit_code, 0);
    ASSERT_EQ(run({"run", "history.yaml", "--store", "bad.db", "--set", "upscale.context=0"}).exit_code, 0);
  }
  ProgramResult run(const std::vector<std::string>& arguments,
                    const std::vector<std::string>& variables = {}) {
    return run_upbench(arguments, variables, folder_.path().string());
  }
  TemporaryFolder folder_;
};

TEST_F(HistoryTest, ShowsBetweenWhichRevisionsResultsChanged) {
  for (int i = 0; i < 8; ++i)
    ASSERT_EQ(run({"history", "add", "h.jsonl", i < 4 ? "good.db" : "bad.db", "--revision",
                   "r" + std::to_string(i)})
                  .exit_code,
              0);
  const ProgramResult shown = run({"history", "show", "h.jsonl", "--markdown", "h.md"});
  EXPECT_EQ(shown.exit_code, 0) << shown.err;
  EXPECT_THAT(shown.out, HasSubstr("after r3, up to and with r4"));
  EXPECT_THAT(read_text((folder_ / "h.md").string()), HasSubstr("8 runs, r0 to r7; 1 change"));
  const auto json = nlohmann::json::parse(run({"history", "show", "h.jsonl", "--json"}).out);
  EXPECT_EQ(json["schema"], "upbench-history-report-1");
  EXPECT_EQ(json["series"][0]["changes"][0]["first"], 4);
  EXPECT_GT(json["series"][0]["changes"][0]["worsening"], 0);
}

TEST_F(HistoryTest, AReportShowsItsPlots) {
  for (const char* revision : {"r0", "r1"})
    ASSERT_EQ(run({"history", "add", "h.jsonl", "good.db", "--revision", revision}).exit_code, 0);
  const ProgramResult written =
      run({"report", "good.db", "--history", "h.jsonl", "--plots", "plots", "--html", "page.html"});
  ASSERT_EQ(written.exit_code, 0) << written.err;
  const auto plot = nlohmann::json::parse(read_text((folder_ / "plots/history_psnr-y.vl.json").string()));
  ASSERT_EQ(plot["data"]["values"].size(), 2u);
  EXPECT_EQ(plot["data"]["values"][1]["label"], "r1");
  EXPECT_THAT(read_text((folder_ / "page.html").string()), HasSubstr("id=\"history\">History</h2>"));
  const ProgramResult refused =
      run({"report", "good.db", "--history", "history.yaml", "--html", "page.html"});
  EXPECT_EQ(refused.exit_code, 2);
  EXPECT_THAT(refused.err, HasSubstr("history.yaml:1"));
}

TEST_F(HistoryTest, TakesTheRevisionThatCiNames) {
  ASSERT_EQ(run({"history", "add", "h.jsonl", "good.db"}, {"GITHUB_SHA=0123456789abcdef0123"}).exit_code, 0);
  EXPECT_THAT(run({"history", "show", "h.jsonl"}).out, HasSubstr("1 run, 0123456789ab to"));
}

TEST_F(HistoryTest, OutsideCiTakesTheCommitThatIsCheckedOut) {
  const std::vector<std::string> no_ci{"GITHUB_SHA=",  "CI_COMMIT_SHA=", "BUILDKITE_COMMIT=",
                                       "CIRCLE_SHA1=", "GIT_COMMIT=",    "BUILD_SOURCEVERSION="};
  std::filesystem::create_directories(folder_ / ".git/refs/heads");
  write_text((folder_ / ".git/HEAD").string(), "ref: refs/heads/main\n");
  write_text((folder_ / ".git/packed-refs").string(), "# pack-refs\nfeedfacefeedface refs/heads/main\n");
  ASSERT_EQ(run({"history", "add", "h.jsonl", "good.db"}, no_ci).exit_code, 0);
  write_text((folder_ / ".git/refs/heads/main").string(), "cafecafecafecafe\n");
  ASSERT_EQ(run({"history", "add", "h.jsonl", "good.db"}, no_ci).exit_code, 0);
  EXPECT_THAT(run({"history", "show", "h.jsonl"}).out, HasSubstr("2 runs, feedfacefeed to cafecafecafe"));
}

TEST_F(HistoryTest, WrongFilesAreRefused) {
  EXPECT_EQ(run({"history", "show", "none.jsonl"}).exit_code, 2);
  EXPECT_EQ(run({"history", "add", "h.jsonl", "none.db"}).exit_code, 2);
  write_text((folder_ / "broken.jsonl").string(), "{}\n");
  const ProgramResult broken = run({"history", "add", "broken.jsonl", "good.db", "--revision", "r"});
  EXPECT_EQ(broken.exit_code, 2);
  EXPECT_THAT(broken.err, HasSubstr("broken.jsonl:1"));
  EXPECT_EQ(read_text((folder_ / "broken.jsonl").string()), "{}\n");
}

}  // namespace
}  // namespace upbench::test
