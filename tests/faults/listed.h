#pragma once

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/faults/fault.h"

namespace upbench::test {

// What the running test has seen is what docs/faults.md says under its name. text: all that was said.
inline void expect_as_listed(int exit_code, const std::string& text) {
  const testing::TestInfo& info = *testing::UnitTest::GetInstance()->current_test_info();
  const std::string name = std::string(info.test_suite_name()) + "." + info.name();
  for (const Fault& fault : device_faults().faults) {
    if (fault.test != name) continue;
    EXPECT_EQ(exit_code, fault.exit_code) << text;
    EXPECT_THAT(text, testing::HasSubstr(fault.message));
    return;
  }
  ADD_FAILURE() << name << " is not in tests/faults/devices.cpp";
}

}  // namespace upbench::test
