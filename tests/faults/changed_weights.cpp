#include <algorithm>
#include <stdexcept>

#include <fmt/format.h>

#include "tests/faults/fault.h"

namespace upbench::test {
namespace {

Fault edited(const char* name, const char* input, int exit_code, const char* message, const char* test) {
  return {.row = 75,
          .name = name,
          .input = input,
          .make = {},
          .command = {},
          .exit_code = exit_code,
          .message = message,
          .test = test};
}

}  // namespace

FaultTable changed_weights() {
  return {.title = "Weights that change",
          .introduction =
              "One value of a network's weights is edited. Results are kept by the hash of the tensors, so "
              "that scores of two networks never stand under one name as if they were one. Networks that the "
              "plan could hold in memory (256 MB of them) are those that were planned, whatever becomes of "
              "their files.",
          .faults = {
              edited("BetweenRuns", "weights edited between two runs of a sweep", 0,
                     "2 trials: 2 ok, 0 failed, 0 skipped; 2 run now",
                     "Sweep.WeightsThatChangedSinceAreScoredAnew"),
              edited("AfterThePlan", "weights edited after the plan, which are read again for their trials",
                     3, "weights changed since the run was planned",
                     "WeightChanges.BetweenPlanAndTrialFailTheirTrialsOnly"),
          }};
}

Fault changed_weights_of(const std::string& test) {
  const std::vector<Fault> faults = changed_weights().faults;
  const auto found = std::ranges::find(faults, test, &Fault::test);
  if (found == faults.end())
    throw std::runtime_error(fmt::format("{} is not in tests/faults/changed_weights.cpp", test));
  return *found;
}

}  // namespace upbench::test
