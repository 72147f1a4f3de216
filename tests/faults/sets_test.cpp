#include <linux/capability.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cmath>
#include <cstring>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/datasets/picture_files.h"
#include "tests/faults/fault.h"
#include "tests/faults/left_behind.h"
#include "tests/faults/pictures.h"
#include "tests/support/assets.h"
#include "tests/support/csv.h"
#include "tests/support/program.h"

namespace upbench::test {
namespace {

using testing::HasSubstr;

struct Outcome {
  ProgramResult run;
  std::vector<CsvRow> trials;
  std::string report;  // JSON; where all went well
};

Outcome run_in(const std::filesystem::path& folder, const Fault& fault) {
  const std::string at = folder.string();
  const auto before = files_below(folder);
  Outcome outcome{.run = run_upbench(fault.command, {}, at), .trials = {}, .report = {}};
  expect_only_results_added(folder, before);
  outcome.trials = parse_csv(run_upbench({"report", "sets.db", "--csv", "-"}, {}, at).out);
  if (outcome.run.exit_code == 0)
    outcome.report = run_upbench({"report", "sets.db", "--json", "-"}, {}, at).out;
  return outcome;
}

std::size_t trials_with(const Outcome& outcome, const std::string& status, const std::string& reason) {
  std::size_t count = 0;
  for (const CsvRow& row : outcome.trials)
    count += row.at("status") == status && row.at("reason").find(reason) != std::string::npos;
  return count;
}

TEST(SetFaults, EndAsListed) {
  for (const Fault& fault : set_faults().faults) {
    SCOPED_TRACE(test_name(fault) + ": " + fault.input);
    TemporaryFolder folder;
    fault.make(folder.path());
    const Outcome outcome = run_in(folder.path(), fault);
    EXPECT_EQ(outcome.run.exit_code, fault.exit_code) << outcome.run.err;
    if (fault.exit_code == 3) {
      EXPECT_EQ(trials_with(outcome, "ok", ""), 2U) << "the sound picture with both models";
      EXPECT_EQ(trials_with(outcome, "failed", fault.message), 2U);
    } else {
      EXPECT_EQ(trials_with(outcome, "failed", ""), 0U);
      EXPECT_THAT(outcome.run.out + outcome.run.err + outcome.report, HasSubstr(fault.message));
    }
  }
}

// Row 40: also where a file system takes A.png for a.png.
TEST(SetFaults, NamesThatDifferInCaseKeepFilesOfTheirOwn) {
  const std::vector<Fault> faults = set_faults().faults;
  const auto fault = std::ranges::find(faults, "CaseOnly", &Fault::name);
  ASSERT_NE(fault, faults.end());
  TemporaryFolder folder;
  fault->make(folder.path());
  ASSERT_EQ(run_in(folder.path(), *fault).run.exit_code, 0);
  std::set<std::string> outputs, pictures;
  for (const std::string& file : files_below(folder.path())) {
    if (!file.starts_with("sets.db.outputs/")) continue;
    std::string lower = file;
    std::ranges::transform(lower, lower.begin(), [](char c) { return static_cast<char>(std::tolower(c)); });
    const bool of_the_set = file.starts_with("sets.db.outputs/pictures/");
    EXPECT_TRUE((of_the_set ? pictures : outputs).insert(lower).second) << file;
  }
  EXPECT_EQ(outputs.size(), 4U) << "two pictures with two models";
  EXPECT_EQ(pictures.size(), 4U) << "of both the input and the reference";
}

// Row 16. Of 65,535 levels these are two, of 255 they are one.
TEST(SetFaults, SixteenBitsReachTheMetricsThatAskForThem) {
  constexpr std::uint16_t kOutput = 128 * 257, kReference = kOutput + 40;
  TemporaryFolder folder;
  const auto put = [&](const char* part, std::uint16_t level) {
    Raster raster{.width = 24, .height = 20, .channels = 3, .bit_depth = 16};
    const std::vector<std::uint16_t> levels(std::size_t{24} * 20 * 3, level);
    raster.samples.resize(levels.size() * sizeof level);
    std::memcpy(raster.samples.data(), levels.data(), raster.samples.size());
    std::filesystem::create_directory(folder / part);
    write_png(folder / part / "a.png", raster);
  };
  put("out", kOutput), put("ref", kReference);
  const ProgramResult scored = run_upbench(
      {"score", "out", "ref", "--metrics", "psnr-rgb,psnr-rgb@float", "--json"}, {}, folder.path().string());
  ASSERT_EQ(scored.exit_code, 0) << scored.err;
  const auto scores = nlohmann::json::parse(scored.out)["images"][0]["scores"];
  EXPECT_EQ(scores["psnr-rgb"], "inf");
  EXPECT_NEAR(scores["psnr-rgb@float"].get<double>(), 20 * std::log10(65535.0 / 40), 0.01);  // float32 levels
}

// What lets root read every file; gone from here on for the programs that this process starts.
bool give_up_reading_everything() {
  return ::geteuid() != 0 || (::prctl(PR_CAPBSET_DROP, CAP_DAC_OVERRIDE) == 0 &&
                              ::prctl(PR_CAPBSET_DROP, CAP_DAC_READ_SEARCH) == 0);
}

// Row 36.
TEST(SetFaults, AFileWithoutPermissionFailsAlone) {
  constexpr int kCannot = 77;
  TemporaryFolder folder;
  const PictureChange closed = closed_picture();
  closed.fault.make(folder.path());
  closed.change(folder / "hr/b.png");
  const auto run = [&](const std::vector<std::string>& arguments) {
    return run_upbench(arguments, {}, folder.path().string());
  };
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    if (!give_up_reading_everything()) ::_exit(kCannot);
    ::_exit(run(closed.fault.command).exit_code);
  }
  const int exit_code = wait_for(child);
  if (exit_code == kCannot) GTEST_SKIP() << "this root may not give up reading everything";
  EXPECT_EQ(exit_code, closed.fault.exit_code);
  const std::vector<CsvRow> trials = parse_csv(run({"report", "sets.db", "--csv", "-"}).out);
  EXPECT_EQ(trials.size(), 4U);
  for (const CsvRow& row : trials) {
    const bool readable = row.at("picture") == "a";
    EXPECT_EQ(row.at("status"), readable ? "ok" : "failed");
    EXPECT_EQ(row.at("reason"), readable ? "" : closed.fault.message);
  }
}

}  // namespace
}  // namespace upbench::test
