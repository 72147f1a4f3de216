#include <filesystem>
#include <map>
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
using ::testing::Not;

constexpr char kSpec[] = R"(name: line
images:
  path: pictures
  lr: {scale: 2, kernel: matlab-bicubic}
pipeline:
  - upscale: {model: [nearest, lanczos], tile: [none, 24, 64], context: 3}
metrics: [psnr-y]
timing: none
)";

// A folder with a spec over three pictures that the program itself drew.
class RunTest : public ::testing::Test {
 protected:
  void SetUp() override {
    write_text(at("draw.yaml"),
               "name: draw\nimages: {procedural: {count: 3, size: 64, seed: 4}, lr: {scale: 1}}\n"
               "pipeline: [{upscale: {model: nearest}}]\nmetrics: [psnr-rgb]\ntiming: none\n");
    ASSERT_EQ(run({"run", "draw.yaml"}).exit_code, 0);
    ASSERT_EQ(copy_outputs("draw.db.outputs", "pictures", ".png"), 3);
    write_text(at("line.yaml"), kSpec);
  }

  // The outputs of a run as p0, p1, ... in a new folder, without the inputs and references kept beside them.
  int copy_outputs(const std::string& from, const std::string& to, const std::string& ending) {
    std::filesystem::create_directory(at(to));
    int n = 0;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(at(from)))
      if (entry.path().extension() == ".png" && entry.path().parent_path().filename() != "pictures")
        std::filesystem::copy_file(entry.path(), at(to + "/p" + std::to_string(n++) + ending));
    return n;
  }
  // Bytes by name.
  std::map<std::string, std::string> kept_files(const std::string& folder) {
    std::map<std::string, std::string> files;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(at(folder)))
      if (entry.is_regular_file())
        files[entry.path().lexically_relative(at(folder)).string()] = read_text(entry.path().string());
    EXPECT_FALSE(files.empty());
    return files;
  }
  std::string at(const std::string& name) { return (folder_ / name).string(); }
  ProgramResult run(const std::vector<std::string>& arguments) {
    return run_upbench(arguments, {}, folder_.path().string());
  }
  nlohmann::json run_json(std::vector<std::string> arguments) {
    arguments.emplace_back("--json");
    const ProgramResult result = run(arguments);
    EXPECT_EQ(result.exit_code, 0) << result.err;
    return result.out.empty() ? nlohmann::json::object() : nlohmann::json::parse(result.out);
  }

  TemporaryFolder folder_;
};

TEST_F(RunTest, ASecondRunDoesNoWork) {
  const auto first = run_json({"run", "line.yaml"});
  EXPECT_EQ(first["trials"], 18);
  EXPECT_EQ(first["executed"], 12) << "tile 64 covers the 32 px pictures: same as none";
  const auto second = run_json({"run", "line.yaml"});
  EXPECT_EQ(second["executed"], 0);
  EXPECT_EQ(second["stages"], 0);
  EXPECT_EQ(second["ok"], 18);
}

TEST_F(RunTest, OneChangedPictureRunsOnlyItsOwnTrialsAgain) {
  run_json({"run", "line.yaml"});
  std::filesystem::copy_file(at("pictures/p0.png"), at("pictures/p1.png"),
                             std::filesystem::copy_options::overwrite_existing);
  const auto again = run_json({"run", "line.yaml"});
  EXPECT_EQ(again["ok"], 18);
  EXPECT_EQ(again["stages"], 0) << "p1 now holds the pixels of p0, whose outputs are kept";
  write_text(at("draw2.yaml"),
             "name: draw2\nextends: draw.yaml\nimages: {procedural: {count: 1, size: 64, seed: 77}}\n");
  run_json({"run", "draw2.yaml", "--store", "other.db"});
  for (const auto& entry : std::filesystem::recursive_directory_iterator(at("other.db.outputs")))
    if (entry.path().extension() == ".png")
      std::filesystem::copy_file(entry.path(), at("pictures/p2.png"),
                                 std::filesystem::copy_options::overwrite_existing);
  EXPECT_EQ(run_json({"run", "line.yaml"})["stages"], 4) << "2 models x 2 distinct tiles";
}

TEST_F(RunTest, AnAddedMetricRunsNoNetwork) {
  const auto first = run_json({"run", "line.yaml"});
  EXPECT_EQ(first["stages"], 12);
  const auto second = run_json({"run", "line.yaml", "--set", "metrics=[psnr-y,ssim-y,mse]"});
  EXPECT_EQ(second["stages"], 0);
  EXPECT_EQ(second["model_loads"], 0);
  EXPECT_EQ(second["reused"], 12);
  EXPECT_EQ(second["ok"], 18);
  const std::string csv = run({"report", "line.db", "--csv", "-"}).out;
  EXPECT_THAT(csv, HasSubstr("ssim-y"));
  EXPECT_EQ(run_json({"run", "line.yaml", "--set", "metrics=[psnr-y,psnr-y@float]"})["stages"], 12)
      << "the unrounded picture is not kept";
}

TEST_F(RunTest, VerifyingIsNoPartOfWhatIsAskedAndChangesNoFile) {
  const auto plain = run_json({"run", "line.yaml", "--store", "plain.db"}),
             checked = run_json({"run", "line.yaml", "--store", "checked.db", "--verify"});
  EXPECT_EQ(checked["run"], plain["run"]);
  EXPECT_EQ(checked["ok"], 18);
  EXPECT_EQ(kept_files("checked.db.outputs"), kept_files("plain.db.outputs"));
  EXPECT_EQ(run_json({"run", "line.yaml", "--store", "plain.db", "--verify"})["executed"], 0);
}

TEST_F(RunTest, VerifyingSaysWhereThereIsNothingToVerify) {
  const char* nothing = "note: no pictures are kept: --verify has none to read back";
  EXPECT_THAT(run({"run", "line.yaml", "--verify", "--keep-outputs", "none"}).err, HasSubstr(nothing));
  EXPECT_THAT(run({"run", "line.yaml", "--verify", "--store", "all.db"}).err, Not(HasSubstr(nothing)));
}

TEST_F(RunTest, UpscaleThenScoreEqualsRun) {
  // The pictures as low resolution of themselves upscaled by nothing: `run` makes lr by matlab-bicubic, so
  // give it real pairs instead.
  run_json({"run", "draw.yaml", "--set", "name=lr", "--set", "images.procedural.size=32"});
  ASSERT_EQ(copy_outputs("lr.db.outputs", "lr", "x2.png"), 3);
  run_json({"run", "line.yaml", "--set", "images={hr: pictures, lr: lr}", "--set", "upscale.model=lanczos",
            "--set", "upscale.tile=24", "--store", "run.db"});
  ASSERT_EQ(run({"upscale", "lr/p0x2.png", "lr/p1x2.png", "lr/p2x2.png", "--model", "lanczos", "--scale", "2",
                 "--tile", "24", "--context", "3", "-o", "upscaled"})
                .exit_code,
            0);
  const ProgramResult scored = run({"score", "upscaled", "pictures", "--match", "{name}x2", "--metrics",
                                    "psnr-y", "--border", "2", "--json"});
  ASSERT_EQ(scored.exit_code, 0) << scored.err;
  const auto scores = nlohmann::json::parse(scored.out);
  ASSERT_EQ(scores["images"].size(), 3u);
  const auto report = nlohmann::json::parse(
      run({"score", "upscaled", "pictures", "--match", "{name}x2", "--metrics", "psnr-y", "--json"}).out);
  EXPECT_NE(scores["mean"], report["mean"]) << "the border counts";
  const std::string csv = run({"report", "run.db", "--csv", "-"}).out;
  for (const auto& image : scores["images"])
    EXPECT_THAT(csv, HasSubstr(image["scores"]["psnr-y"].dump().substr(0, 12))) << image.dump();
}

TEST_F(RunTest, CellsThatShareAPrefixComputeItOnce) {
  write_text(at("prefix.yaml"), R"(name: prefix
images: {path: pictures, lr: {scale: 2, kernel: matlab-bicubic}}
pipeline:
  - resize: {scale: 1.5, kernel: lanczos}
  - upscale: {model: [nearest, lanczos, bilinear], fit: a1111}
metrics: [psnr-y]
timing: none
)");
  const auto plan = nlohmann::json::parse(run({"plan", "prefix.yaml", "--json"}).out);
  EXPECT_EQ(plan["executions"], 9);
  EXPECT_EQ(plan["shared_stages"], 6);
  EXPECT_EQ(run_json({"run", "prefix.yaml"})["stages"], 9 + 3) << "9 upscales, and one resize a picture";
}

TEST_F(RunTest, ThePlanCountsWhatTheRunDoes) {
  const ProgramResult result = run({"plan", "line.yaml", "--json"});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  const auto plan = nlohmann::json::parse(result.out);
  EXPECT_EQ(plan["trials"], 18);
  EXPECT_EQ(plan["executions"], 12);
  EXPECT_THAT(run({"plan", "line.yaml"}).out, HasSubstr("covers"));
}

TEST_F(RunTest, ScoresDoNotDependOnThreadsOrOrder) {
  run_json({"run", "line.yaml", "--store", "one.db", "--threads", "1"});
  run_json({"run", "line.yaml", "--store", "two.db", "--threads", "2"});
  const auto scores = [&](const char* store) {
    return without_costs(run({"report", store, "--csv", "-"}).out);
  };
  EXPECT_THAT(scores("one.db"), HasSubstr("status=ok"));
  EXPECT_EQ(scores("one.db"), scores("two.db"));
}

TEST_F(RunTest, EveryReportFormatIsWritten) {
  run_json({"run", "line.yaml"});
  const ProgramResult result = run({"report", "line.db", "--html", "r.html", "--markdown", "r.md", "--csv",
                                    "r.csv", "--json", "r.json", "--latex", "r.tex", "--plots", "plots"});
  EXPECT_EQ(result.exit_code, 0) << result.err;
  for (const char* file : {"r.html", "r.md", "r.csv", "r.json", "r.tex"})
    EXPECT_GT(std::filesystem::file_size(at(file)), 100u) << file;
  EXPECT_FALSE(std::filesystem::is_empty(at("plots")));
  EXPECT_TRUE(nlohmann::json::accept(read_text(at("r.json"))));
  EXPECT_THAT(read_text(at("r.csv")), HasSubstr("status"));
}

}  // namespace
}  // namespace upbench::test
