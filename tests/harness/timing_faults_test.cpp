#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "harness/timing/facts.h"
#include "harness/timing/interleaved.h"
#include "tests/faults/listed.h"

namespace upbench {
namespace {

// Its clock is held down during every second lap.
class Throttled final : public TimingSubject {
 public:
  Lap run(int) override {
    Lap lap{.seconds = 0.01};
    if (++laps_ % 2 == 0) lap.slowed_by = {"heat"};
    return lap;
  }

 private:
  int laps_ = 0;
};

TEST(TimingFaults, Row89LapsWithTheClockHeldDownAreDiscardedAndCounted) {
  Throttled subject;
  const TimingRules rules{.samples = 3};
  const SubjectTimes times = time_interleaved({&subject}, rules).at(0);
  EXPECT_EQ(times.samples.size(), 3u);
  EXPECT_FALSE(times.discarded.empty());
  for (const Lap& lap : times.samples) EXPECT_THAT(lap.slowed_by, testing::IsEmpty());
  test::expect_as_listed(0, timing_facts(times, rules, {})["flags"].dump());
}

}  // namespace
}  // namespace upbench
