#include <cstdlib>
#include <stdexcept>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "datasets/image_set.h"
#include "tests/datasets/picture_files.h"
#include "tests/support/assets.h"
#include "tests/support/peak_memory.h"

namespace upbench::test {
namespace {

// As many as UPBENCH_MANY_FILES says; row 38 means 1,000,000.
std::size_t asked_files() {
  const char* asked = std::getenv("UPBENCH_MANY_FILES");
  return asked ? std::strtoul(asked, nullptr, 10) : 20'000;
}

// An item with its path, which std::filesystem keeps in parts too, and as much again for sorting and growing.
constexpr std::size_t kMostBytesEach = 1500;

TEST(ManyFiles, AreListedInOrderWithALittleMemoryEach) {
  const std::size_t files = asked_files();
  const TemporaryFolder folder;
  for (std::size_t i = 0; i < files; ++i)
    write_bytes(folder / fmt::format("{:07}.png", i * 7919 % files), {});
  const ImageSetSpec spec{.lr = folder.path()};

  const std::int64_t megabytes = peak_megabytes([&] {
    if (list_items(spec).size() != files) throw std::runtime_error("not all files are listed");
  });
  RecordProperty("megabytes", std::to_string(megabytes));
  ASSERT_GE(megabytes, 0);
  if (!kIsInstrumented) {
    EXPECT_LE(megabytes, static_cast<std::int64_t>(files * kMostBytesEach / 1'000'000));
  }

  const std::vector<ImageItem> items = list_items(spec);
  ASSERT_EQ(items.size(), files);
  for (std::size_t i = 0; i < files; ++i) ASSERT_EQ(items[i].name, fmt::format("{:07}", i));
}

}  // namespace
}  // namespace upbench::test
