#include <fstream>
#include <iterator>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "harness/store.h"
#include "harness/store/kept_names.h"
#include "tests/harness/store_fixture.h"
#include "tests/support/assets.h"

namespace upbench::test {
namespace {

namespace fs = std::filesystem;

class StoreMerge : public testing::Test {
 protected:
  // A store in which the trials of rows [first, last) are finished, after `change` saw their records.
  template <class Change>
  void make(const fs::path& file, std::size_t first, std::size_t last, Change change) {
    Store store(file);
    store.begin_run(plan_);
    for (const auto& claim : store.claim(plan_.run.key, "worker", plan_.trials.size()))
      for (std::size_t i = first; i < last; ++i)
        if (plan_.trials[i].key == claim.trial) {
          Record record = example_record(plan_, claim);
          record.kept_file.clear();
          change(record);
          store.append(record);
        }
  }
  void make(const fs::path& file, std::size_t first, std::size_t last) {
    make(file, first, last, [](Record&) {});
  }

  TemporaryFolder folder_;
  RunPlan plan_ = example_plan(3, 4);
  fs::path a_ = folder_ / "a.db", b_ = folder_ / "b.db", c_ = folder_ / "c.db";
};

TEST_F(StoreMerge, BothWaysGiveEqualTables) {
  make(a_, 0, 7);
  make(b_, 5, 12);
  fs::copy_file(a_, c_);
  const auto into_c = Store(c_).merge(b_);
  const auto into_b = Store(b_).merge(a_);
  EXPECT_EQ(into_c.added, 5u + 5 * 3);  // trials and scores
  EXPECT_EQ(into_b.added, 5u + 5 * 3);
  EXPECT_EQ(into_c.conflicts + into_b.conflicts, 0u);
  Store(b_).begin_run(plan_);  // frees what was leased when the halves were made
  Store(c_).begin_run(plan_);
  EXPECT_EQ(dump_tables(b_), dump_tables(c_));
  EXPECT_EQ(Store(b_).progress(plan_.run.key).ok, 12u);
}

TEST_F(StoreMerge, MergingAgainAddsNothing) {
  make(a_, 0, 7);
  make(b_, 5, 12);
  Store store(a_);
  store.merge(b_);
  const auto again = store.merge(b_);
  EXPECT_EQ(again.added, 0u);
  EXPECT_EQ(again.conflicts, 0u);
}

TEST_F(StoreMerge, RunsThatAreNewComeWholeAndCanBeResumed) {
  make(b_, 0, 5);
  Store store(a_);
  EXPECT_EQ(store.merge(b_).added, 5u + 5 * 3);
  EXPECT_EQ(show(store.plan(plan_.run.key)), show(plan_));
  EXPECT_EQ(store.progress(plan_.run.key).leased, 0u);
  EXPECT_EQ(show_results(store, plan_.run.key), show_results(Store(b_, Store::Access::read), plan_.run.key));
  store.begin_run(plan_);
  EXPECT_EQ(work(store, plan_, 100), 7u);
}

TEST_F(StoreMerge, KeptInputsAndReferencesComeOver) {
  make(a_, 0, 4);
  make(b_, 5, 12);
  const auto write = [&](const fs::path& store, const std::string& name, const std::string& text) {
    const fs::path file = fs::path(store.string() + ".outputs") / name;
    fs::create_directories(file.parent_path());
    std::ofstream(file) << text;
  };
  const Digest &shared = plan_.images[0].key, &fresh = plan_.images[1].key;
  write(a_, kept_input_name(shared), "of a");
  write(b_, kept_input_name(shared), "of b");
  write(b_, kept_input_name(fresh), "input");
  write(b_, kept_reference_name(fresh), "reference");
  write(b_, kept_input_name(digest_of("of no run")), "stray");
  Store store(a_);
  store.merge(b_);
  const auto read = [&](const std::string& name) {
    std::ifstream stream(store.output_folder() / name);
    return std::string(std::istreambuf_iterator<char>(stream), {});
  };
  EXPECT_EQ(read(kept_input_name(shared)), "of a") << "what is here stays";
  EXPECT_EQ(read(kept_input_name(fresh)), "input");
  EXPECT_EQ(read(kept_reference_name(fresh)), "reference");
  EXPECT_FALSE(fs::exists(store.output_folder() / kept_input_name(digest_of("of no run"))));
}

TEST_F(StoreMerge, DifferentScoresOfOneKeyAreCountedAndKeptAsHere) {
  make(a_, 0, 4);
  make(b_, 0, 4, [](Record& record) {
    record.scores[0].value += 1;
    record.scores[1].flag = ValueFlag::inf;
    record.scores[2].flag = ValueFlag::skipped;  // no number: no contradiction
  });
  Store store(a_);
  const std::string before = show_results(store, plan_.run.key);
  const auto result = store.merge(b_);
  EXPECT_EQ(result.conflicts, 4u * 2);
  EXPECT_EQ(result.added, 0u);
  EXPECT_EQ(show_results(store, plan_.run.key), before);
}

TEST_F(StoreMerge, DifferentPixelsOfOneOutputAreAConflict) {
  make(a_, 0, 4);
  make(b_, 0, 4, [](Record& record) { record.pixels = digest_of("other pixels"); });
  EXPECT_EQ(Store(a_).merge(b_).conflicts, 4u);
}

TEST_F(StoreMerge, ARunPlannedDifferentlyIsAConflictAndStaysAsHere) {
  make(a_, 0, 4);
  plan_.trials[1].output = digest_of("other weights");
  make(b_, 0, 12);
  Store store(a_);
  EXPECT_EQ(store.merge(b_).conflicts, 1u);
  EXPECT_EQ(store.progress(plan_.run.key).ok, 4u);
  EXPECT_TRUE(store.output(digest_of("other weights")));  // results are shared by content all the same
}

TEST_F(StoreMerge, NumbersReplaceSkippedScoresAndSuccessReplacesFailure) {
  make(a_, 0, 2, [](Record& record) {
    record.status = Status::failed;
    record.reason = "out of memory";
    record.scores[1].flag = ValueFlag::skipped;
    record.scores[1].reason = "no weights";
  });
  make(b_, 0, 2);
  fs::copy_file(b_, c_);
  Store(c_).merge(a_);
  const Store good(c_, Store::Access::read);
  Store store(a_);
  EXPECT_EQ(store.merge(b_).added, 2u + 2);
  EXPECT_EQ(show_results(store, plan_.run.key), show_results(good, plan_.run.key));
  EXPECT_EQ(store.progress(plan_.run.key).ok, 2u);
}

TEST_F(StoreMerge, KeptPicturesComeAlongAndNamesCannotLeaveTheFolder) {
  std::ofstream(folder_ / "secret.png") << "outside";
  make(b_, 0, 3, [&](Record& record) {
    record.kept_file = record.output == plan_.trials[0].output   ? "ab/picture.png"
                       : record.output == plan_.trials[1].output ? "../secret.png"
                                                                 : "ab/gone.png";
  });
  fs::create_directories(folder_ / "b.db.outputs/ab");
  std::ofstream(folder_ / "b.db.outputs/ab/picture.png") << "pixels";
  Store store(a_);
  store.merge(b_);
  EXPECT_EQ(store.output(plan_.trials[0].output)->kept_file, "ab/picture.png");
  EXPECT_EQ(store.output(plan_.trials[1].output)->kept_file, "");
  EXPECT_EQ(store.output(plan_.trials[2].output)->kept_file, "");
  std::string text;
  std::ifstream(store.output_folder() / "ab/picture.png") >> text;
  EXPECT_EQ(text, "pixels");
  std::size_t files = 0;
  for (const auto& entry : fs::recursive_directory_iterator(store.output_folder()))
    files += entry.is_regular_file();
  EXPECT_EQ(files, 1u);
}

TEST_F(StoreMerge, TimesOfTwoMachinesAreNotMixed) {
  make(a_, 0, 1);
  make(b_, 0, 1, [](Record& record) {
    record.timings.push_back({.stage = "upscale", .clock = Clock::model, .sample = 2, .seconds = 77});
  });
  Store store(a_);
  store.merge(b_);
  store.for_each_trial(plan_.run.key, [](const TrialResult& result) {
    for (const auto& timing : result.timings) EXPECT_NE(timing.seconds, 77);
  });
}

TEST_F(StoreMerge, WhatIsNoOtherStoreIsRefusedAndNothingChanges) {
  make(a_, 0, 4);
  Store store(a_);
  EXPECT_THROW(store.merge(a_), std::invalid_argument);
  EXPECT_THROW(store.merge(folder_ / "none.db"), StoreError);
  make(b_, 0, 12);
  fs::resize_file(b_, fs::file_size(b_) / 2);
  try {
    store.merge(b_);
    FAIL() << "half a store was merged";
  } catch (const StoreError& error) {
    EXPECT_EQ(error.exit_code, 2);
    EXPECT_THAT(error.what(), testing::HasSubstr(b_.string()));
  }
  EXPECT_EQ(store.progress(plan_.run.key).ok, 4u);
}

}  // namespace
}  // namespace upbench::test
