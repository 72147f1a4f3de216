#include <cmath>

#include <gtest/gtest.h>

#include "harness/store.h"
#include "tests/harness/store_fixture.h"
#include "tests/support/assets.h"

namespace upbench::test {
namespace {

class StoreModelTime : public testing::Test {
 protected:
  void SetUp() override {
    Store store(a_);
    store.begin_run(plan_);
    work(store, plan_, plan_.trials.size());
  }

  // Of the first trial: two samples.
  ModelTimeRow measured(double seconds, const std::string& facts) const {
    return {.output = plan_.trials[0].output,
            .timings = {{"trial", Clock::model, 0, seconds}, {"trial", Clock::model, 1, seconds}},
            .peak_bytes = 99,
            .facts = facts};
  }

  static TrialResult first_trial(const Store& store, const Digest& run) {
    TrialResult first;
    bool found = false;
    store.for_each_trial(run, [&](const TrialResult& result) {
      if (!std::exchange(found, true)) first = result;
    });
    return first;
  }

  TemporaryFolder folder_;
  RunPlan plan_ = example_plan(2, 2);
  std::filesystem::path a_ = folder_ / "a.db", b_ = folder_ / "b.db";
};

TEST_F(StoreModelTime, ReplacesWhatWasMeasuredBeforeAndLeavesTheSweepClock) {
  Store store(a_);
  store.set_model_time(measured(7, "{\"n\": 1}"));
  store.set_model_time(measured(3, "{\"n\": 2}"));
  const TrialResult first = first_trial(store, plan_.run.key);
  EXPECT_EQ(first.model_time, "{\"n\": 2}");
  EXPECT_EQ(first.peak_bytes, 99u);
  std::size_t model = 0, sweep = 0;
  for (const TimingRow& timing : first.timings) {
    (timing.clock == Clock::model ? model : sweep) += 1;
    if (timing.clock == Clock::model) {
      EXPECT_EQ(timing.seconds, 3);
    }
  }
  EXPECT_EQ(model, 2u);
  EXPECT_GT(sweep, 0u);
}

TEST_F(StoreModelTime, IsReadByOtherProcessesWithItsSession) {
  {
    Store store(a_);
    store.set_model_time(measured(3, "{}"));
    store.set_timing_session(digest_of("session"), "{\"threads\": 2}");
  }
  const Store reader(a_, Store::Access::read);
  EXPECT_EQ(reader.model_time(plan_.trials[0].output), "{}");
  EXPECT_EQ(reader.model_time(plan_.trials[1].output), "");
  EXPECT_EQ(reader.timing_session(digest_of("session")), "{\"threads\": 2}");
  EXPECT_EQ(reader.timing_session(digest_of("other")), "");
}

TEST_F(StoreModelTime, RefusesAnUnknownOutputAnotherClockAndNoNumber) {
  Store store(a_);
  ModelTimeRow row = measured(3, "{}");
  row.output = digest_of("never computed");
  EXPECT_THROW(store.set_model_time(row), std::invalid_argument);
  row = measured(NAN, "{}");
  EXPECT_THROW(store.set_model_time(row), std::invalid_argument);
  row = measured(1, "{}");
  row.timings[1].clock = Clock::sweep;
  EXPECT_THROW(store.set_model_time(row), std::invalid_argument);
  EXPECT_EQ(store.model_time(plan_.trials[0].output), "");
}

TEST_F(StoreModelTime, ComesWithItsSamplesWhenStoresMerge) {
  Store b(b_);
  b.begin_run(plan_);
  {
    Store a(a_);
    a.set_model_time(measured(3, "{\"of\": \"a\"}"));
    a.set_timing_session(digest_of("session"), "{}");
  }
  b.merge(a_);
  EXPECT_EQ(b.model_time(plan_.trials[0].output), "{\"of\": \"a\"}");
  EXPECT_EQ(b.timing_session(digest_of("session")), "{}");
  // Both measured: each keeps its own, samples and facts alike.
  b.set_model_time(measured(5, "{\"of\": \"b\"}"));
  b.merge(a_);
  EXPECT_EQ(b.model_time(plan_.trials[0].output), "{\"of\": \"b\"}");
}

}  // namespace
}  // namespace upbench::test
