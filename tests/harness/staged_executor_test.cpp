#include "harness/staged_executor.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <future>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace upbench {
namespace {

using testing::ElementsAre;

constexpr std::size_t kPrepare = 0, kCompute = 1, kScore = 2;
// What never comes is a failure, not a hang.
constexpr std::chrono::seconds kPatience{20};

// What happened to the pieces of one test.
struct Log {
  std::mutex mutex;
  std::vector<std::string> lines;
  std::function<void(int piece, std::size_t step)> during = [](int, std::size_t) {};

  void add(const std::string& line) {
    const std::lock_guard lock(mutex);
    lines.push_back(line);
  }
  std::vector<std::string> of(const std::string& what) {
    const std::lock_guard lock(mutex);
    std::vector<std::string> found;
    std::ranges::copy_if(lines, std::back_inserter(found),
                         [&](const std::string& line) { return line.starts_with(what); });
    return found;
  }
};

class Piece final : public StagedWork {
 public:
  Piece(Log& log, int number) : log_(log), number_(number) {}
  std::size_t run(std::size_t step) override {
    log_.during(number_, step);
    log_.add("step" + std::to_string(step) + " " + std::to_string(number_));
    return step + 1;
  }
  void drop() override { log_.add("drop " + std::to_string(number_)); }

 private:
  Log& log_;
  int number_;
};

StagedExecutor::Source pieces(Log& log, int count) {
  return [&log, count, next = std::make_shared<int>(0)]() -> std::unique_ptr<StagedWork> {
    if (*next == count) return nullptr;
    log.add("begin " + std::to_string(*next));
    return std::make_unique<Piece>(log, (*next)++);
  };
}

StagedExecutor::Options options(int processors, const StepRule& compute = {.heavy = true}) {
  return {.steps = {{.at_most = processors}, compute, {.at_most = processors}},
          .binding = kCompute,
          .processors = processors,
          .ahead = 2,
          .behind = 2,
          .light_threads = processors > 1};
}

void run_all(StagedExecutor& executor, int heavy, int light) {
  std::vector<std::thread> threads;
  for (int i = 0; i < heavy + light; ++i) threads.emplace_back([&, i] { executor.work(i < heavy); });
  for (std::thread& thread : threads) thread.join();
}

TEST(StagedExecutor, OneThreadTakesEveryPieceThroughEveryStepInOrder) {
  Log log;
  StagedExecutor executor(options(1), pieces(log, 3));
  executor.work(true);
  EXPECT_THAT(log.of("step0"), ElementsAre("step0 0", "step0 1", "step0 2"));
  EXPECT_THAT(log.of("step1"), ElementsAre("step1 0", "step1 1", "step1 2"));
  EXPECT_THAT(log.of("step2"), ElementsAre("step2 0", "step2 1", "step2 2"));
  EXPECT_FALSE(executor.error());
}

TEST(StagedExecutor, ThePieceNearestToItsEndGoesFirst) {
  Log log;
  StagedExecutor executor(options(1), pieces(log, 3));
  executor.work(true);
  const auto at = [&](const std::string& line) {
    return std::ranges::find(log.lines, line) - log.lines.begin();
  };
  EXPECT_LT(at("step2 0"), at("step1 1"));
  EXPECT_LT(at("step2 1"), at("step1 2"));
}

TEST(StagedExecutor, ThePiecesBeforeAndBehindMoveOnWhileOneIsComputed) {
  Log log;
  std::promise<void> first_computes, next_prepared, one_before_scored;
  auto begun = first_computes.get_future(), prepared = next_prepared.get_future(),
       scored = one_before_scored.get_future();
  log.during = [&](int piece, std::size_t step) {
    if (piece == 0 && step == kCompute) first_computes.set_value();
    if (piece == 1 && step == kPrepare) begun.wait_for(kPatience);  // so that it is not computed first
    if (piece == 2 && step == kPrepare) next_prepared.set_value();
    if (piece == 0 && step == kScore) one_before_scored.set_value();
    if (piece == 1 && step == kCompute) {
      EXPECT_EQ(prepared.wait_for(kPatience), std::future_status::ready);
      EXPECT_EQ(scored.wait_for(kPatience), std::future_status::ready);
    }
  };
  StagedExecutor executor(options(3), pieces(log, 3));
  run_all(executor, 1, 2);
  EXPECT_EQ(log.of("step2").size(), 3u);
}

TEST(StagedExecutor, NeverOccupiesMoreProcessorsThanItHas) {
  for (const int wide : {1, 2, 4}) {
    Log log;
    std::atomic<int> busy = 0, most = 0;
    log.during = [&](int, std::size_t step) {
      const int own = step == kCompute ? wide : 1;
      const int now = busy += own;
      for (int seen = most; now > seen && !most.compare_exchange_weak(seen, now);) {
      }
      std::this_thread::sleep_for(std::chrono::microseconds(200));
      busy -= own;
    };
    StagedExecutor executor(options(4, {.processors = wide, .at_most = 4 / wide, .heavy = true}),
                            pieces(log, 40));
    run_all(executor, 4, 4);
    EXPECT_LE(most, 4) << wide << " processors a computation";
    EXPECT_GT(most, 1) << "nothing ran side by side";
    EXPECT_EQ(log.of("step2").size(), 40u);
  }
}

TEST(StagedExecutor, LightThreadsLeaveHeavyStepsAlone) {
  Log log;
  std::atomic<bool> wrong = false;
  thread_local bool heavy_thread = false;
  log.during = [&](int, std::size_t step) { wrong = wrong || (step == kCompute && !heavy_thread); };
  StagedExecutor executor(options(4), pieces(log, 30));
  std::vector<std::thread> threads;
  for (const bool heavy : {true, false, false})
    threads.emplace_back([&, heavy] {
      heavy_thread = heavy;
      executor.work(heavy);
    });
  for (std::thread& thread : threads) thread.join();
  EXPECT_FALSE(wrong);
  EXPECT_EQ(log.of("step1").size(), 30u);
}

// While the first piece computes for as long as the test likes, two more may wait before it and no other
// begins.
TEST(StagedExecutor, BeginsNoMoreThanMayWait) {
  Log log;
  std::promise<void> release;
  std::shared_future<void> released = release.get_future().share();
  std::atomic<bool> first = true;  // pieces are prepared side by side: any may be computed first
  log.during = [&](int, std::size_t step) {
    if (step == kCompute && first.exchange(false)) released.wait_for(kPatience);
  };
  StagedExecutor executor(options(4), pieces(log, 20));
  std::thread threads([&] { run_all(executor, 1, 3); });
  while (log.of("step0").size() < 3) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  std::this_thread::sleep_for(std::chrono::milliseconds(50));  // time in which a fourth one would begin
  EXPECT_EQ(log.of("begin").size(), 3u);
  release.set_value();
  threads.join();
  EXPECT_EQ(log.of("step2").size(), 20u);
}

TEST(StagedExecutor, ASlowLastStepHoldsBackTheComputation) {
  Log log;
  std::promise<void> release;
  std::shared_future<void> released = release.get_future().share();
  log.during = [&](int, std::size_t step) {
    if (step == kScore) released.wait_for(kPatience);
  };
  StagedExecutor executor(options(4), pieces(log, 20));
  std::thread threads([&] { run_all(executor, 1, 3); });
  while (log.of("step1").size() < 2) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  std::this_thread::sleep_for(std::chrono::milliseconds(50));  // time in which a third one would be computed
  EXPECT_EQ(log.of("step1").size(), 2u);
  release.set_value();
  threads.join();
}

TEST(StagedExecutor, ClosingFinishesWhatWasBegunAndDropsTheRest) {
  Log log;
  StagedExecutor* made = nullptr;
  std::atomic<bool> first = true;  // pieces are prepared side by side: any may be computed first
  log.during = [&](int, std::size_t step) {
    if (step != kCompute || !first.exchange(false)) return;
    while (log.of("step0").size() < 3) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    made->close();
  };
  StagedExecutor executor(options(4), pieces(log, 20));
  made = &executor;
  run_all(executor, 1, 3);
  EXPECT_EQ(log.of("begin").size(), 3u);
  EXPECT_EQ(log.of("step2").size(), 1u);
  EXPECT_EQ(log.of("drop").size(), 2u);
}

TEST(StagedExecutor, AnExceptionEndsItAndDropsThePiece) {
  Log log;
  log.during = [](int piece, std::size_t step) {
    if (piece == 1 && step == kCompute) throw std::runtime_error("gone");
  };
  StagedExecutor executor(options(2), pieces(log, 20));
  run_all(executor, 1, 1);
  ASSERT_TRUE(executor.error());
  EXPECT_THROW(std::rethrow_exception(executor.error()), std::runtime_error);
  EXPECT_THAT(log.of("drop"), testing::Contains("drop 1"));
  EXPECT_EQ(log.of("begin").size(), log.of("drop").size() + log.of("step2").size());
}

TEST(StagedExecutor, AnExceptionOfTheSourceEndsItWhenTheRestIsDone) {
  Log log;
  StagedExecutor executor(options(1), [&, first = true]() mutable -> std::unique_ptr<StagedWork> {
    if (!std::exchange(first, false)) throw std::runtime_error("no more to be had");
    return std::make_unique<Piece>(log, 0);
  });
  executor.work(true);
  EXPECT_TRUE(executor.error());
  EXPECT_THAT(log.of("step2"), ElementsAre("step2 0"));
}

}  // namespace
}  // namespace upbench
