#include <algorithm>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/faults/fault.h"
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

constexpr char kTag[] = "<img src=x onerror=alert(1)>";
constexpr char kModel[] = "<svg onload=alert(2)>";
constexpr std::size_t kSound = 9, kBad = 2, kModels = 2;

Fault fault_named(const std::string& name) {
  const std::vector<Fault> faults = name_faults().faults;
  return *std::ranges::find(faults, name, &Fault::name);
}

// What a fault's files are, and a run of them.
class Ran : public testing::Test {
 protected:
  void run_files_of(const Fault& fault) {
    fault.make(folder_.path());
    outcome_ = upbench({"run", "s.yaml", "--device", "cpu"});
  }
  ProgramResult upbench(const std::vector<std::string>& arguments) {
    return run_upbench(arguments, {}, folder_.path().string());
  }
  // The page, and every format that is printed.
  std::vector<std::string> reports() {
    EXPECT_EQ(upbench({"report", "s.db", "--html", "r.html"}).exit_code, 0);
    std::vector<std::string> all = {read_text((folder_ / "r.html").string())};
    for (const char* format : {"--markdown", "--json", "--csv", "--latex"})
      all.push_back(upbench({"report", "s.db", format, "-"}).out);
    for (const std::string& report : all) EXPECT_GT(report.size(), 100U);
    return all;
  }

  TemporaryFolder folder_;
  ProgramResult outcome_;
};

class Names : public Ran {
 protected:
  void SetUp() override {
    run_files_of(fault_named("Markdown"));
    ASSERT_EQ(outcome_.exit_code, 3) << outcome_.err;
    ASSERT_THAT(outcome_.out, HasSubstr("22 trials: 18 ok, 4 failed, 0 skipped"));
  }
};

class Prompts : public Ran {};

// No control character reaches a terminal or a file.
auto is_plain() {
  return AllOf(Not(HasSubstr("\x1b")), Not(HasSubstr("\x07")), Not(HasSubstr("\u2028")));
}

TEST_F(Names, AreShownAsListed) {
  for (const Fault& fault : name_faults().faults) {
    if (fault.command.empty()) continue;  // has a test of its own
    SCOPED_TRACE(test_name(fault) + ": " + fault.input);
    const ProgramResult shown = upbench(fault.command);
    EXPECT_EQ(shown.exit_code, fault.exit_code) << shown.err;
    EXPECT_THAT(shown.out + read_text((folder_ / "r.html").string()), HasSubstr(fault.message));
  }
}

TEST_F(Names, StayTextInEveryOutput) {
  const std::vector<std::string> all = reports();
  for (const std::string& report : all) EXPECT_THAT(report, is_plain());
  EXPECT_THAT(all[0],
              AllOf(Not(HasSubstr(kTag)), Not(HasSubstr(kModel)), Not(HasSubstr("<script>alert(3)"))));
  EXPECT_THAT(all[1], AllOf(Not(HasSubstr("<img")), Not(HasSubstr("<svg"))));
  EXPECT_TRUE(nlohmann::json::accept(all[2]));
  EXPECT_THAT(all[4], Not(HasSubstr("\\input{")));
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

// Title, description and prompt of a picture are nothing that anyone asked for.
TEST_F(Names, TextsWithinPicturesAreNotShown) {
  for (const std::string& report : reports()) EXPECT_THAT(report, Not(HasSubstr("zq in-picture")));
  EXPECT_THAT(outcome_.out + outcome_.err + upbench({"dataset", "check", "p"}).out,
              Not(HasSubstr("zq in-picture")));
}

// Where a prompt is asked for, it is shown.
TEST_F(Prompts, OfPicturesAreEscapedAndCutShort) {
  const Fault fault = fault_named("Prompt");
  run_files_of(fault);
  ASSERT_EQ(outcome_.exit_code, 0) << outcome_.err;
  const std::vector<std::string> all = reports();
  for (const std::string& report : all) EXPECT_THAT(report, Not(HasSubstr("zq-end")));
  const auto shows_text =
      AllOf(HasSubstr("prompt (png-metadata): " + fault.message), Not(HasSubstr("<b>low")));
  EXPECT_THAT(all[0], shows_text);
  EXPECT_THAT(all[1], shows_text);
}

}  // namespace
}  // namespace upbench::test
