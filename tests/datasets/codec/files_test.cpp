// read_bytes() and write_file_atomically(): what a file system can hold in a picture's place.
#include <atomic>
#include <chrono>
#include <csignal>
#include <fstream>
#include <functional>
#include <system_error>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "datasets/codec/decode.h"
#include "datasets/codec/encode.h"
#include "tests/datasets/picture_files.h"
#include "tests/support/assets.h"

namespace upbench::test {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::HasSubstr;

std::string refused(const fs::path& file) {
  return refusal([&] { read_bytes(file); });
}

FileBytes bytes_of(std::string_view text) {
  return {text.begin(), text.end()};
}

std::vector<fs::path> entries(const fs::path& folder) {
  std::vector<fs::path> found;
  for (const auto& entry : fs::directory_iterator(folder)) found.push_back(entry.path().filename());
  return found;
}

// What reading says of a file that `change` goes on changing; empty if it never noticed.
std::string refused_while(const fs::path& file, const std::function<void()>& change) {
  fs::resize_file(file, 64 << 20);  // reading takes tens of milliseconds: many changes
  std::atomic<bool> done = false;
  std::jthread changing([&] {
    while (!done) change();
  });
  std::string reason;
  for (int attempt = 0; attempt < 200 && reason.empty(); ++attempt) {
    try {
      read_bytes(file);
    } catch (const std::runtime_error& error) {
      reason = error.what();
    }
  }
  done = true;
  return reason;
}

TEST(ReadBytes, FileThatGrowsMeanwhileIsRefused) {
  TemporaryFolder folder;
  const fs::path file = folder / "growing.png";
  std::ofstream growing(file, std::ios::app);
  EXPECT_THAT(refused_while(file, [&] { growing.put('x').flush(); }), HasSubstr("changed while it was read"));
}

TEST(ReadBytes, FileThatIsRewrittenMeanwhileIsRefused) {
  TemporaryFolder folder;
  const fs::path file = folder / "rewritten.png";
  std::fstream rewritten(file, std::ios::in | std::ios::out | std::ios::trunc);
  EXPECT_THAT(refused_while(file, [&] { rewritten.seekp(0).put('x').flush(); }),
              HasSubstr("changed while it was read"));
}

TEST(ReadBytes, ReturnsTheWholeFileUnderAnyName) {
  const TemporaryFolder folder;
  for (const std::string& name :
       {std::string("plain"), std::string("-dash"), std::string("new\nline"), std::string("\"<script>'"),
        std::string("\xe6\x97\xa5\xe6\x9c\xac"), std::string("\xff\xfe invalid"), std::string(255, 'n')}) {
    write_bytes(folder / name, bytes_of("abc"));
    EXPECT_EQ(read_bytes(folder / name), bytes_of("abc")) << name;
  }
}

TEST(ReadBytes, WhatIsNoFileIsRefusedWithoutWaiting) {
  const TemporaryFolder folder;
  ASSERT_EQ(mkfifo((folder / "pipe").c_str(), 0600), 0);
  fs::create_symlink("loop", folder / "loop");
  fs::create_symlink("nowhere", folder / "dangling");
  EXPECT_THAT(refused(folder.path()), HasSubstr("is a directory, expected a file"));
  EXPECT_THAT(refused(folder / "pipe"), HasSubstr("is a named pipe, expected a file"));
  EXPECT_THAT(refused("/dev/zero"), HasSubstr("is a device, expected a file"));
  EXPECT_THAT(refused(folder / "loop"), HasSubstr("symbolic links"));
  EXPECT_THAT(refused(folder / "dangling"), HasSubstr("the symbolic link leads nowhere"));
  EXPECT_THAT(refused(folder / "absent"),
              AllOf(HasSubstr((folder / "absent").string()), HasSubstr("No such file")));
}

TEST(ReadBytes, SocketIsRefused) {
  const TemporaryFolder folder;
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::string path = (folder / "socket").string();
  ASSERT_LT(path.size(), sizeof address.sun_path);
  path.copy(address.sun_path, path.size());
  const int listener = ::socket(AF_UNIX, SOCK_STREAM, 0);
  ASSERT_EQ(::bind(listener, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  EXPECT_THAT(refused(path), HasSubstr("is a socket"));
  ::close(listener);
}

TEST(ReadBytes, FileWithoutPermissionIsRefusedWithTheSystemsReason) {
  if (::geteuid() == 0) GTEST_SKIP() << "root may read everything";
  const TemporaryFolder folder;
  write_bytes(folder / "secret", bytes_of("abc"));
  fs::permissions(folder / "secret", fs::perms::none);
  EXPECT_THAT(refused(folder / "secret"), HasSubstr("Permission denied"));
}

TEST(ReadBytes, MonstrousFileIsRefusedBeforeItIsRead) {
  const TemporaryFolder folder;
  write_bytes(folder / "sparse", bytes_of("abc"));
  fs::resize_file(folder / "sparse", std::uintmax_t{1} << 40);  // a hole: takes no space
  EXPECT_THAT(refused(folder / "sparse"), HasSubstr("too many for a picture"));
}

TEST(WriteFileAtomically, ReplacesTheFileAndLeavesNothingElse) {
  const TemporaryFolder folder;
  write_file_atomically(folder / "a", bytes_of("old"));
  write_file_atomically(folder / "a", bytes_of("the new text"));
  EXPECT_EQ(read_bytes(folder / "a"), bytes_of("the new text"));
  EXPECT_EQ(entries(folder.path()).size(), 1U);
}

TEST(WriteFileAtomically, TakesNamesAsLongAsTheyCanBeAndEmptyFiles) {
  const TemporaryFolder folder;
  write_file_atomically(folder / std::string(255, 'n'), {});
  EXPECT_TRUE(read_bytes(folder / std::string(255, 'n')).empty());
}

TEST(WriteFileAtomically, FileIsReadableByWhomTheUmaskAllows) {
  const TemporaryFolder folder;
  const mode_t before = ::umask(022);
  write_file_atomically(folder / "a", bytes_of("x"));
  ::umask(before);
  EXPECT_EQ(static_cast<unsigned>(fs::status(folder / "a").permissions()), 0644U);
}

// A limit on the size of files stands for a full disk: write() takes a part and then fails.
TEST(WriteFileAtomically, FailureHalfwayLeavesTheOldFileAndNoNeighbour) {
  const TemporaryFolder folder;
  write_file_atomically(folder / "a", bytes_of("old"));
  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &before), 0);
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  const rlimit small{.rlim_cur = 4096, .rlim_max = before.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &small), 0);
  const std::string reason = refusal([&] { write_file_atomically(folder / "a", FileBytes(100000, 'x')); });
  setrlimit(RLIMIT_FSIZE, &before);
  std::signal(SIGXFSZ, handler);
  EXPECT_THAT(reason, AllOf(HasSubstr((folder / "a").string()), HasSubstr("cannot be written"),
                            HasSubstr("File too large")));
  EXPECT_EQ(read_bytes(folder / "a"), bytes_of("old"));
  EXPECT_EQ(entries(folder.path()).size(), 1U);
}

TEST(WriteFileAtomically, WhatIsReadBackIsCheckedBeforeItTakesTheFilesPlace) {
  const TemporaryFolder folder;
  const Raster raster = random_raster(9, 7, 4), other = random_raster(9, 7, 4, 8, 2);
  for (const FileBytes& bytes : {encode_png(raster), encode_webp(raster)}) {
    const auto written = [&](const Raster& wanted) {
      return refusal([&] {
        write_file_atomically(folder / "a", bytes,
                              [&](std::span<const std::uint8_t> read) { require_decodes_to(read, wanted); });
      });
    };
    EXPECT_EQ(written(raster), "");
    EXPECT_THAT(written(other),
                AllOf(HasSubstr((folder / "a").string()), HasSubstr("decodes to another picture")));
    EXPECT_EQ(read_bytes(folder / "a"), bytes) << "the file that was there is kept";
    EXPECT_EQ(entries(folder.path()).size(), 1U);
  }
}

TEST(WriteFileAtomically, FlatPictureBeyondTheLimitsOfReadingIsStillChecked) {
  const Raster flat{.width = 5000, .height = 5000, .samples = FileBytes(75'000'000)};
  const FileBytes bytes = encode_png(flat, {.level = 9, .text = {}});
  ASSERT_NE(refusal([&] { decode(bytes, "a"); }), "") << "a bomb, to a reader";
  EXPECT_NO_THROW(require_decodes_to(bytes, flat));
}

TEST(WriteFileAtomically, MissingFolderAndFolderInPlaceOfTheFileAreSystemErrors) {
  const TemporaryFolder folder;
  fs::create_directory(folder / "taken");
  EXPECT_THROW(write_file_atomically(folder / "absent" / "a", bytes_of("x")), std::system_error);
  EXPECT_THROW(write_file_atomically(folder / "taken", bytes_of("x")), std::system_error);
  EXPECT_EQ(entries(folder.path()).size(), 1U);
}

}  // namespace
}  // namespace upbench::test
