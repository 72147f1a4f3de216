#include <atomic>
#include <chrono>
#include <cmath>
#include <filesystem>
#include <functional>
#include <future>
#include <limits>
#include <map>
#include <memory>
#include <new>
#include <set>
#include <thread>

#include <ATen/ATen.h>
#include <c10/util/Exception.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/faults/listed.h"
#include "tests/harness/faulty_sweep.h"

// What goes wrong while a sweep computes: rows 80-92 of the list of faults, on devices made up by an upscaler
// that throws what a real one would. On a CPU that is taken for a GPU: pretended_faults_test.cpp.
namespace upbench {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

using test::as_it_is;
using test::expect_as_listed;
using test::Fake;

class SweepFaults : public test::FaultySweep {};

TEST_F(SweepFaults, Row80ATileThatIsNotFiniteFailsItsTrialWithItsIndex) {
  const Sweep asked = sweep("16");
  const WorkerResult result = run(asked, [](const at::Tensor& enlarged, int call) {
    // four tiles a picture: the third one of the second picture
    return call == 6 ? enlarged * std::numeric_limits<float>::infinity() : enlarged;
  });
  EXPECT_EQ(result.progress.ok, kPictures - 1u);
  EXPECT_THAT(reasons(asked), testing::ElementsAre("fake: tile 3 of 4 (row 1, column 0) is not finite"));
  expect_as_listed(exit_code(asked), told(asked));
}

TEST_F(SweepFaults, Row81AConstantOutputIsFlaggedAndScored) {
  const Sweep asked = sweep();
  run(asked, [](const at::Tensor& enlarged, int call) {
    if (call == 0) return at::zeros_like(enlarged);
    // Not grey: all values together deviate by 5 levels.
    const at::Tensor colour = at::tensor({0.449F, 0.437F, 0.404F}).view({1, 3, 1, 1});
    return call == 1 ? colour.expand_as(enlarged).contiguous() : enlarged;
  });
  const std::vector<TrialResult> all = results(asked);
  for (const std::size_t flat : {0u, 1u}) {
    EXPECT_THAT(all[flat].flags, testing::ElementsAre("degenerate"));
    EXPECT_EQ(all[flat].status, Status::ok);
    EXPECT_EQ(all[flat].scores[0].flag, ValueFlag::ok);
  }
  EXPECT_THAT(all[2].flags, testing::IsEmpty());
}

TEST_F(SweepFaults, Row83AnOutputOfAnotherSizeFailsItsTrial) {
  const Sweep asked = sweep();
  run(asked,
      [](const at::Tensor& enlarged, int call) { return call == 0 ? enlarged.narrow(2, 0, 63) : enlarged; });
  EXPECT_THAT(reasons(asked),
              testing::ElementsAre(
                  "fake: the output: expected [1, 3, 64, 64] of Float, got [1, 3, 63, 64] of Float"));
}

TEST_F(SweepFaults, Row84TheShareOfClampedValuesIsInTheRecord) {
  const Sweep asked = sweep();
  run(asked, [](const at::Tensor& enlarged, int) {
    at::Tensor output = enlarged.clone();
    output.narrow(2, 0, 16).fill_(1.5);  // a quarter of 64 rows
    return output;
  });
  const nlohmann::json record = used(asked);
  EXPECT_DOUBLE_EQ(record["stages"][0]["passes"][0]["outside_share"], 0.25);
  EXPECT_EQ(record["stages"][0]["passes"][0]["batch"], 1);
  EXPECT_EQ(record["operator_threads"], 1);
  EXPECT_EQ(record["parallel_trials"], 1);
  EXPECT_GE(record["stages"][0]["peak_bytes"], 3 * 64 * 64 * 4) << "the stage's memory: the output at least";
  expect_as_listed(exit_code(asked), told(asked));
}

TEST_F(SweepFaults, Row92MinusZeroSubnormalsAndMoreThanWhiteAreWhatTheyRoundTo) {
  const Sweep asked = sweep();
  run(asked, [](const at::Tensor& enlarged, int call) {
    at::Tensor output = at::full_like(enlarged, 0.5);
    output.narrow(2, 0, 16).fill_(call == 0 ? -0.0 : 0.0);
    output.narrow(2, 16, 16).fill_(call == 0 ? 1e-40 : 0.0);
    output.narrow(2, 32, 16).fill_(call == 0 ? 7.0 : 1.0);
    return output;
  });
  const std::vector<TrialResult> all = results(asked);
  EXPECT_EQ(all[0].pixels, all[1].pixels);
  EXPECT_FALSE(all[0].pixels.is_zero());
  for (const TrialResult& trial : all) {
    EXPECT_EQ(trial.status, Status::ok);
    EXPECT_TRUE(std::isfinite(trial.scores[0].value));
  }
  expect_as_listed(exit_code(asked), told(asked));
}

TEST_F(SweepFaults, Row85MemoryThatRunsOutFailsItsTrialAndTheNextGoesOn) {
  const std::map<std::string, std::function<void()>> ways = {
      {"host", [] { throw std::bad_alloc(); }},
      {"device",
       [] { throw c10::OutOfMemoryError({"f", "g", 1}, "CUDA out of memory. Tried to allocate 9 GiB"); }}};
  for (const auto& [name, fail] : ways) {
    const Sweep asked = sweep("16");
    // twice: one second try with the same tile after memory was given back
    const WorkerResult result = run(asked, [&fail](const at::Tensor& enlarged, int call) {
      if (call < 2) fail();
      return enlarged;
    });
    EXPECT_EQ(result.progress.ok, kPictures - 1u) << name;
    ASSERT_EQ(reasons(asked).size(), 1u) << name;
    EXPECT_THAT(reasons(asked)[0], StartsWith("out of memory: fake: tile 1 of 4 (row 0, column 0): "))
        << name;
    expect_as_listed(exit_code(asked), told(asked));
    std::filesystem::remove(file());
  }
}

TEST_F(SweepFaults, Row85ASecondTryThatWorksIsNoFailure) {
  const Sweep asked = sweep("16");
  const WorkerResult result = run(asked, [](const at::Tensor& enlarged, int call) {
    if (call == 5) throw std::bad_alloc();
    return enlarged;
  });
  EXPECT_EQ(result.progress.ok, static_cast<std::uint64_t>(kPictures));
  expect_as_listed(exit_code(asked), told(asked));
}

TEST_F(SweepFaults, Row86ALostDeviceEndsTheWorkerAndTheNextOneGoesOn) {
  for (const int threads : {1, 3}) {
    const Sweep asked = sweep("none", threads);
    const auto loses_device = [](const at::Tensor& enlarged, int call) {
      if (call >= 2) test::lose_device();
      return enlarged;
    };
    try {
      run(asked, loses_device);
      ADD_FAILURE() << "the device was lost";
    } catch (const DeviceError& error) {
      expect_as_listed(4, error.what());
    }
    {
      Store store(file());
      store.begin_run(asked.plan.rows);
      const Progress progress = store.progress(asked.plan.rows.run.key);
      EXPECT_EQ(progress.failed, 0u) << "the trial did not fail: its device did";
      EXPECT_EQ(progress.ok, 2u) << threads << " threads";
      EXPECT_EQ(progress.ready, kPictures - 2u);
    }
    const WorkerResult second = run(asked, as_it_is);
    EXPECT_EQ(second.executed, kPictures - 2u);
    EXPECT_EQ(second.progress.ok, static_cast<std::uint64_t>(kPictures));
    std::filesystem::remove(file());
  }
}

TEST_F(SweepFaults, Row86ATrialThatLosesItsDeviceTwiceIsFailedWhenTheSweepIsStartedAgain) {
  const Sweep asked = sweep();
  test::LosesDeviceOnOnePicture network;
  EXPECT_THROW(run(asked, network), DeviceError);
  EXPECT_THAT(reasons(asked), testing::IsEmpty()) << "once may be the device";
  EXPECT_THROW(run(asked, network), DeviceError);
  EXPECT_EQ(network.losses(), 2);
  const WorkerResult third = run(asked, network);
  EXPECT_EQ(network.losses(), 2) << "it is not tried again";
  EXPECT_EQ(third.executed, 0u) << "the second start did all others before it";
  EXPECT_EQ(third.progress.ok, kPictures - 1u);
  EXPECT_EQ(third.progress.failed, 1u);
  expect_as_listed(exit_code(asked), told(asked));
}

// What is asked for by name is tried again, twice.
TEST_F(SweepFaults, Row86FailedTrialsGetTheirAttemptsBack) {
  const Sweep asked = sweep();
  test::LosesDeviceOnOnePicture network;
  for (int start = 0; start < 2; ++start) EXPECT_THROW(run(asked, network), DeviceError);
  Store store(file());
  WorkerOptions again = options(network);
  again.only_failed = true;
  EXPECT_THROW(run_sweep(asked, store, again), DeviceError);
  EXPECT_EQ(network.losses(), 3);
  EXPECT_EQ(store.progress(asked.plan.rows.run.key).ready, 1u);
  EXPECT_EQ(run_sweep(asked, store, options(as_it_is)).progress.ok, static_cast<std::uint64_t>(kPictures));
}

TEST_F(SweepFaults, WhateverAnUpscalerThrowsEndsItsOwnTrialOnly) {
  const Sweep asked = sweep("none", 3);
  const WorkerResult result = run(asked, [](const at::Tensor& enlarged, int call) -> at::Tensor {
    if (call == 1) throw std::logic_error("no such layer");
    if (call == 2) TORCH_CHECK(false, "sizes differ");
    return enlarged;
  });
  EXPECT_EQ(result.progress.ok, 2u);
  EXPECT_THAT(reasons(asked), testing::UnorderedElementsAre("no such layer", "sizes differ"));
}

TEST_F(SweepFaults, WhatIsStoppedIsReleasedAndResumed) {
  std::atomic<bool> stop = false;
  Sweep asked = sweep("none", 2);
  asked.parallel_trials = 1;
  Store store(file());
  WorkerOptions stopped = options([&](const at::Tensor& enlarged, int call) {
    // Long enough for the supervisor, which looks ten times a second, to see it.
    if (call == 0) stop = true, std::this_thread::sleep_for(std::chrono::milliseconds(400));
    return enlarged;
  });
  stopped.stop = &stop;
  const WorkerResult first = run_sweep(asked, store, stopped);
  EXPECT_TRUE(first.interrupted);
  EXPECT_FALSE(first.abandoned);
  EXPECT_EQ(first.executed, 1u) << "the trial in hand is finished";
  EXPECT_EQ(first.progress.leased, 0u);
  EXPECT_EQ(first.progress.ready, kPictures - 1u);
  const WorkerResult second = run_sweep(asked, store, options(as_it_is));
  EXPECT_EQ(second.executed, kPictures - 1u);
}

TEST_F(SweepFaults, PixelsDoNotDependOnHowManyTrialsRunAtOnce) {
  std::set<std::vector<std::string>> outcomes;
  for (const int threads : {1, 2, 5}) {
    const Sweep asked = sweep("16", threads);
    run(asked, [](const at::Tensor& enlarged, int) { return enlarged.mul(0.9); });
    std::vector<std::string> pixels;
    for (const TrialResult& trial : results(asked)) pixels.push_back(trial.pixels.hex());
    outcomes.insert(pixels);
    std::filesystem::remove(file());
  }
  EXPECT_EQ(outcomes.size(), 1u);
}

TEST_F(SweepFaults, TheNextNetworkLoadsWhileAnotherTrialComputes) {
  const Sweep asked = sweep_of("model: [nearest, lanczos]", 2);
  std::promise<void> other_loaded;
  std::future<void> loaded = other_loaded.get_future();
  WorkerOptions options{.keep_outputs = KeepOutputs::none};
  options.load_model = [&](const nlohmann::json& model) -> UpscalerPtr {
    if (model == "lanczos") {
      other_loaded.set_value();
      return std::make_shared<Fake>(as_it_is);
    }
    return std::make_shared<Fake>([&](const at::Tensor& enlarged, int call) {
      if (call == 0) {
        EXPECT_EQ(loaded.wait_for(std::chrono::seconds(20)), std::future_status::ready);
      }
      return enlarged;
    });
  };
  Store store(file());
  const WorkerResult result = run_sweep(asked, store, options);
  EXPECT_EQ(result.progress.ok, 2u * kPictures);
  EXPECT_EQ(result.model_loads, 2u);
}

TEST_F(SweepFaults, Tf32OnACpuIsRefusedBeforeAnyWork) {
  EXPECT_THAT(
      [] { sweep_of("model: compact-x2, precision: [fp32, tf32]"); },
      testing::ThrowsMessage<std::invalid_argument>(HasSubstr("precision tf32: NVIDIA GPUs have it")));
}

}  // namespace
}  // namespace upbench
