#include "tests/support/assets.h"

#include <cstdlib>

#include <unistd.h>

namespace upbench::test {

const std::filesystem::path& assets() {
  static const std::filesystem::path folder = [] {
    const char* variable = std::getenv("UPBENCH_ASSETS");
    std::filesystem::path path = variable ? variable : UPBENCH_SOURCE_DIR "/../shared/assets";
    return std::filesystem::is_directory(path) ? path : std::filesystem::path{};
  }();
  return folder;
}

TemporaryFolder::TemporaryFolder() {
  std::string pattern = (std::filesystem::temp_directory_path() / "upbench-test-XXXXXX").string();
  if (!mkdtemp(pattern.data())) throw std::runtime_error("cannot make a temporary folder: " + pattern);
  path_ = pattern;
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

}  // namespace upbench::test
