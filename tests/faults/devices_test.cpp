#include <filesystem>

#include <gtest/gtest.h>

#include "tests/faults/fault.h"
#include "tests/support/program.h"

// The tests that the page names are there; they compare themselves with it (listed.h).
namespace upbench::test {
namespace {

TEST(DeviceFaultList, NamesTestsThatCompareThemselvesWithIt) {
  std::string sources;
  for (const auto& entry : std::filesystem::directory_iterator(UPBENCH_SOURCE_DIR "/tests/harness"))
    if (entry.path().filename().string().ends_with("faults_test.cpp")) sources += read_text(entry.path());
  for (const Fault& fault : device_faults().faults) {
    const std::size_t dot = fault.test.find('.');
    const std::string head = "(" + fault.test.substr(0, dot) + ", " + fault.test.substr(dot + 1) + ") {";
    const std::size_t begin = sources.find(head);
    ASSERT_NE(begin, std::string::npos) << head;
    EXPECT_NE(sources.substr(begin, sources.find("\n}\n", begin) - begin).find("expect_as_listed("),
              std::string::npos)
        << fault.test;
  }
}

}  // namespace
}  // namespace upbench::test
