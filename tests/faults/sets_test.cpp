#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/datasets/picture_files.h"
#include "tests/faults/fault.h"
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
  Outcome outcome{.run = run_upbench(fault.command, {}, at), .trials = {}, .report = {}};
  if (outcome.run.exit_code == 2) return outcome;
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

// What lets root read every file; gone from here on for the programs that this process starts.
bool give_up_reading_everything() {
  return ::geteuid() != 0 || (::prctl(PR_CAPBSET_DROP, CAP_DAC_OVERRIDE) == 0 &&
                              ::prctl(PR_CAPBSET_DROP, CAP_DAC_READ_SEARCH) == 0);
}

// Row 36.
TEST(SetFaults, AFileWithoutPermissionFailsAlone) {
  constexpr int kCannot = 77;
  TemporaryFolder folder;
  std::filesystem::create_directory(folder / kPictureFolder);
  for (const char* name : {"a.png", "b.png"})
    write_png(folder / kPictureFolder / name, random_raster(24, 20));
  write_picture_spec(folder.path(), "[nearest]");
  ASSERT_EQ(::chmod((folder / kPictureFolder / "b.png").c_str(), 0), 0);
  const auto run = [&](const std::vector<std::string>& arguments) {
    return run_upbench(arguments, {}, folder.path().string());
  };
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    if (!give_up_reading_everything()) ::_exit(kCannot);
    ::_exit(run({"run", "spec.yaml", "--keep-outputs", "none"}).exit_code);
  }
  const int exit_code = wait_for(child);
  if (exit_code == kCannot) GTEST_SKIP() << "this root may not give up reading everything";
  EXPECT_EQ(exit_code, 3);
  for (const CsvRow& row : parse_csv(run({"report", "pictures.db", "--csv", "-"}).out)) {
    const bool readable = row.at("picture") == "a";
    EXPECT_EQ(row.at("status"), readable ? "ok" : "failed");
    EXPECT_EQ(row.at("reason"), readable ? "" : "pictures/b.png: cannot be opened: Permission denied");
  }
}

}  // namespace
}  // namespace upbench::test
