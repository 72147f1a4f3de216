#include <map>
#include <set>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/support/assets.h"
#include "tests/support/csv.h"
#include "tests/support/program.h"

namespace upbench::test {
namespace {

using ::testing::HasSubstr;

// Per picture: a rung that is nothing (1 stage and 2 upscales for both seeds), two that draw (for each seed 1
// degradation and 2 upscales).
constexpr char kLadder[] = R"(name: ladder
images: {procedural: {count: 2, size: 64, seed: 4}, lr: {scale: 2, kernel: matlab-bicubic}}
pipeline:
  - degrade: {real-esrgan: [0, 0.5, 1]}
  - upscale: {model: [lanczos, bilinear]}
metrics: [psnr-y]
seeds: [0, 1]
timing: none
)";
constexpr int kStagesOfAPicture = 3 + 2 * 2 * 3;

class DegradeTest : public ::testing::Test {
 protected:
  void SetUp() override { write_text((folder_ / "ladder.yaml").string(), kLadder); }

  ProgramResult run(const std::vector<std::string>& arguments) {
    return run_upbench(arguments, {}, folder_.path().string());
  }
  nlohmann::json run_json(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), "run");
    arguments.emplace_back("--json");
    const ProgramResult result = run(arguments);
    EXPECT_EQ(result.exit_code, 0) << result.err;
    return result.out.empty() ? nlohmann::json::object() : nlohmann::json::parse(result.out);
  }
  std::vector<CsvRow> rows() { return parse_csv(run({"report", "ladder.db", "--csv", "-"}).out); }
  // By value of an axis.
  std::map<std::string, double> mean_psnr(const std::string& axis) {
    std::map<std::string, std::pair<double, int>> sums;
    for (const CsvRow& row : rows()) {
      auto& [sum, count] = sums[row.at(axis)];
      sum += std::stod(row.at("psnr-y"));
      ++count;
    }
    std::map<std::string, double> means;
    for (const auto& [value, sum] : sums) means[value] = sum.first / sum.second;
    return means;
  }

  TemporaryFolder folder_;
};

TEST_F(DegradeTest, MoreSevereIsWorseAndASecondRunDoesNothing) {
  const auto first = run_json({"ladder.yaml"});
  EXPECT_EQ(first["ok"], 24);
  EXPECT_EQ(first["stages"], 2 * kStagesOfAPicture);
  const auto psnr = mean_psnr("degrade.real-esrgan");
  EXPECT_GT(psnr.at("0"), psnr.at("0.5") + 1) << "decibels";
  EXPECT_GT(psnr.at("0.5"), psnr.at("1"));
  const auto second = run_json({"ladder.yaml"});
  EXPECT_EQ(second["executed"], 0);
  EXPECT_EQ(second["stages"], 0);
}

TEST_F(DegradeTest, SeedsDrawApartWhereAnythingIsDrawn) {
  run_json({"ladder.yaml"});
  std::map<std::string, std::set<std::string>> scores;  // of one picture and model, by severity
  const std::vector<CsvRow> all = rows();
  for (const CsvRow& row : all)
    if (row.at("upscale.model") == "lanczos" && row.at("picture") == all[0].at("picture"))
      scores[row.at("degrade.real-esrgan")].insert(row.at("psnr-y"));
  EXPECT_EQ(scores.at("0").size(), 1u);
  EXPECT_EQ(scores.at("0.5").size(), 2u);
  EXPECT_EQ(scores.at("1").size(), 2u);
}

TEST_F(DegradeTest, AnAddedPictureRunsNothingOfTheOthersAgain) {
  run_json({"ladder.yaml"});
  const auto before = rows();
  EXPECT_EQ(run_json({"ladder.yaml", "--set", "images.procedural.count=3"})["stages"], kStagesOfAPicture);
  std::set<std::vector<std::string>> after;
  const auto name = [](const CsvRow& row) {
    return std::vector{row.at("picture"), row.at("degrade.real-esrgan"), row.at("upscale.model"),
                       row.at("psnr-y")};
  };
  for (const CsvRow& row : rows()) after.insert(name(row));
  for (const CsvRow& row : before) EXPECT_TRUE(after.contains(name(row))) << row.at("picture");
}

TEST_F(DegradeTest, NoneIsThePipelineWithoutTheStage) {
  const auto set = [](const std::string& pipeline) {
    return std::vector<std::string>{"ladder.yaml", "--set", "seeds=0", "--set", "pipeline=" + pipeline};
  };
  EXPECT_EQ(run_json(set("[{upscale: {model: lanczos}}]"))["stages"], 2);
  EXPECT_EQ(run_json(set("[{degrade: {jpeg: none}}, {upscale: {model: lanczos}}]"))["stages"], 0);
  const auto swept = run_json(set("[{degrade: {jpeg: [none, 60, 10]}}, {upscale: {model: lanczos}}]"));
  EXPECT_EQ(swept["stages"], 2 * 2 * 2) << "2 pictures, 2 qualities, JPEG and upscale";
  const auto psnr = mean_psnr("degrade.jpeg");
  EXPECT_GT(psnr.at("none"), psnr.at("60"));
  EXPECT_GT(psnr.at("60"), psnr.at("10"));
}

TEST_F(DegradeTest, TheStageMayMakeTheLowResolutionItself) {
  const auto result =
      run_json({"ladder.yaml", "--set", "images.lr.scale=1", "--set",
                "pipeline.0.degrade={scale: 2, blur: {sigma: [none, 2]}}", "--set", "seeds=0"});
  EXPECT_EQ(result["ok"], 8);
  const auto psnr = mean_psnr("degrade.blur.sigma");
  EXPECT_GT(psnr.at("none"), psnr.at("2"));
}

TEST_F(DegradeTest, ThePlanSaysWhatCannotBe) {
  const ProgramResult result = run({"plan", "ladder.yaml", "--set", "degrade.jpeg=[none, 60]"});
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.out, HasSubstr("real-esrgan is a whole chain"));
  const ProgramResult wrong = run({"plan", "ladder.yaml", "--set", "degrade.blur.sgma=1"});
  EXPECT_EQ(wrong.exit_code, 2);
  EXPECT_THAT(wrong.err, HasSubstr("unknown key of degrade.blur 'sgma' (did you mean 'sigma'?)"));
}

TEST_F(DegradeTest, TheKeysAreListedWithTheirRanges) {
  const ProgramResult result = run({"list", "degradations"});
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_THAT(result.out, HasSubstr("blur.sigma"));
  EXPECT_THAT(result.out, HasSubstr("a whole number from 1 to 100"));
}

TEST_F(DegradeTest, BorderIsTheSetsScaleTimesWhatTheStageTakesAway) {
  write_text((folder_ / "border.yaml").string(), R"(name: border
images: {procedural: {count: 1, size: 64, seed: 4}, lr: {scale: 2, kernel: matlab-bicubic}}
pipeline:
  - degrade: {scale: 2, kernel: area}
  - upscale: {model: bilinear}
metrics: [psnr-y, psnr-y@b4, psnr-y@b2]
timing: none
)");
  run_json({"border.yaml"});
  const CsvRow scores = parse_csv(run({"report", "border.db", "--csv", "-"}).out).at(0);
  EXPECT_EQ(scores.at("psnr-y"), scores.at("psnr-y@b4"));
  EXPECT_NE(scores.at("psnr-y"), scores.at("psnr-y@b2")) << "the border counts";
}

}  // namespace
}  // namespace upbench::test
