#include "harness/worker.h"

#include <gtest/gtest.h>

namespace upbench {
namespace {

Sweep sweep(int threads, std::uint64_t executions, std::uint64_t bytes_each, std::uint64_t memory) {
  Sweep made;
  made.device = {.name = "cpu", .description = "", .memory_bytes = memory};
  made.threads = threads;
  made.plan.executions = executions;
  made.plan.estimate.device_bytes = bytes_each;
  return made;
}

TEST(Parallelism, SmallTrialsRunSideBySideOnOneThreadEach) {
  const Parallelism chosen = choose_parallelism(sweep(8, 1000, 1 << 20, std::uint64_t{16} << 30));
  EXPECT_EQ(chosen.trials, 8);
  EXPECT_EQ(chosen.operators, 1);
}

TEST(Parallelism, TrialsThatFillTheMemoryRunAloneOnAllThreads) {
  const Parallelism chosen =
      choose_parallelism(sweep(8, 1000, std::uint64_t{9} << 30, std::uint64_t{16} << 30));
  EXPECT_EQ(chosen.trials, 1);
  EXPECT_EQ(chosen.operators, 8);
}

TEST(Parallelism, NeverExceedsTheThreadLimit) {
  for (int threads = 1; threads <= 16; ++threads)
    for (std::uint64_t executions : {1, 2, 3, 7, 100})
      for (std::uint64_t gigabytes : {1, 2, 3, 5}) {
        const Parallelism chosen =
            choose_parallelism(sweep(threads, executions, gigabytes << 30, std::uint64_t{16} << 30));
        EXPECT_GE(chosen.trials, 1);
        EXPECT_GE(chosen.operators, 1);
        EXPECT_LE(chosen.trials * chosen.operators, threads);
        EXPECT_LE(static_cast<std::uint64_t>(chosen.trials), executions);
      }
}

TEST(Parallelism, IsWhatWasAskedForWithinTheThreads) {
  Sweep asked = sweep(8, 1000, 1 << 20, std::uint64_t{16} << 30);
  asked.parallel_trials = 2;
  EXPECT_EQ(choose_parallelism(asked).trials, 2);
  EXPECT_EQ(choose_parallelism(asked).operators, 4);
  asked.parallel_trials = 100;
  EXPECT_EQ(choose_parallelism(asked).trials, 8);
}

TEST(Parallelism, AGpuComputesOneTrialAtATime) {
  Sweep asked = sweep(8, 1000, 1 << 20, std::uint64_t{16} << 30);
  asked.device.name = "cuda:0";
  EXPECT_EQ(choose_parallelism(asked).trials, 1);
  EXPECT_EQ(choose_parallelism(asked).operators, 1);
}

TEST(KeepOutputs, NamesAreThoseOfTheCommandLine) {
  EXPECT_EQ(parse_keep_outputs("auto"), KeepOutputs::automatic);
  EXPECT_THROW(parse_keep_outputs("some"), std::invalid_argument);
}

}  // namespace
}  // namespace upbench
