#include <cstdlib>
#include <fstream>
#include <memory>
#include <optional>

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness/store.h"
#include "harness/store/file.h"
#include "tests/harness/store_fixture.h"
#include "tests/support/assets.h"

namespace upbench::test {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::HasSubstr;

class StoreFile : public testing::Test {
 protected:
  void SetUp() override {
    Store store(file_);
    store.begin_run(plan_);
    work(store, plan_, 100);
  }
  // Code and text of the refusal.
  void expect_refused(const fs::path& file, int code, const std::string& text,
                      Store::Access access = Store::Access::write) {
    const StoreError error = opening_error(file, access);
    EXPECT_EQ(error.exit_code, code) << error.what();
    EXPECT_THAT(error.what(), AllOf(HasSubstr(file.string()), HasSubstr(text)));
  }
  void write(const fs::path& file, std::string_view bytes) { std::ofstream(file, std::ios::binary) << bytes; }

  TemporaryFolder folder_;
  fs::path file_ = folder_ / "sweep.db";
  RunPlan plan_ = example_plan(10, 20);
};

// Runs `body` as a user without rights; its text is what came of it. Root is stopped by no permission bit.
template <class Body>
std::string as_nobody(Body body) {
  int ends[2];
  if (pipe(ends) != 0) return "no pipe";
  const pid_t child = fork();
  if (child == 0) {
    std::string text;
    if (geteuid() == 0 && (setgid(65534) != 0 || setuid(65534) != 0)) text = "cannot become nobody";
    try {
      if (text.empty()) text = body();
    } catch (const std::exception& error) {
      text = error.what();
    }
    static_cast<void>(!::write(ends[1], text.data(), text.size()));
    _exit(0);
  }
  close(ends[1]);
  std::string text(4096, '\0');
  std::size_t size = 0;
  for (ssize_t got = 0;
       size < text.size() && (got = ::read(ends[0], text.data() + size, text.size() - size)) > 0;)
    size += static_cast<std::size_t>(got);
  close(ends[0]);
  waitpid(child, nullptr, 0);
  text.resize(size);
  return text;
}

TEST_F(StoreFile, AStoreLeavesNoLogWhenItIsClosed) {
  EXPECT_FALSE(fs::exists(beside(file_, "-wal")));
  EXPECT_FALSE(fs::exists(beside(file_, ".creating")));
  EXPECT_EQ(integrity(file_), "ok");
}

TEST_F(StoreFile, WhatIsNoStoreIsRefusedWithItsReason) {
  write(folder_ / "empty", "");
  expect_refused(folder_ / "empty", 2, "is empty (0 bytes)");
  write(folder_ / "text", std::string(5000, 'x'));
  expect_refused(folder_ / "text", 2, "no SQLite file");
  write(folder_ / "short", "SQLite format 3");
  expect_refused(folder_ / "short", 2, "no SQLite file");
  write(folder_ / "foreign", "");
  run_sql(folder_ / "foreign", "CREATE TABLE t(x)");
  expect_refused(folder_ / "foreign", 2, "SQLite file of another program");
  expect_refused(folder_ / "foreign", 2, "SQLite file of another program", Store::Access::read);
  expect_refused(folder_.path(), 2, "is no file");
  ASSERT_EQ(mkfifo((folder_ / "fifo").c_str(), 0600), 0);
  expect_refused(folder_ / "fifo", 2, "is no file");
  expect_refused(folder_ / "nothing here", 2, "no such store", Store::Access::read);
  EXPECT_FALSE(fs::exists(folder_ / "nothing here"));
  expect_refused(folder_ / "no folder/x.db", 2, "does not exist");
}

TEST_F(StoreFile, ANewerSchemaIsRefusedAndUntouched) {
  run_sql(file_, "PRAGMA user_version = 99");
  expect_refused(file_, 2, "newer upbench (schema 99");
  expect_refused(file_, 2, "newer upbench (schema 99", Store::Access::read);
}

TEST_F(StoreFile, ADamagedStoreIsRefused) {
  const auto size = fs::file_size(file_);
  ASSERT_GT(size, 200'000u);
  const fs::path broken = folder_ / "broken.db";
  for (const auto kept : {size / 2, size - 4096, std::uintmax_t{4096}}) {
    fs::copy_file(file_, broken, fs::copy_options::overwrite_existing);
    fs::resize_file(broken, kept);
    expect_refused(broken, 2, "is damaged");
  }
  fs::copy_file(file_, broken, fs::copy_options::overwrite_existing);
  {
    std::fstream bytes(broken, std::ios::in | std::ios::out | std::ios::binary);
    bytes.seekp(static_cast<std::streamoff>(size / 8192 * 4096));
    bytes << std::string(4096, '\0');
  }
  expect_refused(broken, 2, "is damaged");
}

TEST_F(StoreFile, ALogWithoutItsStoreIsNotReplayedIntoANewOne) {
  write(folder_ / "new.db-wal", "left over");
  const StoreError error = opening_error(folder_ / "new.db");
  EXPECT_EQ(error.exit_code, 2);
  EXPECT_THAT(error.what(), AllOf(HasSubstr("new.db-wal"), HasSubstr("delete it")));
  EXPECT_FALSE(fs::exists(folder_ / "new.db"));
}

TEST_F(StoreFile, RemainsOfAnInterruptedCreationAreReplaced) {
  write(folder_ / "new.db.creating", "half a store");
  EXPECT_EQ(opening_error(folder_ / "new.db").exit_code, 0);
  EXPECT_FALSE(fs::exists(folder_ / "new.db.creating"));
}

TEST_F(StoreFile, ASecondWriterIsRefusedWithTheFirstOnesProcess) {
  const std::optional<Store> first(std::in_place, file_);
  expect_refused(file_, 2, "another run is using");
  const pid_t child = fork();
  if (child == 0) {
    const StoreError error = opening_error(file_);
    _exit(std::string(error.what()).find("(pid " + std::to_string(getppid()) + ")") != std::string::npos
              ? error.exit_code
              : 99);
  }
  int status = 0;
  waitpid(child, &status, 0);
  EXPECT_EQ(WEXITSTATUS(status), 2);
  fs::create_symlink(file_, folder_ / "link.db");
  EXPECT_EQ(opening_error(folder_ / "link.db").exit_code, 2);
  EXPECT_EQ(opening_error(file_, Store::Access::read).exit_code, 0);
}

TEST_F(StoreFile, TheLockEndsWithItsStore) {
  std::optional<Store> store(std::in_place, file_);
  store.reset();
  EXPECT_EQ(opening_error(file_).exit_code, 0);
}

TEST_F(StoreFile, NamesWithUriCharactersAndOddBytesAreFiles) {
  for (const char* name : {"a?mode=ro.db", "50%41#x.db", "it's \"it\"\n.db", "\xFF\xFE.db"}) {
    {
      Store(folder_ / name).begin_run(plan_);
    }
    EXPECT_TRUE(fs::exists(folder_ / name)) << name;
    EXPECT_EQ(Store(folder_ / name, Store::Access::read).runs().size(), 1u) << name;
  }
}

TEST_F(StoreFile, AStoreThatCannotBeWrittenSaysSoAndCanStillBeRead) {
  const std::string expected = show_results(Store(file_, Store::Access::read), plan_.run.key);
  for (const auto& entry : fs::directory_iterator(folder_.path()))
    if (entry.path() != file_) fs::remove(entry.path());
  const auto write_error = [&] {
    const StoreError error = opening_error(file_);
    return std::to_string(error.exit_code) + " " + error.what();
  };
  const auto contents = [&] { return show_results(Store(file_, Store::Access::read), plan_.run.key); };
  chmod(file_.c_str(), 0444);
  chmod(folder_.path().c_str(), 0777);
  if (as_nobody([&] { return std::string(access(file_.c_str(), R_OK) == 0 ? "yes" : "no"); }) != "yes")
    GTEST_SKIP() << "an ordinary user cannot reach " << folder_.path()
                 << ": set TMPDIR to a folder open to all";
  EXPECT_THAT(as_nobody(write_error), AllOf(HasSubstr("4 " + file_.string()), HasSubstr("is read-only")));
  chmod(folder_.path().c_str(), 0555);
  EXPECT_THAT(as_nobody(write_error), AllOf(HasSubstr("4 " + file_.string()), HasSubstr("is read-only")));
  EXPECT_EQ(as_nobody([&] { return contents() == expected ? "same" : "different"; }), "same");
  EXPECT_EQ(as_nobody([&] { return std::to_string(opening_error(folder_ / "new.db").exit_code); }), "4");
  chmod(file_.c_str(), 0000);
  EXPECT_THAT(as_nobody(contents), HasSubstr("Permission denied"));
  chmod(folder_.path().c_str(), 0755);
}

TEST_F(StoreFile, FullDiskKeepsWhatWasAcknowledgedAndSaysSo) {
  const fs::path file = folder_ / "small.db";
  const RunPlan plan = example_plan(40, 50);
  std::uint64_t acknowledged = 0;
  {
    Store store(file, Store::Access::write, {.most_pages = 450});
    store.begin_run(plan);
    try {
      work(store, plan, 2000);
      FAIL() << "2000 records fit into 450 pages";
    } catch (const StoreError& error) {
      EXPECT_EQ(error.exit_code, 4);
      EXPECT_THAT(error.what(), AllOf(HasSubstr(file.string()), HasSubstr("disk full")));
    }
    EXPECT_THROW(store.flush(), StoreError);
    EXPECT_THROW(store.claim(plan.run.key, "worker", 1), StoreError);
    acknowledged = store.acknowledged();
    EXPECT_EQ(store.progress(plan.run.key).ok, acknowledged);
  }
  EXPECT_GT(acknowledged, 0u);
  EXPECT_EQ(integrity(file), "ok");
  EXPECT_EQ(Store(file, Store::Access::read).progress(plan.run.key).ok, acknowledged);
  Store store(file);  // there is room again
  store.begin_run(plan);
  EXPECT_EQ(work(store, plan, 2000), 2000 - acknowledged);
}

TEST_F(StoreFile, TheEnvironmentCanLimitTheFile) {
  setenv("UPBENCH_STORE_PAGES", "450", 1);
  Store store(folder_ / "small.db");
  setenv("UPBENCH_STORE_PAGES", "many", 1);
  EXPECT_THROW(Store(folder_ / "other.db"), std::invalid_argument);
  unsetenv("UPBENCH_STORE_PAGES");
  const RunPlan plan = example_plan(40, 50);
  store.begin_run(plan);
  EXPECT_THROW(work(store, plan, 2000), StoreError);
}

TEST_F(StoreFile, AFullFileSystemKeepsWhatWasAcknowledged) {
  const fs::path mounted = folder_ / "mounted";
  fs::create_directory(mounted);
  if (mount("tmpfs", mounted.c_str(), "tmpfs", 0, "size=2m") != 0)
    GTEST_SKIP() << "mounting a small file system needs root";
  const std::shared_ptr<const fs::path> unmount(
      &mounted, [](const fs::path* path) { umount2(path->c_str(), MNT_DETACH); });
  const RunPlan plan = example_plan(40, 50);
  std::uint64_t acknowledged = 0;
  {
    Store store(mounted / "sweep.db");
    store.begin_run(plan);
    EXPECT_THROW(
        {
          try {
            work(store, plan, 2000);
          } catch (const StoreError& error) {
            EXPECT_EQ(error.exit_code, 4);
            EXPECT_THAT(error.what(), HasSubstr("disk full"));
            throw;
          }
        },
        StoreError);
    acknowledged = store.acknowledged();
  }
  EXPECT_GT(acknowledged, 0u);
  fs::copy(mounted / "sweep.db", folder_ / "copy.db");
  if (fs::exists(mounted / "sweep.db-wal")) fs::copy(mounted / "sweep.db-wal", folder_ / "copy.db-wal");
  EXPECT_EQ(Store(folder_ / "copy.db").progress(plan.run.key).ok, acknowledged);
  EXPECT_EQ(integrity(folder_ / "copy.db"), "ok");
}

TEST(StoreFilesystem, NetworkAndUserSpaceFileSystemsAreUnsafeAndLocalOnesAreNot) {
  EXPECT_EQ(unsafe_filesystem(0x6969), "NFS");
  EXPECT_EQ(unsafe_filesystem(0xFF534D42), "CIFS");
  EXPECT_EQ(unsafe_filesystem(static_cast<int>(0xFE534D42)), "SMB2");  // as a 32-bit long has it
  EXPECT_EQ(unsafe_filesystem(0x65735546), "FUSE");
  EXPECT_EQ(unsafe_filesystem(0x0BD00BD0), "Lustre");
  EXPECT_EQ(unsafe_filesystem(0x47504653), "GPFS");
  EXPECT_EQ(unsafe_filesystem(0x01021997), "9p");
  for (const long local :
       {0xEF53L, 0x58465342L, 0x9123683EL, 0x01021994L, 0x794C7630L})  // ext4 xfs btrfs tmpfs overlay
    EXPECT_FALSE(unsafe_filesystem(local));
}

}  // namespace
}  // namespace upbench::test
