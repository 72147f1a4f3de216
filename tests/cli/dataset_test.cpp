#include <filesystem>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/support/assets.h"
#include "tests/support/csv.h"
#include "tests/support/program.h"

namespace upbench::test {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::ContainsRegex;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr char kSpec[] =
    "name: s\nimages: {}\npipeline: [{upscale: {model: [nearest, lanczos]}}]\nmetrics: [psnr-y]\n"
    "timing: none\n";

class DatasetCommand : public ::testing::Test {
 protected:
  std::string at(const std::string& name) { return (folder_ / name).string(); }
  ProgramResult run(const std::vector<std::string>& arguments) {
    return run_upbench(arguments, {}, folder_.path().string());
  }
  // A set of three drawn pictures in `folder`.
  void draw(const std::string& folder, const std::string& seed = "1") {
    const ProgramResult made = run({"dataset", "make", folder, "--procedural", "text,dead-leaves", "--count",
                                    "3", "--size", "48", "--scale", "2", "--seed", seed});
    ASSERT_EQ(made.exit_code, 0) << made.err;
  }
  // The rows of a run of kSpec with these pictures.
  std::vector<CsvRow> rows(const std::string& images, const std::string& store, int exit_code = 0) {
    write_text(at("s.yaml"), kSpec);
    const ProgramResult result = run({"run", "s.yaml", "--set", "images=" + images, "--store", store});
    EXPECT_EQ(result.exit_code, exit_code) << result.err;
    return parse_csv(run({"report", store, "--csv", "-"}).out);
  }
  static bool is_utf8_json(const std::string& text) { return nlohmann::json::accept(text); }

  TemporaryFolder folder_;
};

TEST_F(DatasetCommand, HelpShowsAnExample) {
  for (const char* command : {"check", "make"}) {
    const ProgramResult help = run({"dataset", command, "--help"});
    EXPECT_EQ(help.exit_code, 0);
    EXPECT_THAT(help.out, HasSubstr("Examples:"));
  }
  EXPECT_THAT(run({"--help"}).out, HasSubstr("dataset"));
  EXPECT_EQ(run({"dataset"}).exit_code, 2);
}

TEST_F(DatasetCommand, AMadeSetIsCleanAndWorksAtOnceInASpec) {
  draw("set");
  const ProgramResult check = run({"dataset", "check", "set/set.yaml"});
  EXPECT_EQ(check.exit_code, 0) << check.out;
  EXPECT_THAT(check.out, HasSubstr("3 pictures, 3 usable, 0 problems, 0 warnings, 0 notes"));
  EXPECT_EQ(rows("{manifest: set/set.yaml}", "m.db").size(), 6U);
}

TEST_F(DatasetCommand, AMadeSetScoresAsInputsMadeOnTheFlyDo) {
  draw("drawn");
  ASSERT_EQ(
      run({"dataset", "make", "set", "--from", "drawn/hr", "--scale", "3", "--kernel", "area"}).exit_code, 0);
  const auto made = rows("{manifest: set/set.yaml}", "a.db");
  const auto fly = rows("{path: drawn/hr, lr: {scale: 3, kernel: area}}", "b.db");
  ASSERT_EQ(made.size(), fly.size());
  for (std::size_t i = 0; i < made.size(); ++i) EXPECT_EQ(made[i].at("psnr-y"), fly[i].at("psnr-y")) << i;
}

TEST_F(DatasetCommand, VerifyingChangesNothingOfTheSet) {
  draw("drawn");
  const std::vector<std::string> make{"dataset", "make", "plain", "--from", "drawn/hr", "--scale", "2"};
  EXPECT_THAT(run(make).out, HasSubstr("plain/set.yaml: 3 pictures, 0 failed"));
  std::vector<std::string> verified = make;
  verified[2] = "verified";
  verified.emplace_back("--verify");
  EXPECT_THAT(run(verified).out, HasSubstr("verified/set.yaml: 3 pictures, read back, 0 failed"));
  for (const char* name : {"set.yaml", "lr/text-000x2.png", "hr/text-000.png"})
    EXPECT_EQ(read_text(at(std::string("verified/") + name)), read_text(at(std::string("plain/") + name)));
}

TEST_F(DatasetCommand, EveryReaderOfAFolderSaysWhatItLeavesOut) {
  draw("drawn");
  for (const char* name : {"a.txt", "b.txt", "Thumbs.db"})
    write_text(at(std::string("drawn/hr/") + name), "x");
  write_text(at("s.yaml"), kSpec);
  const std::string images = "images={path: drawn/hr, lr: {scale: 2}}";
  const std::vector<std::vector<std::string>> commands{
      {"plan", "s.yaml", "--set", images},
      {"run", "s.yaml", "--set", images},
      {"score", "drawn/hr", "drawn/hr", "--metrics", "psnr-y"},
      {"dataset", "make", "set", "--from", "drawn/hr", "--scale", "2", "--force"}};
  for (std::vector<std::string> command : commands) {
    const ProgramResult text = run(command);
    EXPECT_EQ(text.exit_code, 0) << text.err;
    EXPECT_THAT(text.err,
                ContainsRegex("upbench: note: [^\n]*drawn/hr: 3 files left out that are not named as "
                              "pictures: 2 \\.txt, 1 \\.db\n"))
        << command[0];
    if (command[0] == "score") continue;  // its JSON is the scores
    command.emplace_back("--json");
    const ProgramResult json = run(command);
    EXPECT_EQ(nlohmann::json::parse(json.out).at("left_out"), (nlohmann::json{{".txt", 2}, {".db", 1}}));
    EXPECT_THAT(json.err, Not(HasSubstr("left out")));
  }
  EXPECT_THAT(run({"dataset", "check", "drawn/hr"}).out, HasSubstr("left out 3 other files (2 .txt, 1 .db)"));
  const ProgramResult listed =
      run({"plan", "s.yaml", "--set", "images={path: 'drawn/hr/*.png', lr: {scale: 2}}"});
  EXPECT_THAT(listed.err, Not(HasSubstr("left out"))) << "nothing else fits";
}

TEST_F(DatasetCommand, ADegradedSetIsTheSameBytesEveryTime) {
  draw("drawn");
  for (const char* out : {"one", "two"}) {
    const ProgramResult made = run({"dataset", "make", out, "--from", "drawn/hr", "--scale", "2", "--degrade",
                                    "real-esrgan=0.5", "--seed", "9"});
    ASSERT_EQ(made.exit_code, 0) << made.err;
  }
  for (const char* name : {"set.yaml", "lr/text-000x2.png", "lr/text-001x2.png", "hr/text-000.png"})
    EXPECT_EQ(read_text(at(std::string("one/") + name)), read_text(at(std::string("two/") + name))) << name;
  EXPECT_NE(read_text(at("one/lr/text-000x2.png")), read_text(at("drawn/lr/text-000x2.png")));
  const auto made = rows("{manifest: one/set.yaml}", "r.db");
  ASSERT_EQ(made.size(), 6U);
  EXPECT_THAT(run({"report", "r.db", "--markdown", "-"}).out, HasSubstr("degraded: "));
}

TEST_F(DatasetCommand, EverySourceNamesTheSamePictures) {
  draw("drawn");
  write_text(at("list.txt"),
             "# drawn\ndrawn/hr/text-000.png\ndrawn/hr/text-001.png\ndrawn/hr/dead-leaves-000.png\n");
  const std::string lr = ", lr: {scale: 2}}";
  const auto whole = rows("{path: drawn/hr" + lr, "whole.db");
  ASSERT_EQ(whole.size(), 6U);
  int number = 0;
  for (const std::string source :
       {"{path: 'drawn/h*/*.png'", "{list: list.txt", "{path: list.txt",
        "{list: [drawn/hr/text-000.png, drawn/hr/text-001.png, drawn/hr/dead-leaves-000.png]"}) {
    const auto these = rows(source + lr, std::to_string(number++) + ".db");
    ASSERT_EQ(these.size(), whole.size()) << source;
    for (std::size_t i = 0; i < whole.size(); ++i)
      EXPECT_EQ(these[i].at("psnr-y"), whole[i].at("psnr-y")) << source;
  }
}

TEST_F(DatasetCommand, AFileThatWasExchangedFailsItsTrialsOnly) {
  draw("set"), draw("other", "2");
  fs::copy_file(at("other/lr/text-000x2.png"), at("set/lr/text-000x2.png"),
                fs::copy_options::overwrite_existing);
  const ProgramResult check = run({"dataset", "check", "set/set.yaml"});
  EXPECT_EQ(check.exit_code, 2);
  EXPECT_THAT(check.out, HasSubstr("text-000x2.png: hash mismatch: sha256 is "));
  for (const CsvRow& row : rows("{manifest: set/set.yaml}", "x.db", 3)) {
    const bool exchanged = row.at("picture") == "text-000";
    EXPECT_EQ(row.at("status"), exchanged ? "failed" : "ok") << row.at("picture");
    EXPECT_EQ(row.at("reason").find("not the file that was meant") != std::string::npos, exchanged);
  }
}

// Row 30.
TEST_F(DatasetCommand, TheSameBytesUnderTwoNamesAreScoredOnceAndBothNamed) {
  draw("drawn");
  fs::copy_file(at("drawn/hr/text-000.png"), at("drawn/hr/copy.png"));
  const ProgramResult check = run({"dataset", "check", "drawn/hr", "--json"});
  EXPECT_EQ(check.exit_code, 0);
  const auto findings = nlohmann::json::parse(check.out)["findings"];
  ASSERT_EQ(findings.size(), 1U);
  EXPECT_EQ(findings[0]["kind"], "duplicate");
  EXPECT_THAT(findings[0]["text"].get<std::string>(), HasSubstr("copy.png"));
  EXPECT_THAT(findings[0]["file"].get<std::string>(), HasSubstr("text-000.png"));

  write_text(at("s.yaml"), kSpec);
  const ProgramResult result =
      run({"run", "s.yaml", "--set", "images={path: drawn/hr, lr: {scale: 2}}", "--store", "d.db", "--json"});
  const auto outcome = nlohmann::json::parse(result.out);
  EXPECT_EQ(outcome["trials"], 8);
  EXPECT_EQ(outcome["executed"], 6);
  int repeats = 0;
  for (const CsvRow& row : parse_csv(run({"report", "d.db", "--csv", "-"}).out)) {
    if (row.at("picture") != "text-000") continue;
    EXPECT_THAT(row.at("same_as"), HasSubstr("copy"));
    ++repeats;
  }
  EXPECT_EQ(repeats, 2);
  EXPECT_THAT(run({"report", "d.db", "--markdown", "-"}).out,
              HasSubstr("2 names for the same pixels, scored once: copy, text-000"));
}

// Row 34: nothing in a name acts, wherever it is shown; JSON and CSV stay what they are.
TEST_F(DatasetCommand, AwkwardNamesWorkAndAreShownEscaped) {
  draw("drawn");
  fs::create_directory(at("names"));
  const std::string hostile[] = {
      "-dash.png",    "<script>alert(1)<.png", "new\nline\x1b[31m.png",       "quote\"'.png",
      "\xff\xfe.png", "\u202egnp.png",         std::string(251, 'n') + ".png"};
  for (const std::string& name : hostile)
    fs::copy_file(at("drawn/hr/text-000.png"), folder_ / "names" / name);
  write_text((folder_ / "names" / "bad\n\xff.png").string(), "no picture");

  const ProgramResult check = run({"dataset", "check", "names"});
  EXPECT_EQ(check.exit_code, 2);
  EXPECT_THAT(check.out, AllOf(HasSubstr("new\\x0aline\\x1b[31m.png"), HasSubstr("\\xff\\xfe.png"),
                               HasSubstr("\\u{202E}gnp.png"), Not(HasSubstr("\x1b"))));
  const ProgramResult json = run({"dataset", "check", "names", "--json"});
  EXPECT_TRUE(is_utf8_json(json.out));

  const auto made = rows("{path: names, lr: {scale: 2}}", "n.db", 3);
  EXPECT_EQ(made.size(), 16U);
  for (const char* form : {"--csv", "--json", "--markdown"}) {
    const ProgramResult report = run({"report", "n.db", form, "-"});
    EXPECT_EQ(report.exit_code, 0) << form;
    EXPECT_THAT(report.out, Not(HasSubstr("\x1b"))) << form;
  }
  EXPECT_TRUE(is_utf8_json(run({"report", "n.db", "--json", "-"}).out));
  EXPECT_TRUE(
      is_utf8_json(run({"plan", "s.yaml", "--set", "images={path: names, lr: {scale: 2}}", "--json"}).out));
  EXPECT_TRUE(is_utf8_json(run({"score", "names", "names", "--json"}).out));
  EXPECT_THAT(run({"score", "names", "names"}).out, Not(HasSubstr("\x1b")));
  EXPECT_THAT(run({"dataset", "check", "absent\x1b[31m\n"}).err, HasSubstr("absent\\x1b[31m\\x0a: no such"));

  EXPECT_EQ(run({"dataset", "make", "set", "--from", "names", "--scale", "2"}).exit_code, 3) << "bad.png";
  EXPECT_EQ(run({"dataset", "check", "set/set.yaml"}).exit_code, 0);
}

TEST_F(DatasetCommand, WrongRequestsExitWithTwo) {
  draw("set");
  struct Case {
    std::vector<std::string> arguments;
    const char* message;
  };
  for (const Case& wrong :
       {Case{{"dataset", "check", "absent"}, "no such folder or file"},
        {{"dataset", "check", "set"}, "it holds folders: hr, lr"},
        {{"dataset", "check", "set/hr", "--tags", "a"}, "--tags: expected with a manifest"},
        {{"dataset", "check", "set/hr", "--match", "{name}"}, "--match: expected with two sets"},
        {{"dataset", "check", "set/hr", "set/lr", "--scale", "2"}, "expected with one set"},
        {{"dataset", "make", "new", "--scale", "2"}, "expected --from SET or --procedural"},
        {{"dataset", "make", "new", "--from", "set/hr"}, "--scale"},
        {{"dataset", "make", "new", "--from", "set/hr", "--scale", "17"}, "--scale"},
        {{"dataset", "make", "new", "--from", "set/hr", "--scale", "2", "--kernel", "cubic"},
         "unknown resampling kernel 'cubic'"},
        {{"dataset", "make", "new", "--procedural", "cats", "--scale", "2"}, "cats"},
        {{"dataset", "make", "new", "--from", "set/hr", "--scale", "2", "--degrade", "jpeg=101"}, "jpeg"},
        {{"dataset", "make", "new", "--from", "set/hr", "--scale", "2", "--degrade", "jpeg"},
         "expected KEY=VALUE"},
        {{"dataset", "make", "new", "--from", "set/hr", "--scale", "2", "--degrade", "scale=3"},
         "expected as --scale"},
        {{"dataset", "make", "set", "--from", "set/hr", "--scale", "2"}, "is not empty"}}) {
    const ProgramResult result = run(wrong.arguments);
    EXPECT_EQ(result.exit_code, 2) << wrong.message << result.out;
    EXPECT_THAT(result.err, HasSubstr(wrong.message));
  }
  EXPECT_FALSE(fs::exists(at("new")));
}

}  // namespace
}  // namespace upbench::test
