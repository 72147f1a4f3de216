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

// Starts a sweep, kills it after `delay`, and returns the rows it had acknowledged.
std::vector<std::uint32_t> killed_sweep(const std::filesystem::path& file, const RunPlan& plan,
                                        std::chrono::microseconds delay) {
  int ends[2];
  if (pipe(ends) != 0) throw std::runtime_error("no pipe");
  const pid_t child = fork();
  if (child == 0) sweep(file, plan, ends[1]);
  close(ends[1]);
  std::this_thread::sleep_for(delay);
  kill(child, SIGKILL);
  std::vector<std::uint32_t> rows;
  for (std::uint32_t row = 0; read(ends[0], &row, sizeof row) == sizeof row;) rows.push_back(row);
  close(ends[0]);
  int status = 0;
  waitpid(child, &status, 0);
  EXPECT_TRUE(WIFSIGNALED(status) || WEXITSTATUS(status) == 0) << "the sweep failed by itself";
  return rows;
}

RunPlan plan_with_aliases() {
  RunPlan plan = example_plan(20, 40);
  for (std::uint32_t i = 0; i < 40; ++i) {
    plan.trials[760 + i].same_as = i;
    plan.trials[760 + i].output = plan.trials[i].output;
  }
  return plan;
}

TEST(StoreCrash, ThirtyKillsLoseNothingAcknowledgedAndTheEndIsThatOfAnUninterruptedSweep) {
  const TemporaryFolder folder;
  const auto file = folder / "killed.db";
  const RunPlan plan = plan_with_aliases();
  std::mt19937 random(20240607);
  std::uniform_int_distribution<int> delay(500, 60'000);  // microseconds: while creating, beginning, working
  std::set<std::uint32_t> acknowledged;
  for (int i = 0; i < kKills; ++i) {
    for (const auto row : killed_sweep(file, plan, std::chrono::microseconds(delay(random))))
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
  EXPECT_FALSE(acknowledged.empty());  // else the delays are too short to test anything

  Store resumed(file);
  EXPECT_EQ(integrity(file), "ok");
  resumed.begin_run(plan);
  work(resumed, plan, plan.trials.size());
  Store uninterrupted(folder / "whole.db");
  uninterrupted.begin_run(plan);
  work(uninterrupted, plan, plan.trials.size());
  EXPECT_EQ(resumed.progress(plan.run.key).ok, 800u);
  EXPECT_EQ(show_results(resumed, plan.run.key), show_results(uninterrupted, plan.run.key));
}

}  // namespace
}  // namespace upbench::test
