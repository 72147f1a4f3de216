#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "harness/spec.h"
#include "harness/sweep.h"
#include "harness/worker.h"
#include "tests/faults/left_behind.h"
#include "tests/faults/pictures.h"
#include "tests/support/assets.h"

// Rows 29 and 39, with the plan and the run of one process apart, so that something can happen in between.
namespace upbench::test {
namespace {

void expect_only_b_fails(const Store& store, const Sweep& sweep, const std::string& reason) {
  store.for_each_trial(sweep.plan.rows.run.key, [&](const TrialResult& trial) {
    const bool sound = sweep.plan.rows.images[trial.image].name == "a";
    EXPECT_EQ(trial.status, sound ? Status::ok : Status::failed);
    EXPECT_THAT(trial.reason, testing::HasSubstr(sound ? "" : reason));
  });
}

TEST(PictureChanges, BetweenPlanAndTrialFailTheirTrialsOnly) {
  for (const PictureChange& change : picture_changes()) {
    SCOPED_TRACE(test_name(change.fault) + ": " + change.fault.input);
    const TemporaryFolder folder;
    change.fault.make(folder.path());
    const Sweep sweep = prepare_sweep(read_spec(folder / "spec.yaml"), {.device = "cpu", .threads = 1});
    change.change(folder / "hr/b.png");
    const auto before = files_below(folder.path());
    {
      Store store(folder / "sets.db");
      const WorkerResult result = run_sweep(sweep, store, {.keep_outputs = KeepOutputs::all});
      EXPECT_EQ(result.progress.ok, 2U) << "the sound picture with both models";
      EXPECT_EQ(result.progress.failed, 2U);
      expect_only_b_fails(store, sweep, change.fault.message);
    }
    expect_only_results_added(folder.path(), before);
  }
}

bool is_a_test(const std::string& name) {
  const testing::UnitTest& all = *testing::UnitTest::GetInstance();
  for (int s = 0; s < all.total_test_suite_count(); ++s) {
    const testing::TestSuite& suite = *all.GetTestSuite(s);
    for (int t = 0; t < suite.total_test_count(); ++t)
      if (name == std::string(suite.name()) + "." + suite.GetTestInfo(t)->name()) return true;
  }
  return false;
}

TEST(PictureTables, NameTestsThatAreThere) {
  for (const FaultTable& table : {changed_pictures(), name_faults(), changed_weights()})
    for (const Fault& fault : table.faults)
      EXPECT_TRUE(!fault.test.empty() ? is_a_test(fault.test) : !fault.command.empty()) << fault.name;
}

}  // namespace
}  // namespace upbench::test
