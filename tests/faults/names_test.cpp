#include <algorithm>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/datasets/picture_files.h"
#include "tests/faults/picture_bytes.h"
#include "tests/support/assets.h"
#include "tests/support/csv.h"
#include "tests/support/program.h"

// Rows 34, 121 and 122: names of files on disk, and texts within them, on their way through a run to every
// output. Single texts: tests/reports/escaping_test.cpp.
namespace upbench::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

namespace fs = std::filesystem;

constexpr char kTag[] = "<img src=x onerror=alert(1)>";
constexpr char kModel[] = "<svg onload=alert(2)>";
constexpr std::size_t kSound = 8, kBad = 2, kModels = 2;

// A folder's name ends in "<": with what is in it, a pattern makes names that begin "</script>".
void put_pictures(const fs::path& folder) {
  fs::create_directories(folder / "<");
  const std::vector<std::string> names = {"</script><script>alert(3)",
                                          kTag,
                                          "\x1b]0;title\x07\x1b[31mred",
                                          "=cmd|' C'!A0",
                                          "\"quoted\" & 'single'",
                                          "line\u2028end\r\n",
                                          "\\input{x}$^_#%",
                                          "a|b|`c`[d](e)"};
  unsigned seed = 0;
  for (const std::string& name : names) {
    const PngChunk text{"tEXt", text_bytes(std::string("Title") + '\0' + "<b>in the file</b>")};
    write_bytes(folder / (name + ".png"), png_of(random_raster(24, 20, 3, 8, ++seed), 2, {text}));
  }
  write_bytes(folder / (std::string("bad") + kTag + ".png"), {});
  write_bytes(folder / "bad\x1b[2J.png", {});
}

class Names : public testing::Test {
 protected:
  void SetUp() override {
    put_pictures(folder_ / "p");
    fs::copy_file(UPBENCH_SOURCE_DIR "/models/embedded/compact-x2.safetensors",
                  folder_ / (std::string(kModel) + ".safetensors"));
    write_text(
        (folder_ / "s.yaml").string(),
        "name: s\nimages: {path: 'p/**/*.png', lr: {scale: 2}}\npipeline: [{upscale: {model: [nearest, '" +
            std::string(kModel) + ".safetensors']}}]\nmetrics: [psnr-y]\ntiming: none\n");
    outcome_ = upbench({"run", "s.yaml"});
    ASSERT_EQ(outcome_.exit_code, 3) << outcome_.err;
    ASSERT_THAT(outcome_.out, HasSubstr("20 trials: 16 ok, 4 failed, 0 skipped"));
  }
  ProgramResult upbench(const std::vector<std::string>& arguments) {
    return run_upbench(arguments, {}, folder_.path().string());
  }

  TemporaryFolder folder_;
  ProgramResult outcome_;
};

// No control character reaches a terminal or a file.
auto is_plain() {
  return AllOf(Not(HasSubstr("\x1b")), Not(HasSubstr("\x07")), Not(HasSubstr("\u2028")));
}

TEST_F(Names, StayTextInEveryOutput) {
  const std::string page = (folder_ / "r.html").string();
  ASSERT_EQ(upbench({"report", "s.db", "--html", page}).exit_code, 0);
  const std::string html = read_text(page);
  EXPECT_THAT(html, AllOf(is_plain(), Not(HasSubstr(kTag)), Not(HasSubstr(kModel)),
                          Not(HasSubstr("<script>alert(3)"))));
  EXPECT_THAT(html, HasSubstr("&lt;svg onload=alert(2)&gt;"));

  const std::string markdown = upbench({"report", "s.db", "--markdown", "-"}).out;
  EXPECT_THAT(markdown, AllOf(is_plain(), Not(HasSubstr("<img")), Not(HasSubstr("<svg"))));

  const std::string latex = upbench({"report", "s.db", "--latex", "-"}).out;
  EXPECT_THAT(latex, AllOf(is_plain(), Not(HasSubstr("\\input{"))));

  const std::string json = upbench({"report", "s.db", "--json", "-"}).out;
  EXPECT_TRUE(nlohmann::json::accept(json));
  EXPECT_THAT(json, is_plain());

  for (const std::vector<std::string>& command : {std::vector<std::string>{"report", "s.db"},
                                                  {"status", "s.db"},
                                                  {"plan", "s.yaml"},
                                                  {"dataset", "check", "p"}}) {
    const ProgramResult shown = upbench(command);
    EXPECT_THAT(shown.out + shown.err, is_plain()) << command[0];
  }
  EXPECT_THAT(outcome_.out + outcome_.err, is_plain());
}

TEST_F(Names, AreOneCellOfTheCsvAndNoFormula) {
  const std::string csv = upbench({"report", "s.db", "--csv", "-"}).out;
  EXPECT_THAT(csv, is_plain());
  const std::vector<CsvRow> rows = parse_csv(csv);
  EXPECT_EQ(rows.size(), (kSound + kBad) * kModels);
  EXPECT_EQ(std::count(csv.begin(), csv.end(), '\n'), static_cast<std::ptrdiff_t>(rows.size() + 1));
  for (const CsvRow& row : rows) {
    for (const auto& [column, value] : row) EXPECT_THAT(value, Not(testing::StartsWith("="))) << column;
    const bool bad = row.at("picture").starts_with("bad");
    EXPECT_EQ(row.at("status"), bad ? "failed" : "ok") << row.at("picture");
    EXPECT_EQ(row.at("reason").find("empty file") != std::string::npos, bad);
  }
}

// Nothing of a picture's own texts is shown anywhere.
TEST_F(Names, TextsWithinPicturesAreNotShown) {
  for (const char* format : {"--markdown", "--json", "--csv", "--latex"})
    EXPECT_THAT(upbench({"report", "s.db", format, "-"}).out, Not(HasSubstr("in the file")));
}

}  // namespace
}  // namespace upbench::test
