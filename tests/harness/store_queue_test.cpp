#include <chrono>
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

class StoreQueue : public testing::Test {
 protected:
  std::vector<Claim> claim(Store& store, std::size_t most) {
    return store.claim(plan_.run.key, "worker", most);
  }
  Progress progress(const Store& store) { return store.progress(plan_.run.key); }

  TemporaryFolder folder_;
  std::filesystem::path file_ = folder_ / "sweep.db";
  RunPlan plan_ = example_plan(3, 4);
};

// Executes `body` in a process of its own that then dies without any clean-up.
template <class Body>
void in_dying_process(Body body) {
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    try {
      body();
      _exit(0);
    } catch (...) {
      _exit(1);
    }
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  ASSERT_EQ(status, 0);
}

// Waits for what another thread or the clock brings about; the limit only ends a broken test.
template <class Condition>
bool eventually(Condition condition) {
  for (int i = 0; i < 2000; ++i) {
    if (condition()) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return false;
}

TEST_F(StoreQueue, TrialsAreClaimedOnceInExecutionOrder) {
  Store store(file_);
  store.begin_run(plan_);
  const auto claims = claim(store, 100);
  ASSERT_EQ(claims.size(), 12u);
  for (std::size_t i = 0; i < 12; ++i) {
    const TrialRow& trial = plan_.trials[11 - i];  // the example executes backwards
    EXPECT_EQ(claims[i].trial, trial.key);
    EXPECT_EQ(claims[i].output, trial.output);
    EXPECT_EQ(claims[i].cell, plan_.cells[trial.cell].key);
    EXPECT_EQ(claims[i].image, plan_.images[trial.image].key);
    EXPECT_EQ(claims[i].seed, trial.seed);
    EXPECT_EQ(claims[i].attempt, 1);
    EXPECT_NE(claims[i].token, 0u);
  }
  EXPECT_TRUE(claim(store, 1).empty());
  EXPECT_EQ(progress(store).leased, 12u);
  EXPECT_EQ(progress(store).ready, 0u);
}

TEST_F(StoreQueue, ClaimingFromARunThatHasNotBegunIsRefused) {
  Store store(file_);
  EXPECT_THROW(claim(store, 1), std::invalid_argument);
}

TEST_F(StoreQueue, PlansWhoseIndicesLeadNowhereAreRefused) {
  Store store(file_);
  RunPlan plan = plan_;
  plan.trials[3].cell = 3;
  EXPECT_THROW(store.begin_run(plan), std::invalid_argument);
  plan = plan_;
  plan.trials[3].image = 4;
  EXPECT_THROW(store.begin_run(plan), std::invalid_argument);
  plan = plan_;
  plan.trials[3].same_as = 12;
  EXPECT_THROW(store.begin_run(plan), std::invalid_argument);
  plan.trials[3].same_as = 4;
  plan.trials[4].same_as = 5;
  EXPECT_THROW(store.begin_run(plan), std::invalid_argument);
  EXPECT_TRUE(store.runs().empty());
}

TEST_F(StoreQueue, BeginningARunAgainChangesNothing) {
  {
    Store store(file_);
    store.begin_run(plan_);
    work(store, plan_, 5);
  }
  const std::string before = dump_tables(file_);
  Store(file_).begin_run(plan_);
  EXPECT_EQ(dump_tables(file_), before);
  Store store(file_);
  store.begin_run(plan_);
  EXPECT_EQ(progress(store).ok, 5u);
  EXPECT_EQ(work(store, plan_, 100), 7u);
  EXPECT_EQ(work(store, plan_, 100), 0u);
}

TEST_F(StoreQueue, LeasesOfADeadProcessAreReadyAgain) {
  in_dying_process([&] {
    Store store(file_);
    store.begin_run(plan_);
    claim(store, 5);
    store.flush();
    _exit(0);
  });
  EXPECT_EQ(Store(file_, Store::Access::read).progress(plan_.run.key).leased, 5u);
  Store store(file_);
  store.begin_run(plan_);
  EXPECT_EQ(progress(store).leased, 0u);
  const auto claims = claim(store, 100);
  ASSERT_EQ(claims.size(), 12u);
  for (const Claim& one : claims) EXPECT_EQ(one.attempt, 1) << "a kill says nothing about a trial";
}

TEST_F(StoreQueue, ALostDeviceUsesUpAnAttemptOfItsTrialAlone) {
  {
    Store store(file_);
    store.begin_run(plan_);
    const auto claims = claim(store, 2);
    EXPECT_FALSE(store.lose_attempt(claims[0], "device x was lost: assert"));
    EXPECT_FALSE(store.lose_attempt(claims[0], "its token is stale"));
    EXPECT_EQ(progress(store).leased, 1u);
    EXPECT_EQ(progress(store).ready, 11u);
    const auto again = claim(store, 1);
    EXPECT_EQ(again[0].trial, claims[0].trial);
    EXPECT_EQ(again[0].attempt, 2);
  }
  in_dying_process([&] {
    Store store(file_);
    store.begin_run(plan_);
    claim(store, 12);
    store.flush();
    _exit(0);
  });
  plan_.trials[2].output = digest_of("after its weights were replaced");
  Store store(file_);
  store.begin_run(plan_);
  const auto claims = claim(store, 12);
  ASSERT_EQ(claims.size(), 12u);
  for (const Claim& one : claims)
    EXPECT_EQ(one.attempt, one.trial == plan_.trials[11].key ? 2 : 1) << "it is in the file";
}

TEST_F(StoreQueue, ATrialThatLostItsDeviceInEachAttemptIsFailed) {
  plan_.trials[4].same_as = 11;
  plan_.trials[4].output = plan_.trials[11].output;
  {
    Store store(file_);
    store.begin_run(plan_);
  }
  run_sql(file_, "UPDATE trials SET attempt = 1 WHERE ordinal = 11");
  Store store(file_);
  store.begin_run(plan_);
  const auto claims = claim(store, 1);
  EXPECT_EQ(claims[0].attempt, kMostAttempts);
  EXPECT_TRUE(store.lose_attempt(claims[0], "device x was lost: assert"));
  EXPECT_EQ(progress(store).failed, 2u) << "and what repeats it";
  EXPECT_EQ(progress(store).leased, 0u);
  const Store reader(file_, Store::Access::read);
  reader.for_each_trial(plan_.run.key, [&](const TrialResult& result) {
    if (!result.finished) return;
    EXPECT_EQ(result.status, Status::failed);
    EXPECT_EQ(result.reason, "tried 2 times, each time its device was lost: device x was lost: assert");
  });
  EXPECT_EQ(work(store, plan_, 100), 10u) << "it is not tried again";
}

// Of schema 2 the number was that of claims.
TEST_F(StoreQueue, AttemptsOfAnOlderStoreAreForgotten) {
  {
    Store store(file_);
    store.begin_run(plan_);
  }
  run_sql(file_, "UPDATE trials SET attempt = 7");
  run_sql(file_, "PRAGMA user_version = 2");
  Store store(file_);
  store.begin_run(plan_);
  EXPECT_EQ(claim(store, 1)[0].attempt, 1);
}

TEST_F(StoreQueue, AReaderCountsALeaseThatNobodyRenewsAsReady) {
  in_dying_process([&] {
    Store store(file_, Store::Access::write, {.lease = std::chrono::milliseconds(300)});
    store.begin_run(plan_);
    claim(store, 5);
    store.flush();
    _exit(0);
  });
  const Store reader(file_, Store::Access::read);
  EXPECT_TRUE(eventually([&] { return reader.progress(plan_.run.key).ready == 12; }));
}

TEST_F(StoreQueue, LeasesOfALivingProcessAreRenewed) {
  Store store(file_, Store::Access::write, {.lease = std::chrono::milliseconds(300)});
  store.begin_run(plan_);
  claim(store, 1);
  store.flush();
  const std::string first = dump_tables(file_);
  EXPECT_TRUE(eventually([&] { return dump_tables(file_) != first; }));  // lease_until moved
  EXPECT_EQ(progress(store).leased, 1u);
}

TEST_F(StoreQueue, ReleasedTrialsAreUntouchedAndComeBackInOrder) {
  Store store(file_);
  store.begin_run(plan_);
  const auto first = claim(store, 3);
  store.release(first);
  EXPECT_EQ(progress(store).ready, 12u);
  const auto second = claim(store, 3);
  ASSERT_EQ(second.size(), 3u);
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(second[i].trial, first[i].trial);
    EXPECT_EQ(second[i].attempt, 1);
    EXPECT_NE(second[i].token, first[i].token);
  }
}

TEST_F(StoreQueue, RecordsWithAStaleTokenAreCountedAndNotStored) {
  std::vector<Claim> stale;
  {
    Store store(file_);
    store.begin_run(plan_);
    stale = claim(store, 2);
  }
  Store store(file_);
  store.begin_run(plan_);
  store.append(example_record(plan_, stale[0]));
  const auto fresh = claim(store, 2);
  store.append(example_record(plan_, stale[1]));
  store.release({fresh[1]});
  store.append(example_record(plan_, fresh[1]));
  store.append(example_record(plan_, fresh[0]));
  store.append(example_record(plan_, fresh[0]));  // a second time
  store.flush();
  EXPECT_EQ(store.rejected(), 4u);
  EXPECT_EQ(store.acknowledged(), 1u);
  EXPECT_EQ(progress(store).ok, 1u);
  EXPECT_EQ(progress(store).ready, 11u);
  EXPECT_FALSE(store.output(fresh[1].output));
}

TEST_F(StoreQueue, ReleasingWhatWasAppendedKeepsTheRecord) {
  Store store(file_);
  store.begin_run(plan_);
  const auto claims = claim(store, 2);
  store.append(example_record(plan_, claims[0]));
  store.release(claims);
  store.flush();
  EXPECT_EQ(progress(store).ok, 1u);
  EXPECT_EQ(progress(store).ready, 11u);
  EXPECT_EQ(progress(store).leased, 0u);
}

TEST_F(StoreQueue, AliasesFinishWithTheirOriginalAndShowItsScores) {
  plan_.trials[0].same_as = plan_.trials[11].same_as = 5;
  plan_.trials[0].output = plan_.trials[11].output = plan_.trials[5].output;
  plan_.trials[0].image = plan_.trials[11].image = plan_.trials[5].image;
  Store store(file_);
  store.begin_run(plan_);
  EXPECT_EQ(progress(store).ready, 12u);
  EXPECT_EQ(work(store, plan_, 100), 10u);
  EXPECT_EQ(progress(store).ok, 12u);
  std::vector<TrialResult> rows;
  store.for_each_trial(plan_.run.key, [&](const TrialResult& result) { rows.push_back(result); });
  for (const std::size_t alias : {0u, 11u}) {
    EXPECT_EQ(rows[alias].same_as, 5u);
    rows[alias].same_as = kNoTrial;
    rows[alias].cell = rows[5].cell;
    rows[alias].seed = rows[5].seed;
    EXPECT_EQ(show(rows[alias]), show(rows[5]));
  }
  const Store reader(file_, Store::Access::read);
  EXPECT_EQ(reader.progress(plan_.run.key).ok, 12u);
}

TEST_F(StoreQueue, AliasesOfAFinishedOriginalAreFinishedWhenTheRunBegins) {
  Store store(file_);
  store.begin_run(plan_);
  work(store, plan_, 7);  // rows 11 down to 5
  plan_.trials[0].same_as = 11;
  plan_.trials[0].output = plan_.trials[11].output;
  store.begin_run(plan_);
  EXPECT_EQ(progress(store).ok, 8u);
  EXPECT_EQ(work(store, plan_, 100), 4u);
}

TEST_F(StoreQueue, ATrialThatAsksForAnotherOutputIsQueuedAgainAndTheRestIsKept) {
  Store store(file_);
  store.begin_run(plan_);
  work(store, plan_, 100);
  store.finish_run(plan_.run.key);
  plan_.trials[2].output = digest_of("after its weights were replaced");
  store.begin_run(plan_);
  EXPECT_EQ(progress(store).ok, 11u);
  EXPECT_EQ(store.runs().at(0).finished_at, "");
  const auto claims = claim(store, 100);
  ASSERT_EQ(claims.size(), 1u);
  EXPECT_EQ(claims[0].output, plan_.trials[2].output);
}

TEST_F(StoreQueue, TrialsOfAnUnusablePictureFailAtOnceAndStayFailed) {
  plan_.images[1].problem = "PNG truncated at byte 7";
  plan_.trials[5].same_as = 1;
  Store store(file_);
  store.begin_run(plan_);
  EXPECT_EQ(progress(store).failed, 3u);
  store.requeue_failed(plan_.run.key);
  EXPECT_EQ(progress(store).failed, 3u);
  EXPECT_EQ(work(store, plan_, 100), 9u);
  store.for_each_trial(plan_.run.key, [&](const TrialResult& result) {
    EXPECT_EQ(result.status, result.image == 1 ? Status::failed : Status::ok);
    EXPECT_EQ(result.reason, result.image == 1 ? plan_.images[1].problem : "");
  });
}

TEST_F(StoreQueue, FailedTrialsAreWorkedOnAgainAfterRequeue) {
  plan_.trials[4].same_as = 11;
  Store store(file_);
  store.begin_run(plan_);
  for (const auto& one : claim(store, 2)) {
    Record record = example_record(plan_, one);
    record.status = Status::failed;
    record.reason = "out of memory";
    store.append(record);
  }
  work(store, plan_, 100);
  store.finish_run(plan_.run.key);
  EXPECT_EQ(progress(store).failed, 3u);
  store.requeue_failed(plan_.run.key);
  EXPECT_EQ(progress(store).failed, 0u);
  EXPECT_EQ(progress(store).ready, 3u);
  EXPECT_EQ(store.runs().at(0).finished_at, "");
  const auto claims = claim(store, 100);
  ASSERT_EQ(claims.size(), 2u);
  EXPECT_EQ(claims[0].attempt, 1);
  for (const auto& one : claims) store.append(example_record(plan_, one));
  store.flush();
  EXPECT_EQ(progress(store).ok, 12u);
  store.for_each_trial(plan_.run.key, [](const TrialResult& result) { EXPECT_EQ(result.reason, ""); });
}

TEST_F(StoreQueue, ManyWorkersFinishEveryTrialOnce) {
  const RunPlan plan = example_plan(20, 50);
  Store store(file_);
  store.begin_run(plan);
  std::vector<std::thread> workers;
  for (int i = 0; i < 4; ++i)
    workers.emplace_back([&, i] {
      while (true) {
        const auto claims = store.claim(plan.run.key, std::to_string(i), 3);
        if (claims.empty()) return;
        for (const auto& one : claims) store.append(example_record(plan, one));
      }
    });
  for (auto& worker : workers) worker.join();
  store.flush();
  EXPECT_EQ(store.acknowledged(), 1000u);
  EXPECT_EQ(store.rejected(), 0u);
  EXPECT_EQ(store.progress(plan.run.key).ok, 1000u);
  EXPECT_EQ(Store(file_, Store::Access::read).progress(plan.run.key).ok, 1000u);
}

}  // namespace
}  // namespace upbench::test
