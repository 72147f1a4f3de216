#include "reports/watch.h"

#include <thread>

#include <gtest/gtest.h>

#include "reports/report.h"
#include "tests/harness/store_fixture.h"
#include "tests/reports/sample_run.h"
#include "tests/support/assets.h"

namespace upbench::test {
namespace {

class Watch : public testing::Test {
 protected:
  bool watch(const std::function<void(bool)>& write,
             const std::function<void(const std::string&)>& waiting = {}) {
    return watch_stores({.stores = {file_}, .run = {}, .interval = std::chrono::duration<double>(0.01)},
                        stop_, {.write = write, .waiting = waiting});
  }

  TemporaryFolder folder_;
  std::filesystem::path file_ = folder_ / "a.db";
  RunPlan plan_ = example_plan(2, 3);
  std::atomic<bool> stop_ = false;
};

TEST_F(Watch, WritesAfterTheFirstTrialAndALastTimeWhenNoneIsLeft) {
  Store store(file_);
  store.begin_run(plan_);
  work(store, plan_, 1);
  std::string calls;
  EXPECT_TRUE(watch([&](bool is_last) {
    calls += is_last ? "last" : "more ";
    work(store, plan_, calls == "more " ? 2 : 6);
    if (calls == "more more ") store.finish_run(plan_.run.key);
  }));
  EXPECT_EQ(calls, "more more last");
}

TEST_F(Watch, WaitsForTheStoreAndItsFirstTrial) {
  std::optional<Store> store;
  std::string missing, calls;
  EXPECT_TRUE(watch([&](bool is_last) { calls += is_last ? "last" : "more"; },
                    [&](const std::string& name) {
                      missing += name;
                      store.emplace(file_);
                      store->begin_run(plan_);
                      work(*store, plan_, 6);
                      store->finish_run(plan_.run.key);
                    }));
  EXPECT_EQ(missing, file_.string());
  EXPECT_EQ(calls, "last");
}

TEST_F(Watch, WritesNothingBeforeATrialHasFinishedAndStopsWhenAsked) {
  Store store(file_);
  store.begin_run(plan_);
  std::jthread stopping([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    stop_ = true;
  });
  EXPECT_FALSE(watch([](bool) { ADD_FAILURE() << "nothing has finished"; }));
}

TEST_F(Watch, APageReloadsItselfInsideItsHead) {
  const std::string page = report_html(sample_run());
  const std::string watched = refreshing(page, std::chrono::duration<double>(2.5));
  const std::string tag = "<meta http-equiv=\"refresh\" content=\"3\">\n";
  const std::size_t at = watched.find(tag);
  ASSERT_NE(at, watched.npos);
  EXPECT_LT(at, watched.find("</head>"));
  EXPECT_EQ(std::string(watched).erase(at, tag.size()), page);
}

}  // namespace
}  // namespace upbench::test
