#include "tests/faults/left_behind.h"

#include <algorithm>
#include <regex>

#include <gtest/gtest.h>

namespace upbench::test {
namespace {

namespace fs = std::filesystem;

bool belongs_to_a_run(const std::string& file) {
  static const std::regex kStore(R"([a-z0-9-]+\.db(\.lock)?)"),
      kPicture(R"([a-z0-9-]+\.db\.outputs/(pictures|[0-9a-f]{2})/[0-9a-f]{64}(-input|-reference)?\.png)");
  return std::regex_match(file, kStore) || std::regex_match(file, kPicture);
}

}  // namespace

std::set<std::string> files_below(const fs::path& folder) {
  std::set<std::string> files;
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(folder))
    if (entry.symlink_status().type() != fs::file_type::directory)
      files.insert(entry.path().lexically_relative(folder).string());
  return files;
}

void expect_only_results_added(const fs::path& folder, const std::set<std::string>& before) {
  const std::set<std::string> after = files_below(folder);
  EXPECT_TRUE(std::ranges::includes(after, before)) << "a file is gone";
  for (const std::string& file : after) {
    if (!before.contains(file)) {
      EXPECT_TRUE(belongs_to_a_run(file)) << file << " was left behind";
    }
  }
}

}  // namespace upbench::test
