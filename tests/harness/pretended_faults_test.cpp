#include <algorithm>
#include <filesystem>
#include <limits>
#include <memory>
#include <set>
#include <string>

#include <ATen/ATen.h>
#include <c10/util/Exception.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "datasets/device/pixels.h"
#include "tests/faults/listed.h"
#include "tests/harness/faulty_sweep.h"

// Rows 86 to 91 of the list of faults, on a CPU that is taken for a GPU (without kernels of our own): tiles
// go in batches, one trial computes at a time, and each of several devices has a worker.
namespace upbench {
namespace {

using test::as_it_is;
using test::expect_as_listed;
using testing::HasSubstr;

const PixelKernels kNoKernels{};

class PretendedFaults : public test::FaultySweep {
 protected:
  void SetUp() override { set_kernel_choice({}); }
  static nlohmann::json pass(const nlohmann::json& record) {
    return record.at("stages").at(0).at("passes").at(0);
  }

 private:
  PretendedDevice pretended_{kNoKernels};
};

TEST_F(PretendedFaults, TilesOfOneShapeAreOneBatch) {
  const Sweep asked = sweep("16");
  run(asked, as_it_is);
  EXPECT_EQ(pass(used(asked))["batch"], 4);
  EXPECT_FALSE(pass(used(asked)).contains("batch_halved"));
  for (const TrialResult& trial : results(asked)) EXPECT_THAT(trial.flags, testing::IsEmpty());
  EXPECT_THAT(notices_, testing::IsEmpty());
}

// Memory for so many tiles. Another process takes half of it when the first picture is done, the rest after
// the second, and gives all back when the third has failed.
class SharedMemory {
 public:
  at::Tensor operator()(const at::Tensor& enlarged, int) {
    const auto tiles = enlarged.size(0);
    if (tiles > state_->fitting) {
      if (tiles == 1 && ++state_->refused_alone == 2) state_->fitting = 4;
      throw c10::OutOfMemoryError({"f", "g", 1}, "CUDA out of memory. Tried to allocate 9 GiB");
    }
    ++state_->made;
    if (state_->made == 2) state_->fitting = 2;  // the batch, and a tile of it alone to compare with
    if (state_->made == 4) state_->fitting = 0;  // two batches of two
    return enlarged;
  }

 private:
  struct State {
    int made = 0, refused_alone = 0;
    std::int64_t fitting = 4;
  };
  std::shared_ptr<State> state_ = std::make_shared<State>();
};

TEST_F(PretendedFaults, Row88MemoryThatAnotherProcessTakesHalvesTheBatch) {
  const Sweep asked = sweep("16");
  const WorkerResult result = run(asked, SharedMemory());
  EXPECT_EQ(result.progress.ok, 3u);
  EXPECT_THAT(reasons(asked), testing::ElementsAre(testing::StartsWith("out of memory: fake: tile 1 of 4")));
  std::size_t halved = 0;
  const std::vector<TrialResult> all = results(asked);
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (all[i].status != Status::ok) continue;
    const bool flagged = std::ranges::count(all[i].flags, "batch_halved") == 1;
    const nlohmann::json made = pass(used(asked, i));
    EXPECT_EQ(made.contains("batch_halved"), flagged);
    EXPECT_EQ(made["batch"], flagged ? 2 : 4);
    EXPECT_EQ(made["tiles_x"], 2) << "never the tile";
    halved += flagged ? 1 : 0;
  }
  EXPECT_EQ(halved, 1u);
  EXPECT_EQ(notices_.size(), 1u);
  expect_as_listed(exit_code(asked), told(asked));
}

TEST_F(PretendedFaults, AHalvedBatchIsToldOnceForEachCell) {
  const Sweep asked = sweep_of("model: nearest, tile: 16, context: [4, 10]");
  const WorkerResult result = run(asked, [](const at::Tensor& enlarged, int) -> at::Tensor {
    if (enlarged.size(0) > 1) throw c10::OutOfMemoryError({"f", "g", 1}, "CUDA out of memory");
    return enlarged;
  });
  EXPECT_EQ(result.progress.ok, 2u * kPictures);
  EXPECT_THAT(notices_,
              testing::UnorderedElementsAre(
                  HasSubstr("context=4: memory did not suffice for the planned batch of tiles; 1 at a time"),
                  HasSubstr("context=10: memory did not suffice")));
}

TEST_F(PretendedFaults, Row86ATrialThatLosesTwoOfThreeDevicesIsFailedAndTheOthersAreDone) {
  Sweep asked = sweep();
  asked.device.others = {asked.device, asked.device};
  test::LosesDeviceOnOnePicture network;
  int code = 0;
  std::string error;
  try {
    run(asked, network);
  } catch (const DeviceError& lost) {
    code = 4;
    error = lost.what();
  }
  EXPECT_EQ(network.losses(), 2);
  EXPECT_THAT(error, testing::StartsWith("device cpu is lost: "));
  EXPECT_THAT(reasons(asked),
              testing::ElementsAre(testing::StartsWith("tried 2 times, each time its device")));
  expect_as_listed(code, error + "\n" + told(asked));
}

TEST_F(PretendedFaults, Row90FastSettingsWithdrawTheClaimOfEqualBits) {
  Sweep asked = sweep();
  asked.fast = true;
  run(asked, as_it_is);
  for (const TrialResult& trial : results(asked))
    EXPECT_THAT(trial.flags, testing::ElementsAre("not_bit_exact"));
  EXPECT_EQ(used(asked)["fast"], true);
  expect_as_listed(exit_code(asked), told(asked));
  // What the store has keeps its flag where it is taken up again without --fast.
  asked.fast = false;
  EXPECT_EQ(run(asked, as_it_is).executed, 0u);
  EXPECT_THAT(results(asked).at(0).flags, testing::ElementsAre("not_bit_exact"));
}

TEST_F(PretendedFaults, Row91ANetworkThatMixesTheTilesOfABatchGetsThemAlone) {
  const Sweep asked = sweep("16");
  run(asked,
      [](const at::Tensor& enlarged, int) { return enlarged.size(0) > 1 ? enlarged.mul(0.5) : enlarged; });
  int checked = 0;
  for (std::size_t i = 0; i < results(asked).size(); ++i) {
    const nlohmann::json made = pass(used(asked, i));
    EXPECT_EQ(made["batch"], 1);
    checked += made.contains("batch_difference") ? 1 : 0;
  }
  EXPECT_EQ(checked, 1) << "with the first picture, for all";
  std::set<std::string> mixed, alone;
  for (const TrialResult& trial : results(asked)) mixed.insert(trial.pixels.hex());
  expect_as_listed(exit_code(asked), told(asked));
  std::filesystem::remove(file());
  run(asked, as_it_is);
  for (const TrialResult& trial : results(asked)) alone.insert(trial.pixels.hex());
  EXPECT_EQ(mixed, alone);
}

TEST_F(PretendedFaults, Row91ANetworkThatIsNotFiniteInABatchGetsItsTilesAlone) {
  const Sweep asked = sweep("16");
  run(asked, [](const at::Tensor& enlarged, int) {
    return enlarged.size(0) > 1 ? enlarged * std::numeric_limits<float>::quiet_NaN() : enlarged;
  });
  std::set<std::string> in_batches, alone;
  int found = 0;
  for (std::size_t i = 0; i < results(asked).size(); ++i) {
    const nlohmann::json made = pass(used(asked, i));
    EXPECT_EQ(made["batch"], 1);
    found += made.contains("batch_not_finite") ? 1 : 0;
    in_batches.insert(results(asked)[i].pixels.hex());
  }
  EXPECT_EQ(found, 1) << "with the first picture, for all";
  expect_as_listed(exit_code(asked), told(asked));
  std::filesystem::remove(file());
  run(asked, as_it_is);
  for (const TrialResult& trial : results(asked)) alone.insert(trial.pixels.hex());
  EXPECT_EQ(in_batches, alone);
}

}  // namespace
}  // namespace upbench
