#include "tests/support/python_peer.h"

#include <cstdlib>
#include <fstream>

#include <gtest/gtest.h>

#include "tests/support/assets.h"

namespace upbench::test {

std::string peer_python() {
  const char* chosen = std::getenv("UPBENCH_PEER_PYTHON");
  return chosen ? chosen : UPBENCH_PYTHON;
}

bool python_has(const std::string& modules) {
  return std::system((peer_python() + " -c 'import " + modules + "' 2>/dev/null").c_str()) == 0;
}

nlohmann::json ask_python(const std::string& script, const nlohmann::json& asked) {
  const TemporaryFolder folder;
  std::ofstream(folder / "asked.json") << asked;
  const std::string command = peer_python() + " " UPBENCH_SOURCE_DIR "/" + script + " < " +
                              (folder / "asked.json").string() + " > " + (folder / "said.json").string();
  EXPECT_EQ(std::system(command.c_str()), 0) << command;
  std::ifstream said(folder / "said.json");
  return nlohmann::json::parse(said);
}

}  // namespace upbench::test
