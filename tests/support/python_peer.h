#pragma once

#include <string>

#include <nlohmann/json.hpp>

namespace upbench::test {

// The environment's Python, which has the peers (scripts/requirements.txt); $UPBENCH_PEER_PYTHON is another.
std::string peer_python();

bool python_has(const std::string& modules);  // "scipy, statsmodels"

// What the script (a file under the project's root) prints for this on its standard input, both JSON. A
// script that fails fails the test.
nlohmann::json ask_python(const std::string& script, const nlohmann::json& asked);

}  // namespace upbench::test

// Of a test that compares with these modules.
#define UPBENCH_NEEDS_PYTHON(modules)                                               \
  do {                                                                              \
    if (!upbench::test::python_has(modules))                                        \
      GTEST_SKIP() << upbench::test::peer_python() << " lacks one of " << (modules) \
                   << ": scripts/setup.sh installs them";                           \
  } while (false)
