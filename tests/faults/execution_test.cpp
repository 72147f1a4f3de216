#include <cstddef>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <stdexcept>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "models/checkpoint/checkpoint.h"
#include "tests/faults/pickle_corpus.h"
#include "tests/support/assets.h"
#include "tests/support/program.h"

// Proof that reading a hostile checkpoint runs nothing: it is read in a process that the kernel kills when it
// starts a program or another process, opens a socket, or opens a file to write.
namespace upbench::test {
namespace {

#if defined(__x86_64__)
constexpr std::uint32_t kArchitecture = AUDIT_ARCH_X86_64;
#else
constexpr std::uint32_t kArchitecture = AUDIT_ARCH_AARCH64;
#endif

sock_filter load(std::size_t offset) {
  return BPF_STMT(BPF_LD | BPF_W | BPF_ABS, static_cast<std::uint32_t>(offset));
}
sock_filter give(std::uint32_t action) {
  return BPF_STMT(BPF_RET | BPF_K, action);
}
// Kills at once where the loaded word is `value`.
void kill_where(std::vector<sock_filter>& program, std::uint32_t value) {
  program.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, 0, 1));
  program.push_back(give(SECCOMP_RET_KILL_PROCESS));
}
// Where the call is `number`: kills if one of `bits` is set in argument `index`, else allows.
void kill_flags(std::vector<sock_filter>& program, std::uint32_t number, int index, std::uint32_t bits) {
  program.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 4));
  program.push_back(load(offsetof(seccomp_data, args) + 8 * static_cast<std::size_t>(index)));
  program.push_back(BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, bits, 0, 1));
  program.push_back(give(SECCOMP_RET_KILL_PROCESS));
  program.push_back(give(SECCOMP_RET_ALLOW));
}

bool forbid_to_act() {
  std::vector<sock_filter> program = {load(offsetof(seccomp_data, arch)),
                                      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, kArchitecture, 1, 0),
                                      give(SECCOMP_RET_KILL_PROCESS), load(offsetof(seccomp_data, nr))};
  for (const int call :
       {SYS_execve,       SYS_execveat, SYS_socket,  SYS_socketpair, SYS_connect, SYS_clone,     SYS_clone3,
        SYS_memfd_create, SYS_unlinkat, SYS_mkdirat, SYS_symlinkat,  SYS_linkat,  SYS_renameat2,
#if defined(__x86_64__)
        SYS_fork,         SYS_vfork,    SYS_unlink,  SYS_mkdir,      SYS_creat,   SYS_rename,
#endif
        SYS_openat2})
    kill_where(program, static_cast<std::uint32_t>(call));
  constexpr std::uint32_t kWriting = O_WRONLY | O_RDWR | O_CREAT;
#if defined(__x86_64__)
  kill_flags(program, SYS_open, 1, kWriting);
#endif
  kill_flags(program, SYS_openat, 2, kWriting);
  program.push_back(give(SECCOMP_RET_ALLOW));
  const sock_fprog filter{.len = static_cast<unsigned short>(program.size()), .filter = program.data()};
  return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
         prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0;
}

constexpr int kNoFilter = 99;

// Exit code of a child process that is in this folder, may only read, and does this work.
int run_without_rights(const std::filesystem::path& folder, const std::function<int()>& work) {
  const pid_t child = fork();
  if (child < 0) throw std::runtime_error("fork failed");
  if (child == 0) {
    if (chdir(folder.c_str()) != 0 || !forbid_to_act()) _exit(kNoFilter);
    _exit(work());
  }
  return wait_for(child);
}

constexpr int kKilled = 128 + SIGSYS;

TEST(Execution, TheGuardKillsWhatActs) {
  const TemporaryFolder folder;
  const auto outcome = [&](const std::function<int()>& work) {
    return run_without_rights(folder.path(), work);
  };
  if (outcome([] { return 0; }) == kNoFilter) GTEST_SKIP() << "the kernel offers no seccomp filters";
  EXPECT_EQ(outcome([] { return 0; }), 0);
  EXPECT_EQ(outcome([] { return std::system("touch upbench-was-here"); }), kKilled);
  EXPECT_EQ(outcome([] { return fork() == 0 ? 0 : 1; }), kKilled);
  EXPECT_EQ(outcome([] { return socket(AF_INET, SOCK_STREAM, 0); }), kKilled);
  EXPECT_EQ(outcome([] { return open(kTrace, O_WRONLY | O_CREAT, 0600); }), kKilled);
  EXPECT_EQ(outcome([] { return open("/dev/null", O_RDONLY) < 0 ? 1 : 0; }), 0);
  EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
}

std::string refusal(const std::filesystem::path& file) {
  try {
    read_checkpoint(file);
    return "it was read";
  } catch (const std::invalid_argument& error) {
    return error.what();
  }
}

// Reads each of them without rights: it must be refused with its message, and nothing happens.
void expect_refused_without_acting(const std::vector<HostilePickle>& files) {
  constexpr int kOtherMessage = 1, kOtherError = 2;
  const TemporaryFolder folder;
  for (const HostilePickle& hostile : files) {
    write_text((folder / "w.pth").string(), hostile.bytes());
    const int outcome = run_without_rights(folder.path(), [&] {
      try {
        return refusal("w.pth").find(hostile.message) == std::string::npos ? kOtherMessage : 0;
      } catch (...) {
        return kOtherError;
      }
    });
    ASSERT_NE(outcome, kNoFilter);
    EXPECT_NE(outcome, kKilled) << hostile.row << " " << hostile.name << ": it acted";
    EXPECT_EQ(outcome, 0) << hostile.row << " " << hostile.name << ": "
                          << (outcome == kOtherMessage ? refusal(folder / "w.pth") : "see above");
    EXPECT_FALSE(std::filesystem::exists(folder / kTrace)) << hostile.name;
  }
}

bool has_filters() {
  const TemporaryFolder folder;
  return run_without_rights(folder.path(), [] { return 0; }) != kNoFilter;
}

TEST(Execution, HostilePicklesAreRefusedByNameWithoutStartingOrWritingAnything) {
  if (!has_filters()) GTEST_SKIP() << "the kernel offers no seccomp filters";
  expect_refused_without_acting(hostile_pickles());
}

TEST(Execution, EveryFileOfThePickleCorpusIsRefusedByNameWithoutStartingOrWritingAnything) {
  if (!has_filters()) GTEST_SKIP() << "the kernel offers no seccomp filters";
  std::size_t files = 0;
  for (const PickleKind& kind : pickle_corpus()) {
    SCOPED_TRACE(kind.name);
    expect_refused_without_acting(kind.files);
    files += kind.files.size();
  }
  EXPECT_GT(files, 300u) << "a list was lost";
}

// A pickled module is data: reading it looks up no class.
TEST(Execution, AWholeModuleIsReadWithoutStartingOrWritingAnything) {
  if (!has_filters()) GTEST_SKIP() << "the kernel offers no seccomp filters";
  const TemporaryFolder folder;
  write_text((folder / "w.pth").string(),
             torch_zip_of(module("posix.system", {"w", six_floats_tensor()}, {})));
  EXPECT_EQ(run_without_rights(folder.path(),
                               [] { return static_cast<int>(read_checkpoint("w.pth").tensors.size()); }),
            1);
}

}  // namespace
}  // namespace upbench::test
