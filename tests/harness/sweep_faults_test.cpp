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

#include "harness/worker.h"
#include "tests/support/assets.h"

// What goes wrong while a sweep computes: rows 80-91 of the list of faults, on devices made up by an upscaler
// that throws what a real one would.
namespace upbench {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

// The model `nearest` of a sweep, with one function in its place.
class Fake final : public Upscaler, public std::enable_shared_from_this<Fake> {
 public:
  using Function = std::function<at::Tensor(const at::Tensor& enlarged, int call)>;
  explicit Fake(Function function) : function_(std::move(function)) { info_.name = "fake"; }
  const UpscalerInfo& info() const override { return info_; }
  at::Tensor forward(const at::Tensor& batch, int scale) const override {
    return function_(batch.repeat_interleave(scale, 2).repeat_interleave(scale, 3), calls_++);
  }
  std::shared_ptr<const Upscaler> to(const std::string&, Precision) const override {
    return shared_from_this();
  }

 private:
  UpscalerInfo info_;
  Function function_;
  mutable std::atomic<int> calls_ = 0;
};

constexpr int kPictures = 4;
constexpr char kSpec[] = R"(name: faults
images: {procedural: {count: 4, size: 64, seed: 5}, lr: {scale: 2}}
pipeline:
  - upscale: {model: nearest, tile: TILE}
metrics: [psnr-y]
timing: none
)";

class SweepFaults : public testing::Test {
 protected:
  Sweep sweep(const std::string& tile = "none", int threads = 1) {
    std::string text = kSpec;
    text.replace(text.find("TILE"), 4, tile);
    return prepare_sweep(parse_spec(text, "faults.yaml", "."), {.device = "cpu", .threads = threads});
  }
  WorkerResult run(const Sweep& sweep, Fake::Function function) {
    Store store((folder_ / "s.db").string());
    return run_sweep(sweep, store, options(std::move(function)));
  }
  static WorkerOptions options(Fake::Function function) {
    WorkerOptions options{.keep_outputs = KeepOutputs::none};
    options.load_model = [fake = std::make_shared<Fake>(std::move(function))](const nlohmann::json&) {
      return fake;
    };
    return options;
  }
  std::vector<TrialResult> results(const Sweep& sweep) {
    const Store store((folder_ / "s.db").string(), Store::Access::read);
    std::vector<TrialResult> all;
    store.for_each_trial(sweep.plan.rows.run.key, [&](const TrialResult& trial) { all.push_back(trial); });
    return all;
  }
  std::vector<std::string> reasons(const Sweep& sweep) {
    std::vector<std::string> all;
    for (const TrialResult& trial : results(sweep))
      if (trial.status == Status::failed) all.push_back(trial.reason);
    return all;
  }

  test::TemporaryFolder folder_;
};

TEST_F(SweepFaults, Row80ATileThatIsNotFiniteFailsItsTrialWithItsIndex) {
  const Sweep asked = sweep("16");
  const WorkerResult result = run(asked, [](const at::Tensor& enlarged, int call) {
    // four tiles a picture: the third one of the second picture
    return call == 6 ? enlarged * std::numeric_limits<float>::infinity() : enlarged;
  });
  EXPECT_EQ(result.progress.ok, kPictures - 1u);
  EXPECT_THAT(reasons(asked), testing::ElementsAre("fake: tile 3 of 4 (row 1, column 0) is not finite"));
}

TEST_F(SweepFaults, Row81AConstantOutputIsFlaggedAndScored) {
  const Sweep asked = sweep();
  run(asked,
      [](const at::Tensor& enlarged, int call) { return call == 0 ? at::zeros_like(enlarged) : enlarged; });
  const std::vector<TrialResult> all = results(asked);
  EXPECT_THAT(all[0].flags, testing::ElementsAre("degenerate"));
  EXPECT_EQ(all[0].status, Status::ok);
  EXPECT_EQ(all[0].scores[0].flag, ValueFlag::ok);
  EXPECT_THAT(all[1].flags, testing::IsEmpty());
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
  const Store store((folder_ / "s.db").string(), Store::Access::read);
  const auto used = nlohmann::json::parse(store.output(results(asked)[0].output)->used);
  EXPECT_DOUBLE_EQ(used["stages"][0]["passes"][0]["outside_share"], 0.25);
  EXPECT_EQ(used["stages"][0]["passes"][0]["batch"], 1);
  EXPECT_EQ(used["operator_threads"], 1);
  EXPECT_EQ(used["parallel_trials"], 1);
  EXPECT_GE(used["stages"][0]["peak_bytes"], 3 * 64 * 64 * 4) << "the stage's memory: the output at least";
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
  const Store store((folder_ / "s.db").string(), Store::Access::read);
  EXPECT_EQ(store.output(all[0].output)->pixels, store.output(all[1].output)->pixels);
  for (const TrialResult& trial : all) {
    EXPECT_EQ(trial.status, Status::ok);
    EXPECT_TRUE(std::isfinite(trial.scores[0].value));
  }
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
    std::filesystem::remove(folder_ / "s.db");
  }
}

TEST_F(SweepFaults, Row85ASecondTryThatWorksIsNoFailure) {
  const Sweep asked = sweep("16");
  const WorkerResult result = run(asked, [](const at::Tensor& enlarged, int call) {
    if (call == 5) throw std::bad_alloc();
    return enlarged;
  });
  EXPECT_EQ(result.progress.ok, static_cast<std::uint64_t>(kPictures));
}

TEST_F(SweepFaults, Row86ALostDeviceEndsTheWorkerAndTheNextOneGoesOn) {
  constexpr int kDeviceAssert = 710;
  for (const int threads : {1, 3}) {
    const Sweep asked = sweep("none", threads);
    const auto loses_device = [](const at::Tensor& enlarged, int call) {
      if (call >= 2)
        throw c10::AcceleratorError({"f", "g", 1}, kDeviceAssert, "device-side assert triggered");
      return enlarged;
    };
    EXPECT_THAT([&] { run(asked, loses_device); },
                testing::ThrowsMessage<DeviceError>(HasSubstr(
                    "device cpu is lost: device-side assert triggered; what was finished is in the store")));
    {
      Store store((folder_ / "s.db").string());
      store.begin_run(asked.plan.rows);
      const Progress progress = store.progress(asked.plan.rows.run.key);
      EXPECT_EQ(progress.failed, 0u) << "the trial did not fail: its device did";
      EXPECT_EQ(progress.ok, 2u) << threads << " threads";
      EXPECT_EQ(progress.ready, kPictures - 2u);
    }
    const WorkerResult second = run(asked, [](const at::Tensor& enlarged, int) { return enlarged; });
    EXPECT_EQ(second.executed, kPictures - 2u);
    EXPECT_EQ(second.progress.ok, static_cast<std::uint64_t>(kPictures));
    std::filesystem::remove(folder_ / "s.db");
  }
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
  Store store((folder_ / "s.db").string());
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
  const WorkerResult second =
      run_sweep(asked, store, options([](const at::Tensor& enlarged, int) { return enlarged; }));
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
    std::filesystem::remove(folder_ / "s.db");
  }
  EXPECT_EQ(outcomes.size(), 1u);
}

TEST_F(SweepFaults, TheNextNetworkLoadsWhileAnotherTrialComputes) {
  std::string text = kSpec;
  text.replace(text.find("nearest, tile: TILE"), 19, "[nearest, lanczos]");
  const Sweep asked = prepare_sweep(parse_spec(text, "faults.yaml", "."), {.device = "cpu", .threads = 2});
  std::promise<void> other_loaded;
  std::future<void> loaded = other_loaded.get_future();
  const auto plain = [](const at::Tensor& enlarged, int) { return enlarged; };
  WorkerOptions options{.keep_outputs = KeepOutputs::none};
  options.load_model = [&](const nlohmann::json& model) -> UpscalerPtr {
    if (model == "lanczos") {
      other_loaded.set_value();
      return std::make_shared<Fake>(plain);
    }
    return std::make_shared<Fake>([&](const at::Tensor& enlarged, int call) {
      if (call == 0) {
        EXPECT_EQ(loaded.wait_for(std::chrono::seconds(20)), std::future_status::ready);
      }
      return enlarged;
    });
  };
  Store store((folder_ / "s.db").string());
  const WorkerResult result = run_sweep(asked, store, options);
  EXPECT_EQ(result.progress.ok, 2u * kPictures);
  EXPECT_EQ(result.model_loads, 2u);
}

TEST_F(SweepFaults, Tf32OnACpuIsRefusedBeforeAnyWork) {
  std::string text = kSpec;
  text.replace(text.find("nearest, tile: TILE"), 19, "compact-x2, precision: [fp32, tf32]");
  EXPECT_THAT(
      [&] { prepare_sweep(parse_spec(text, "faults.yaml", "."), {.device = "cpu", .threads = 1}); },
      testing::ThrowsMessage<std::invalid_argument>(HasSubstr("precision tf32: NVIDIA GPUs have it")));
}

}  // namespace
}  // namespace upbench
