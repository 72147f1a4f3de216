#include <fstream>
#include <utility>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "models/catalog.h"
#include "models/checkpoint/checkpoint.h"
#include "models/inspect.h"
#include "models/networks/rrdb.h"
#include "tests/models/checkpoint/sparse_safetensors.h"
#include "tests/models/checkpoint/torch_bytes.h"
#include "tests/support/assets.h"
#include "tests/support/peak_memory.h"

namespace upbench {
namespace {

using namespace test;

constexpr std::int64_t kMegabyte = 1 << 20;

// A safetensors file of one tensor of this many megabytes of zeros, which take no room on the disk.
void write_sparse(const std::filesystem::path& file, std::int64_t megabytes) {
  write_sparse_safetensors(file, {{"w", {megabytes * kMegabyte / 4}}});
}

// Pickled value: two tensors, each half of one storage of this many floats.
std::string two_halves(std::int32_t elements) {
  const auto half = [&](std::int32_t offset) {
    return tensor(storage("FloatStorage", "0", integer(elements)), integer(offset), {integer(elements / 2)},
                  {integer(1)});
  };
  return dict({text("a"), half(0), text("b"), half(elements / 2)});
}

constexpr std::int32_t kFloatsInMegabyte = static_cast<std::int32_t>(kMegabyte / 4);

// A zip checkpoint of two tensors of together this many megabytes.
void write_zip(const std::filesystem::path& file, std::int32_t megabytes) {
  std::ofstream(file, std::ios::binary)
      << torch_zip_bytes(pickle(two_halves(megabytes * kFloatsInMegabyte)),
                         std::string(static_cast<std::size_t>(megabytes * kMegabyte), '\0'));
}

// The same in the format before 1.6; its zeros take no room on the disk.
void write_legacy(const std::filesystem::path& file, std::int32_t megabytes) {
  const std::int32_t elements = megabytes * kFloatsInMegabyte;
  const std::string head = torch_legacy_bytes(two_halves(elements), "", static_cast<std::uint64_t>(elements));
  std::ofstream(file, std::ios::binary) << head;
  std::filesystem::resize_file(file, head.size() + static_cast<std::uintmax_t>(megabytes * kMegabyte));
}

// Bytes that this process has read so far, from the page cache or the disk; -1 where the system does not say.
std::int64_t bytes_read() {
  std::ifstream counters("/proc/self/io");
  std::string name;
  for (std::int64_t value = 0; counters >> name >> value;)
    if (name == "rchar:") return value;
  return -1;
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
  write_legacy(folder / "old.pth", 200);
  const std::int64_t legacy = peak_megabytes([&] { read_checkpoint(folder / "old.pth"); });
  EXPECT_GE(legacy, 190);
  EXPECT_LE(legacy, 200 + kMargin);
}

// The tensors are not kept beside their copies in the order of dimensions that convolutions want.
TEST(CheckpointMemory, OfANetworkThatIsReadyIsTheTensorsAndLittleMore) {
  if (kIsInstrumented) GTEST_SKIP() << "the address sanitizer keeps freed memory";
  TemporaryFolder folder;
  std::vector<std::pair<std::string, std::vector<std::int64_t>>> tensors;
  for (const auto& [name, expected] : rrdb_layout({.blocks = 46}, RrdbSpelling::basicsr))
    tensors.emplace_back(name, expected.shape);
  const std::int64_t megabytes = write_sparse_safetensors(folder / "rrdb.safetensors", tensors) / kMegabyte;
  ASSERT_GT(megabytes, kMargin + 50);  // twice the tensors would be more than what is allowed
  const std::int64_t ready = peak_megabytes([&] { load_upscaler_file(folder / "rrdb.safetensors"); });
  EXPECT_GE(ready, megabytes - 10);
  EXPECT_LE(ready, megabytes + kMargin);
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

TEST(CheckpointHeader, IsAllThatAListingReads) {
  if (bytes_read() < 0) GTEST_SKIP() << "/proc/self/io does not say how much was read";
  TemporaryFolder folder;
  const auto tensors = shapes_of_7_gb();
  ASSERT_GT(write_sparse_safetensors(folder / "w.safetensors", tensors), 7'000'000'000);
  const std::int64_t before = bytes_read();
  const nlohmann::json facts =
      inspect_checkpoint(folder / "w.safetensors", {.param_key = "", .header_only = true});
  EXPECT_LT(bytes_read() - before, kMegabyte);
  EXPECT_EQ(facts["listing"].size(), tensors.size());
}

}  // namespace
}  // namespace upbench
