#include "tests/faults/page.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace upbench::test {
namespace {

// Text in a cell of a Markdown table.
std::string cell(const std::string& text) {
  std::string escaped;
  for (const char c : text) {
    if (c == '|' || c == '<' || c == '\\' || c == '*') escaped += '\\';
    escaped += c == '\n' ? ' ' : c;
  }
  return escaped;
}

std::string row(const Fault& fault) {
  const std::string how = fault.test.empty() ? fmt::format("`{}`", fmt::join(fault.command, " "))
                                             : fmt::format("test `{}`", fault.test);
  return fmt::format("| {} | {} | {} | {} | {} |\n", fault.row, cell(fault.input), how, fault.exit_code,
                     cell(fault.message));
}

}  // namespace

std::string fault_page(const std::vector<FaultTable>& tables) {
  std::string page =
      "# What goes in, what happens\n\n"
      "Generated from the tables in `tests/faults/`, which are also the tests: each line is one test that "
      "makes the file, runs `upbench` on it and compares exit code and message (what takes a device or a "
      "network that misbehaves, or a file that changes, names the test that makes one). Do not edit; after "
      "changing a "
      "table run `UPBENCH_UPDATE_FAULTS=1 build/upbench_faults_test --gtest_filter='FaultPage.*'`.\n\n"
      "Exit 0: read. Exit 2: refused before any work, with the message (its part that matters is shown). "
      "Exit 3: the item failed, with the message as its reason; the others are scored. Exit 4: the device "
      "cannot be used, or not any more; what was finished is in the store.\n";
  for (const FaultTable& table : tables) {
    page += fmt::format(
        "\n## {}\n\n{}\n\n| row | what goes in | upbench ... | exit | message |\n"
        "|---:|---|---|---:|---|\n",
        table.title, table.introduction);
    for (const Fault& fault : table.faults) page += row(fault);
  }
  return page;
}

}  // namespace upbench::test
