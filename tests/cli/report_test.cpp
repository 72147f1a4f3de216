// upbench report: watching a run, contact sheets.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "datasets/codec/decode.h"
#include "tests/support/assets.h"
#include "tests/support/program.h"

namespace upbench::test {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::Not;

class ReportTest : public ::testing::Test {
 protected:
  void SetUp() override {
    write_text((folder_ / "s.yaml").string(),
               "name: s\nimages: {procedural: {count: 2, size: 32}, lr: {scale: 2}}\n"
               "pipeline: [{upscale: {model: [nearest, lanczos]}}]\nmetrics: [psnr-y]\ntiming: none\n");
  }
  ProgramResult run(const std::vector<std::string>& arguments) {
    return run_upbench(arguments, {}, folder_.path().string());
  }
  std::vector<std::string> sweep(const std::string& keep) {
    return {"run", "s.yaml", "--store", "s.db", "--keep-outputs", keep};
  }

  TemporaryFolder folder_;
};

TEST_F(ReportTest, WatchesARunThatBeginsLater) {
  const pid_t watching = start_upbench(
      {"report", "s.db", "--html", "w.html", "--watch", "--interval", "0.25"}, folder_.path().string());
  EXPECT_EQ(run(sweep("none")).exit_code, 0);
  EXPECT_EQ(wait_for(watching), 0);  // ends with the run
  EXPECT_EQ(run({"report", "s.db", "--html", "r.html"}).exit_code, 0);
  const std::string page = read_text((folder_ / "w.html").string());
  EXPECT_EQ(page, read_text((folder_ / "r.html").string()));
  EXPECT_THAT(page, Not(HasSubstr("http-equiv=\"refresh\"")));
}

TEST_F(ReportTest, SaysHowTheRunCameAbout) {
  ASSERT_EQ(
      run({"run", "s.yaml", "--store", "s.db", "--set", "upscale.model=[nearest, compact-x2]"}).exit_code, 0);
  const auto report = nlohmann::json::parse(run({"report", "s.db", "--json", "-"}).out);
  const auto& tables = report["tables"];
  const auto find = [](const nlohmann::json& table, const char* column, const std::string& text) {
    for (const auto& row : table)
      if (row[column] == text) return row;
    return nlohmann::json();
  };
  const std::string command = find(tables["reproduce"], "step", "the run")["command"];
  EXPECT_THAT(command, HasSubstr("run s.yaml --store s.db --set 'upscale.model=[nearest, compact-x2]'"));
  const auto network = find(tables["weights"], "name", "compact-x2");
  EXPECT_EQ(network["architecture"], "SRVGGNetCompact");
  EXPECT_EQ(network["licence"], "Apache-2.0");
  EXPECT_EQ(network["tensor_hash"].get<std::string>().size(), 64u);
  EXPECT_EQ(find(tables["weights"], "name", "nearest")["licence"], "no weights");
  EXPECT_EQ(find(tables["work"], "work", "upscale")["computed"], 4);
  EXPECT_GT(find(tables["work"], "work", "psnr-y")["cost_total_s"], 0);
}

TEST_F(ReportTest, WatchingNeedsAFile) {
  EXPECT_EQ(run({"report", "s.db", "--watch"}).exit_code, 2);
  EXPECT_EQ(run({"report", "s.db", "--watch", "--csv", "-"}).exit_code, 2);
  EXPECT_EQ(run({"report", "s.db", "--watch", "--html", "a.html", "--sheet", "a.png"}).exit_code, 2);
}

TEST_F(ReportTest, SheetsHoldTheKeptOutputs) {
  ASSERT_EQ(run(sweep("all")).exit_code, 0);
  ASSERT_EQ(run({"report", "s.db", "--sheet", "out/a.png"}).exit_code, 0);
  const Raster sheet = decode_file(folder_ / "out/a.png");
  // Two entries of 160 pixels (labels are wider than the pictures), two of 32 and two lines of 20; gaps of 8.
  EXPECT_EQ(sheet.width, 336);
  EXPECT_EQ(sheet.height, 160);
  ASSERT_EQ(run({"report", "s.db", "--sheet", "a.dzi"}).exit_code, 0);
  EXPECT_TRUE(fs::exists(folder_ / "a_files/9/1_0.png"));
  EXPECT_THAT(run({"report", "s.db", "--sheet", "a.jpg"}).err,
              HasSubstr("expected a name that ends in .png or .dzi"));
}

TEST_F(ReportTest, ASheetWithoutPicturesIsRefused) {
  ASSERT_EQ(run(sweep("none")).exit_code, 0);
  const ProgramResult result = run({"report", "s.db", "--sheet", "a.png"});
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_THAT(result.err, HasSubstr("keeps no output pictures"));
}

}  // namespace
}  // namespace upbench::test
