#include <cstdlib>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/faults/fault.h"
#include "tests/faults/left_behind.h"
#include "tests/faults/page.h"
#include "tests/faults/pickle_corpus.h"
#include "tests/support/assets.h"
#include "tests/support/program.h"

namespace upbench::test {
namespace {

std::string name_of(const testing::TestParamInfo<Fault>& test) {
  return test_name(test.param);
}

void expect_ends_as_listed(const Fault& fault) {
  TemporaryFolder folder;
  fault.make(folder.path());
  const std::set<std::string> before = files_below(folder.path());
  const ProgramResult result = run_upbench(fault.command, fault.environment, folder.path().string());
  expect_only_results_added(folder.path(), before);
  EXPECT_EQ(result.exit_code, fault.exit_code) << result.out << result.err;
  EXPECT_THAT(result.out + result.err, testing::HasSubstr(fault.message));
  if (fault.exit_code == 2) {
    EXPECT_THAT(result.err, testing::StartsWith("upbench: ")) << "refusals go to stderr in one form";
  }
}

class Faults : public testing::TestWithParam<Fault> {};

TEST_P(Faults, EndAsListed) {
  expect_ends_as_listed(GetParam());
}

INSTANTIATE_TEST_SUITE_P(Weights, Faults, testing::ValuesIn(weight_faults().faults), name_of);

INSTANTIATE_TEST_SUITE_P(Networks, Faults, testing::ValuesIn(network_faults().faults), name_of);

void expect_all_end_as_listed(const FaultTable& table) {
  for (const Fault& fault : table.faults) {
    SCOPED_TRACE(test_name(fault) + ": " + fault.input);
    expect_ends_as_listed(fault);
  }
}

TEST(PickleCorpus, EndsAsListed) {
  expect_all_end_as_listed(pickle_corpus_faults());
}

TEST(SpecFaults, EndAsListed) {
  expect_all_end_as_listed(spec_faults());
}

INSTANTIATE_TEST_SUITE_P(Numerics, Faults, testing::ValuesIn(numeric_faults().faults), name_of);

TEST(FaultPage, EveryFaultHasANameOfItsOwn) {
  for (const FaultTable& table : fault_tables()) {
    std::set<std::string> names;
    for (const Fault& fault : table.faults) {
      EXPECT_TRUE(names.insert(std::to_string(fault.row) + fault.name).second) << fault.name;
      EXPECT_FALSE(fault.message.empty()) << fault.name;
    }
  }
}

TEST(FaultPage, IsTheCommittedOne) {
  const std::string file = UPBENCH_SOURCE_DIR "/docs/faults.md", page = fault_page(fault_tables());
  if (std::getenv("UPBENCH_UPDATE_FAULTS")) write_text(file, page);
  EXPECT_EQ(read_text(file), page) << "the tables changed: see the head of " << file;
}

}  // namespace
}  // namespace upbench::test
