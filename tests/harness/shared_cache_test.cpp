#include "harness/shared_cache.h"

#include <atomic>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

namespace upbench {
namespace {

using Cache = SharedCache<int, std::string>;

Cache::Made made(const std::string& text, std::size_t bytes = 1) {
  return {std::make_shared<std::string>(text), bytes};
}

TEST(SharedCache, MakesAValueOnce) {
  Cache cache(100);
  EXPECT_EQ(*cache.get(1, [] { return made("one"); }), "one");
  EXPECT_EQ(*cache.get(1, [] { return made("never"); }), "one");
  EXPECT_EQ(cache.made(), 1u);
}

TEST(SharedCache, DropsTheLeastRecentlyUsedAboveItsBudget) {
  Cache cache(2);
  for (const int key : {1, 2}) cache.get(key, [] { return made("x"); });
  cache.get(1, [] { return made("x"); });  // 2 is now the older one
  cache.get(3, [] { return made("x"); });
  EXPECT_EQ(cache.made(), 3u);
  cache.get(1, [] { return made("again"); });
  EXPECT_EQ(cache.made(), 3u);
  cache.get(2, [] { return made("again"); });
  EXPECT_EQ(cache.made(), 4u);
}

TEST(SharedCache, HandsOutWhatIsLargerThanItsBudgetWithoutKeepingIt) {
  Cache cache(10);
  EXPECT_EQ(*cache.get(1, [] { return made("large", 1000); }), "large");
  EXPECT_EQ(*cache.get(1, [] { return made("again", 1000); }), "again");
}

TEST(SharedCache, WhatIsDroppedWhileSomebodyHoldsItIsNotMadeAgain) {
  Cache cache(10);
  auto held = cache.get(1, [] { return made("large", 1000); });
  EXPECT_FALSE(cache.has(1)) << "larger than the budget";
  EXPECT_EQ(cache.get(1, [] { return made("again", 1000); }), held);
  EXPECT_EQ(cache.made(), 1u);
  held.reset();
  EXPECT_EQ(*cache.get(1, [] { return made("again", 1000); }), "again");
  EXPECT_EQ(cache.made(), 2u);
}

TEST(SharedCache, AFailureReachesTheCallerAndIsNotKept) {
  Cache cache(10);
  EXPECT_THROW(cache.get(1, []() -> Cache::Made { throw std::runtime_error("no"); }), std::runtime_error);
  EXPECT_EQ(*cache.get(1, [] { return made("now"); }), "now");
}

TEST(SharedCache, ThreadsThatAskAtOnceGetOneValue) {
  Cache cache(100);
  std::atomic<int> makers = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i)
    threads.emplace_back([&] {
      EXPECT_EQ(*cache.get(7,
                           [&] {
                             ++makers;
                             std::this_thread::sleep_for(std::chrono::milliseconds(20));
                             return made("shared");
                           }),
                "shared");
    });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(makers, 1);
}

}  // namespace
}  // namespace upbench
