#include "tests/faults/fault.h"

#include <utility>

namespace upbench::test {
namespace {

Fault tested(int row, const char* test, const char* input, int exit_code, const char* message) {
  Fault fault{.row = row, .name = test, .input = input, .make = {}, .command = {}};
  fault.exit_code = exit_code;
  fault.message = message;
  fault.test = test;
  return fault;
}

std::vector<Fault> of_memory() {
  return {
      tested(85, "SweepFaults.Row85MemoryThatRunsOutFailsItsTrialAndTheNextGoesOn",
             "memory that suffices for no tile, twice", 3,
             "out of memory: fake: tile 1 of 4 (row 0, column 0)"),
      tested(85, "SweepFaults.Row85ASecondTryThatWorksIsNoFailure", "memory that runs out once", 0,
             "4 ok, 0 failed"),
  };
}

std::vector<Fault> of_lost_devices() {
  return {
      tested(86, "SweepFaults.Row86ALostDeviceEndsTheWorkerAndTheNextOneGoesOn",
             "a sticky error of the device (assert, illegal address, ECC, gone)", 4,
             "device cpu is lost: device-side assert triggered; what was finished is in the store, start "
             "again to go on"),
      tested(
          86, "SweepFaults.Row86ATrialThatLosesItsDeviceTwiceIsFailedWhenTheSweepIsStartedAgain",
          "a trial that loses its device whenever it runs; one GPU, the sweep is started three times", 3,
          "tried 2 times, each time its device was lost: device cpu was lost: device-side assert triggered"),
      tested(86, "PretendedFaults.Row86ATrialThatLosesTwoOfThreeDevicesIsFailedAndTheOthersAreDone",
             "the same with three GPUs, in one run", 4, "3 ok, 1 failed"),
  };
}

}  // namespace

FaultTable device_faults() {
  FaultTable table{
      .title = "Devices that fail, networks that misbehave",
      .introduction =
          "Each of these is a test that makes the device or the network, on a CPU that is taken for a GPU "
          "where that matters; its exit code and message are compared as above. On a real GPU "
          "`CudaNetwork.ATileThatIsNotFiniteIsNamed` (row 80), "
          "`Cuda/DeviceRuntime.MoreMemoryThanThereIsIsOutOfMemory` (85) and "
          "`CudaDeviceDeathTest.AnAssertOnTheDeviceIsAStickyFault` (86) do the same; they skip where "
          "there is none.\n\n"
          "Row 86: an attempt counts where the device was lost in a step of the trial. After the first "
          "such attempt the trial waits until everything else is done and runs with nothing beside it, on "
          "another GPU or when the sweep is started again; after the second it is failed, and the sweep "
          "goes on without it. `kill -9`, a power cut or Ctrl-C use up no attempt (rows 95, 101): they "
          "say nothing about the trial. `run --only failed` gives failed trials their attempts back.\n\n"
          "Flags of a trial (column `flags` of every trial table): `degenerate` (row 81); `batch_halved` "
          "(88, also a note on stderr, once for each cell); `not_bit_exact` (90: `--fast` lets cuDNN "
          "choose algorithms by trial). Of outputs with one of the last two nobody claims that another "
          "run gives the same bits.",
      .faults = {
          tested(80, "SweepFaults.Row80ATileThatIsNotFiniteFailsItsTrialWithItsIndex",
                 "a network that overflows in one tile of one picture", 3,
                 "fake: tile 3 of 4 (row 1, column 0) is not finite"),
          tested(84, "SweepFaults.Row84TheShareOfClampedValuesIsInTheRecord",
                 "a quarter of the values beyond white", 0, "\"outside_share\":0.25"),
      }};
  for (std::vector<Fault> more : {of_memory(), of_lost_devices()})
    for (Fault& fault : more) table.faults.push_back(std::move(fault));
  const std::vector<Fault> others = {
      tested(88, "PretendedFaults.Row88MemoryThatAnotherProcessTakesHalvesTheBatch",
             "memory that another process takes and gives back", 3,
             "memory did not suffice for the planned batch of tiles; 2 at a time, same tiles"),
      tested(89, "TimingFaults.Row89LapsWithTheClockHeldDownAreDiscardedAndCounted",
             "a clock that is held down for its heat while model time is measured", 0,
             "the clock was held down by: heat"),
      tested(90, "PretendedFaults.Row90FastSettingsWithdrawTheClaimOfEqualBits", "`--fast` on a device", 0,
             "not_bit_exact"),
      tested(91, "PretendedFaults.Row91ANetworkThatMixesTheTilesOfABatchGetsThemAlone",
             "a network that gives other values for tiles in a batch", 0, "\"batch\":1,"),
      tested(91, "PretendedFaults.Row91ANetworkThatIsNotFiniteInABatchGetsItsTilesAlone",
             "a network that gives NaN for them", 0, "\"batch_not_finite\":true"),
      tested(92, "SweepFaults.Row92MinusZeroSubnormalsAndMoreThanWhiteAreWhatTheyRoundTo",
             "outputs of -0, 1e-40 and 7", 0, "4 ok, 0 failed"),
  };
  table.faults.insert(table.faults.end(), others.begin(), others.end());
  return table;
}

}  // namespace upbench::test
