#pragma once

#include <filesystem>
#include <string>

#include <gtest/gtest.h>

namespace upbench::test {

// The folder of real weights, pictures and expected values: $UPBENCH_ASSETS, default ../shared/assets from
// the project's root. Empty where it is absent.
const std::filesystem::path& assets();

// A fresh empty folder, removed with everything in it when the object dies.
class TemporaryFolder {
 public:
  TemporaryFolder();
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path operator/(const std::string& name) const { return path_ / name; }

 private:
  std::filesystem::path path_;
};

}  // namespace upbench::test

// First line of a test that needs the assets.
#define UPBENCH_NEEDS_ASSETS()                                                                            \
  do {                                                                                                    \
    if (upbench::test::assets().empty())                                                                  \
      GTEST_SKIP() << "needs the assets (real weights and pictures): set UPBENCH_ASSETS to their folder"; \
  } while (false)
