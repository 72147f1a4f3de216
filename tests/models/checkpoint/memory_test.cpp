#include <fstream>
#include <functional>

#include <ATen/Parallel.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include <nlohmann/json.hpp>

#include "models/checkpoint/checkpoint.h"
#include "models/inspect.h"
#include "tests/models/checkpoint/torch_bytes.h"
#include "tests/support/assets.h"

namespace upbench {
namespace {

using namespace test;

constexpr std::int64_t kMegabyte = 1 << 20;

#if defined(__SANITIZE_ADDRESS__)
constexpr bool kIsInstrumented = true;  // keeps what was freed
#else
constexpr bool kIsInstrumented = false;
#endif

// By how many megabytes the peak of resident memory grows in a process that does this; -1: it failed.
std::int64_t peak_megabytes(const std::function<void()>& work) {
  const auto peak = [] {
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_maxrss;  // KiB; of a new process: from its fork on
  };
  int ends[2];
  if (pipe(ends) != 0) return -1;
  const pid_t child = fork();
  if (child == 0) {
    at::set_num_threads(1);  // the pool of threads does not survive a fork
    const std::int64_t before = peak();
    std::int64_t grown = -1;
    try {
      work();
      grown = (peak() - before) / 1024;
    } catch (const std::exception&) {
    }
    _exit(write(ends[1], &grown, sizeof grown) == sizeof grown ? 0 : 1);
  }
  close(ends[1]);
  std::int64_t grown = -1;
  if (read(ends[0], &grown, sizeof grown) != sizeof grown) grown = -1;
  close(ends[0]);
  waitpid(child, nullptr, 0);
  return grown;
}

// A safetensors file of one tensor of this many megabytes of zeros, which take no room on the disk.
void write_sparse(const std::filesystem::path& file, std::int64_t megabytes) {
  const std::int64_t bytes = megabytes * kMegabyte;
  const std::string header = R"({"w":{"dtype":"F32","shape":[)" + std::to_string(bytes / 4) +
                             R"(],"data_offsets":[0,)" + std::to_string(bytes) + "]}}";
  const std::string head = safetensors_bytes(header, 0);
  std::ofstream(file, std::ios::binary) << head;
  std::filesystem::resize_file(file, head.size() + static_cast<std::uintmax_t>(bytes));
}

// A zip checkpoint of two tensors of this many megabytes, each half of one storage.
void write_zip(const std::filesystem::path& file, std::int32_t megabytes) {
  const std::int32_t elements = megabytes * static_cast<std::int32_t>(kMegabyte / 4);
  const auto half = [&](std::int32_t offset) {
    return tensor(storage("FloatStorage", "0", integer(elements)), integer(offset), {integer(elements / 2)},
                  {integer(1)});
  };
  std::ofstream(file, std::ios::binary)
      << torch_zip_bytes(pickle(dict({text("a"), half(0), text("b"), half(elements / 2)})),
                         std::string(static_cast<std::size_t>(elements) * 4, '\0'));
}

constexpr std::int64_t kMargin = 64;  // what may come on top of the tensors, as checkpoint.h says

TEST(CheckpointMemory, IsTheTensorsAndLittleMore) {
  if (kIsInstrumented) GTEST_SKIP() << "the address sanitizer keeps freed memory";
  TemporaryFolder folder;
  write_sparse(folder / "w.safetensors", 400);
  const std::int64_t safetensors = peak_megabytes([&] { read_checkpoint(folder / "w.safetensors"); });
  EXPECT_GE(safetensors, 390);
  EXPECT_LE(safetensors, 400 + kMargin);
  write_zip(folder / "w.pth", 200);
  const std::int64_t zip = peak_megabytes([&] { read_checkpoint(folder / "w.pth"); });
  EXPECT_GE(zip, 190);
  EXPECT_LE(zip, 200 + kMargin);
}

TEST(CheckpointMemory, OfInspectIsTheTensorsAndLittleMore) {
  if (kIsInstrumented) GTEST_SKIP() << "the address sanitizer keeps freed memory";
  TemporaryFolder folder;
  write_sparse(folder / "small.safetensors", 1);
  write_sparse(folder / "w.safetensors", 400);
  // The same for any file: the layouts of all architectures, to name the nearest.
  inspect_checkpoint(folder / "small.safetensors");
  const std::int64_t small = peak_megabytes([&] { inspect_checkpoint(folder / "small.safetensors"); });
  EXPECT_GE(small, 0);
  const std::int64_t large = peak_megabytes([&] { inspect_checkpoint(folder / "w.safetensors"); });
  EXPECT_GE(large, 390);
  EXPECT_LE(large, small + 399 + kMargin);
}

TEST(CheckpointMemory, OfAHeaderDoesNotDependOnTheTensors) {
  if (kIsInstrumented) GTEST_SKIP() << "the address sanitizer keeps freed memory";
  TemporaryFolder folder;
  write_sparse(folder / "w.safetensors", 7000);
  const std::int64_t grown = peak_megabytes([&] {
    const nlohmann::json facts =
        inspect_checkpoint(folder / "w.safetensors", {.param_key = "", .header_only = true});
    if (facts["listing"]["w"] != "F32 [1835008000]") throw std::runtime_error("not listed");
  });
  EXPECT_GE(grown, 0);
  EXPECT_LE(grown, kMargin);
}

}  // namespace
}  // namespace upbench
