#include "tests/faults/pickle_corpus.h"

#include <utility>

#include "tests/support/program.h"

namespace upbench::test {
namespace {

constexpr int kRow = 79;

}  // namespace

HostilePickle corpus_file(const std::string& name, const std::string& bytes, const std::string& message) {
  return {kRow, name, name, [bytes] { return bytes; }, message};
}

std::vector<PickleKind> pickle_corpus() {
  std::vector<PickleKind> all = named_functions();
  for (PickleKind& one : ways_to_call()) all.push_back(std::move(one));
  return all;
}

FaultTable pickle_corpus_faults() {
  FaultTable table{
      .title = "Weights that would run something",
      .introduction =
          "The ways of attack that scanners of pickles are tested with (picklescan, fickling), as far "
          "as they are published, written anew: their own files are no part of this project. A line "
          "is a kind of attack with everything in it, and what is said of the first; functions are "
          "called by GLOBAL and, in protocol 4, by STACK_GLOBAL. "
          "`tests/faults/execution_test.cpp` reads each of them in a process that may start, write "
          "and connect to nothing, and compares what is said.",
      .faults = {}};
  for (const PickleKind& one : pickle_corpus()) {
    const HostilePickle first = one.files.front();
    table.faults.push_back({.row = kRow,
                            .name = one.name,
                            .input = one.input,
                            .make =
                                [first](const std::filesystem::path& folder) {
                                  write_text((folder / "w.pth").string(), first.bytes());
                                },
                            .command = {"inspect", "w.pth"},
                            .exit_code = 2,
                            .message = first.message});
  }
  return table;
}

}  // namespace upbench::test
