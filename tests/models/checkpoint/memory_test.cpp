#include <fstream>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "models/checkpoint/checkpoint.h"
#include "models/inspect.h"
#include "tests/models/checkpoint/torch_bytes.h"
#include "tests/support/assets.h"
#include "tests/support/peak_memory.h"

namespace upbench {
namespace {

using namespace test;

constexpr std::int64_t kMegabyte = 1 << 20;

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
