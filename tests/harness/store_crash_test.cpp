#include <csignal>
#include <random>
#include <set>
#include <thread>

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness/store.h"
#include "tests/harness/store_fixture.h"
#include "tests/support/assets.h"

namespace upbench::test {
namespace {

constexpr int kKills = 30;

// Sends the index of every record once the store acknowledged it: they are acknowledged in the order they
// were appended.
class Reporter {
 public:
  Reporter(const Store& store, int pipe) : store_(store), pipe_(pipe) {}
  void appended(std::uint32_t row) {
    rows_.push_back(row);
    report();
  }
  void report() {
    const std::uint64_t durable = store_.acknowledged();
    if (durable > reported_ &&
        write(pipe_, rows_.data() + reported_, (durable - reported_) * sizeof(std::uint32_t)) < 0)
      _exit(1);
    reported_ = durable;
  }

 private:
  const Store& store_;
  int pipe_;
  std::vector<std::uint32_t> rows_;
  std::uint64_t reported_ = 0;
};

[[noreturn]] void sweep(const std::filesystem::path& file, const RunPlan& plan, int pipe) {
  try {
    Store store(file);
    store.begin_run(plan);
    Reporter reporter(store, pipe);
    for (auto claims = store.claim(plan.run.key, "worker", 4); !claims.empty();
         claims = store.claim(plan.run.key, "worker", 4))
      for (const auto& claim : claims) {
        store.append(example_record(plan, claim));
        std::uint32_t row = 0;
        while (plan.trials[row].key != claim.trial) ++row;
        reporter.appended(row);
        std::this_thread::sleep_for(std::chrono::microseconds(300));
      }
    store.flush();
    reporter.report();
    store.finish_run(plan.run.key);
  } catch (...) {
    _exit(2);
  }
  _exit(0);
}

// Starts a sweep, kills it `delay` after it acknowledged so many records, and returns the rows of all it
// acknowledged.
std::vector<std::uint32_t> killed_sweep(const std::filesystem::path& file, const RunPlan& plan,
                                        std::size_t records, std::chrono::microseconds delay) {
  int ends[2];
  if (pipe(ends) != 0) throw std::runtime_error("no pipe");
  const pid_t child = fork();
  if (child == 0) sweep(file, plan, ends[1]);
  close(ends[1]);
  std::vector<std::uint32_t> rows;
  std::uint32_t row = 0;
  const auto read_row = [&] { return read(ends[0], &row, sizeof row) == sizeof row; };
  while (rows.size() < records && read_row()) rows.push_back(row);
  std::this_thread::sleep_for(delay);
  kill(child, SIGKILL);
  while (read_row()) rows.push_back(row);
  close(ends[0]);
  int status = 0;
  waitpid(child, &status, 0);
  EXPECT_TRUE(WIFSIGNALED(status)) << "the sweep ended before it was killed";
  return rows;
}

RunPlan plan_with_aliases() {
  RunPlan plan = example_plan(60, 40);
  for (std::uint32_t i = 0; i < 40; ++i) {
    plan.trials[2360 + i].same_as = i;
    plan.trials[2360 + i].output = plan.trials[i].output;
  }
  return plan;
}

TEST(StoreCrash, ThirtyKillsLoseNothingAcknowledgedAndTheEndIsThatOfAnUninterruptedSweep) {
  const TemporaryFolder folder;
  const auto file = folder / "killed.db";
  const RunPlan plan = plan_with_aliases();
  std::mt19937 random(20240607);
  std::uniform_int_distribution<std::size_t> records(1, 60);
  std::uniform_int_distribution<int> begin(0, 60'000), delay(0, 4'000);  // microseconds
  std::set<std::uint32_t> acknowledged;
  for (int i = 0; i < kKills; ++i) {
    // The first third dies while it creates the store or begins the run. The rest dies at work, every second
    // one right after an acknowledgement: its records must be in the file at that moment.
    const bool at_work = i >= kKills / 3;
    const std::chrono::microseconds wait(!at_work ? begin(random) : i % 2 ? delay(random) : 0);
    for (const auto row : killed_sweep(file, plan, at_work ? records(random) : 0, wait))
      acknowledged.insert(row);
    if (!std::filesystem::exists(file)) continue;
    std::set<std::uint32_t> finished;
    std::uint32_t row = 0;
    const Store store(file, Store::Access::read);
    if (store.runs().empty()) continue;
    store.for_each_trial(plan.run.key, [&](const TrialResult& result) {
      if (result.finished) finished.insert(row);
      ++row;
    });
    for (const auto kept : acknowledged)
      ASSERT_TRUE(finished.count(kept)) << "record " << kept << " lost by kill " << i;
  }
  EXPECT_GE(acknowledged.size(), 20u);  // every sweep of the last two thirds was let work
  EXPECT_LT(acknowledged.size(), 2360u);

  Store resumed(file);
  EXPECT_EQ(integrity(file), "ok");
  resumed.begin_run(plan);
  work(resumed, plan, plan.trials.size());
  Store uninterrupted(folder / "whole.db");
  uninterrupted.begin_run(plan);
  work(uninterrupted, plan, plan.trials.size());
  EXPECT_EQ(resumed.progress(plan.run.key).ok, 2400u);
  EXPECT_EQ(show_results(resumed, plan.run.key), show_results(uninterrupted, plan.run.key));
}

}  // namespace
}  // namespace upbench::test
