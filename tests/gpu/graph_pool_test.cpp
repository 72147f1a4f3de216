// Graphs without a GPU: a module whose graphs note what a function does, and do it again when they are
// replayed. What CUDA itself makes of them: runtime_test.cpp, architectures_test.cpp.
#include <chrono>
#include <functional>
#include <future>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <ATen/ATen.h>
#include <c10/util/Exception.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "datasets/device/graph_pool.h"
#include "harness/worker.h"
#include "models/catalog.h"
#include "pretend.h"
#include "tests/support/assets.h"

namespace upbench {
namespace {

using testing::HasSubstr;

struct NotedGraph {
  std::vector<std::function<void()>> work;
};

// Of the running test.
struct NotedGraphs {
  NotedGraph* recording = nullptr;
  int begun = 0, replayed = 0, alive = 0;
  bool refuses_to_end = false;
};
NotedGraphs noted;

void* begin_noted() {
  noted.recording = new NotedGraph;
  ++noted.begun;
  ++noted.alive;
  return noted.recording;
}

void end_noted(void*) {
  noted.recording = nullptr;
  if (noted.refuses_to_end)
    throw std::runtime_error("operation failed due to a previous error during capture");
}

void replay_noted(void* graph) {
  ++noted.replayed;
  for (const auto& again : static_cast<NotedGraph*>(graph)->work) again();
}

void free_noted(void* graph) {
  delete static_cast<NotedGraph*>(graph);
  --noted.alive;
}

const CudaModule kNotedGraphs{.version = kKernelTableVersion,
                              .build = "for a test",
                              .kernels = {},
                              .error_text = nullptr,
                              .begin_graph = begin_noted,
                              .end_graph = end_noted,
                              .replay_graph = replay_noted,
                              .free_graph = free_noted};

TensorFunction notable(const TensorFunction& compute) {
  return [compute](const at::Tensor& x) {
    at::Tensor y = compute(x);
    if (noted.recording) noted.recording->work.emplace_back([compute, x, y] { y.copy_(compute(x)); });
    return y;
  };
}

void refuse_to_be_recorded() {
  if (noted.recording) throw std::runtime_error("operation not permitted when stream is capturing");
}

[[noreturn]] void lack_memory() {
  throw c10::OutOfMemoryError({"f", "g", 1}, "CUDA out of memory. Tried to allocate 9 GiB");
}

class PretendedGraphs : public testing::Test {
 protected:
  void SetUp() override { noted = {}; }
  void TearDown() override { EXPECT_EQ(noted.alive, 0) << "graphs that nobody freed"; }

  const at::Tensor input_ = at::ones({2, 3});

 private:
  test::ChosenKernels kernels_{"none"};
  PretendedDevice device_{test::emulated_kernels(), &kNotedGraphs};
};

TEST_F(PretendedGraphs, AreRecordedOnceAndReplayed) {
  GraphPool pool("cpu", 2);
  ASSERT_TRUE(pool.replays()) << pool.why_eager();
  const TensorFunction doubled = notable([](const at::Tensor& x) { return x * 2; });
  for (const double value : {1.0, 2.0, 3.0}) {
    const at::Tensor input = at::full({2}, value);
    EXPECT_TRUE(at::equal(pool.run("doubled", input, doubled, nullptr), input * 2));
  }
  EXPECT_EQ(noted.begun, 1);
  EXPECT_EQ(noted.replayed, 3);
  EXPECT_EQ(pool.graphs(), 1U);
}

TEST_F(PretendedGraphs, OfWhatCannotBeRecordedAreFreedAndNotTriedAgain) {
  GraphPool pool("cpu", 2);
  const TensorFunction reads_back = [](const at::Tensor& x) {
    noted.refuses_to_end = noted.recording != nullptr;
    refuse_to_be_recorded();
    return x + 1;
  };
  for (int round = 0; round < 2; ++round)
    EXPECT_TRUE(at::equal(pool.run("reads back", input_, reads_back, nullptr), input_ + 1));
  EXPECT_EQ(noted.begun, 1);
  EXPECT_EQ(noted.alive, 0);
  EXPECT_EQ(pool.why_eager("reads back"), "operation not permitted when stream is capturing");
  EXPECT_EQ(pool.why_eager(),
            "reads back cannot be recorded: operation not permitted when stream is capturing");
  const TensorFunction doubled = notable([](const at::Tensor& x) { return x * 2; });
  EXPECT_TRUE(at::equal(pool.run("doubled", input_, doubled, nullptr), input_ * 2));
  EXPECT_EQ(pool.why_eager("doubled"), "");
  EXPECT_EQ(pool.graphs(), 1U);
}

TEST_F(PretendedGraphs, WhoseRecordingDoesNotEndAreFreed) {
  GraphPool pool("cpu", 2);
  noted.refuses_to_end = true;
  const TensorFunction doubled = notable([](const at::Tensor& x) { return x * 2; });
  EXPECT_TRUE(at::equal(pool.run("doubled", input_, doubled, nullptr), input_ * 2));
  EXPECT_EQ(noted.alive, 0);
  EXPECT_THAT(pool.why_eager("doubled"), HasSubstr("previous error during capture"));
}

TEST_F(PretendedGraphs, WhoseMemoryRunsOutLeaveNothingAndAreRecordedLater) {
  GraphPool pool("cpu", 2);
  bool lacks = true;
  const TensorFunction doubled = notable([&](const at::Tensor& x) {
    if (noted.recording && std::exchange(lacks, false)) lack_memory();
    return x * 2;
  });
  EXPECT_THROW(pool.run("doubled", input_, doubled, nullptr), c10::OutOfMemoryError);
  EXPECT_EQ(pool.graphs(), 0U);
  EXPECT_EQ(noted.alive, 0);
  EXPECT_TRUE(at::equal(pool.run("doubled", input_, doubled, nullptr), input_ * 2));
  EXPECT_EQ(pool.graphs(), 1U);
  EXPECT_EQ(pool.why_eager("doubled"), "");
}

TEST_F(PretendedGraphs, OfMoreBytesThanAllowedGoTheOldestFirst) {
  constexpr std::int64_t kNumbers = 16 << 20;  // 64 MiB, which are mapped and unmapped again
  const TensorFunction large =
      notable([](const at::Tensor& x) { return at::full({kNumbers}, static_cast<double>(x.numel())); });
  for (const auto& [allowed, kept] : {std::pair(100u << 20, 1u), std::pair(1000u << 20, 2u)}) {
    GraphPool pool("cpu", 4, allowed);
    for (const int side : {2, 3})
      EXPECT_EQ(pool.run("large", at::ones({side}), large, nullptr)[0].item<float>(), side);
    EXPECT_EQ(pool.graphs(), kept);
  }
}

TEST_F(PretendedGraphs, AreFreedByAnotherThreadWhenARunHasEnded) {
  GraphPool pool("cpu", 2);
  std::promise<void> inside, go_on;
  bool waits = true;
  const TensorFunction slow = notable([&](const at::Tensor& x) {
    if (std::exchange(waits, false)) {
      inside.set_value();
      go_on.get_future().wait();
    }
    return x * 2;
  });
  auto result = std::async(std::launch::async, [&] { return pool.run("slow", input_, slow, nullptr); });
  inside.get_future().wait();
  auto cleared = std::async(std::launch::async, [&] { pool.clear(); });
  EXPECT_EQ(cleared.wait_for(std::chrono::milliseconds(50)), std::future_status::timeout);
  go_on.set_value();
  EXPECT_TRUE(at::equal(result.get(), input_ * 2));
  cleared.get();
  EXPECT_EQ(pool.graphs(), 0U);
}

// The built-in network, whose work is noted. before: called whenever it is given a batch, not when a graph is
// replayed.
class NotedNetwork final : public Upscaler, public std::enable_shared_from_this<NotedNetwork> {
 public:
  explicit NotedNetwork(std::function<void()> before)
      : network_(load_upscaler({.parts = {{"compact-x2", 1.0}}, .label = "compact-x2"}, {})),
        before_(std::move(before)) {}
  const UpscalerInfo& info() const override { return network_->info(); }
  at::Tensor forward(const at::Tensor& batch, int scale) const override {
    before_();
    return notable([network = network_, scale](const at::Tensor& x) { return network->forward(x, scale); })(
        batch);
  }
  std::shared_ptr<const Upscaler> to(const std::string&, Precision) const override {
    return shared_from_this();
  }

 private:
  UpscalerPtr network_;
  std::function<void()> before_;
};

// Inputs of 32 x 32 in tiles of four shapes: 24 or 16 pixels are read on each axis.
constexpr int kPictures = 3, kShapes = 4;
constexpr char kTiled[] = R"(name: graphs
images: {procedural: {count: 3, size: 64, seed: 5}, lr: {scale: 2}}
pipeline:
  - upscale: {model: compact-x2, tile: {size: 20, context: 4}}
metrics: [psnr-y]
timing: none
)";

class PretendedGraphSweeps : public PretendedGraphs {
 protected:
  // As `file` in the test's folder. load: called for each network that is loaded.
  WorkerResult run(const char* file, std::function<void()> before, const std::function<void()>& load = {}) {
    Store store((folder_ / file).string());
    WorkerOptions options{.keep_outputs = KeepOutputs::none};
    options.load_model = [=](const nlohmann::json&) -> UpscalerPtr {
      if (load) load();
      return std::make_shared<NotedNetwork>(before);
    };
    options.on_notice = [this](const std::string& text) { notices_.push_back(text); };
    return run_sweep(asked_, store, options);
  }
  std::vector<TrialResult> results(const char* file) const {
    const Store store((folder_ / file).string(), Store::Access::read);
    std::vector<TrialResult> all;
    store.for_each_trial(asked_.plan.rows.run.key, [&](const TrialResult& trial) { all.push_back(trial); });
    return all;
  }
  // What is kept of the network's run on each picture.
  std::vector<nlohmann::json> passes(const char* file) const {
    const Store store((folder_ / file).string(), Store::Access::read);
    std::vector<nlohmann::json> all;
    for (const TrialResult& trial : results(file))
      all.push_back(nlohmann::json::parse(store.output(trial.output).value().used)["stages"][0]["passes"][0]);
    return all;
  }

  const Sweep asked_ = prepare_sweep(parse_spec(kTiled, "graphs.yaml", "."), {.device = "cpu", .threads = 1});
  std::vector<std::string> notices_;

 private:
  test::TemporaryFolder folder_;
};

TEST_F(PretendedGraphSweeps, GiveThePixelsOfNetworksThatCannotBeRecorded) {
  EXPECT_EQ(run("graphs.db", [] {}).progress.ok, static_cast<std::uint64_t>(kPictures));
  EXPECT_EQ(noted.begun, kShapes);
  EXPECT_EQ(noted.replayed, kPictures * kShapes);
  EXPECT_THAT(notices_, testing::IsEmpty());
  noted = {};
  EXPECT_EQ(run("eager.db", refuse_to_be_recorded).progress.ok, static_cast<std::uint64_t>(kPictures));
  EXPECT_EQ(noted.replayed, 0);
  const auto recorded = results("graphs.db"), eager = results("eager.db");
  ASSERT_EQ(recorded.size(), eager.size());
  for (std::size_t i = 0; i < eager.size(); ++i) EXPECT_EQ(recorded[i].pixels, eager[i].pixels);
}

TEST_F(PretendedGraphSweeps, SayOnceWhichNetworkCannotBeRecordedAndKeepIt) {
  run("eager.db", refuse_to_be_recorded);
  EXPECT_THAT(notices_,
              testing::ElementsAre("no CUDA graph, its kernels are started one by one: compact-x2: operation "
                                   "not permitted when stream is capturing"));
  for (const nlohmann::json& pass : passes("eager.db"))
    EXPECT_EQ(pass.at("eager"), "compact-x2: operation not permitted when stream is capturing");
}

// Memory runs out for the second shape, while a graph of the first is kept.
TEST_F(PretendedGraphSweeps, GiveTheirMemoryBackBeforeABatchIsHalved) {
  bool lacks = true;
  const WorkerResult result = run("s.db", [&] {
    if (!noted.recording && noted.alive > 0 && std::exchange(lacks, false)) lack_memory();
  });
  EXPECT_FALSE(lacks);
  EXPECT_EQ(result.progress.ok, static_cast<std::uint64_t>(kPictures));
  for (const TrialResult& trial : results("s.db")) EXPECT_THAT(trial.flags, testing::IsEmpty());
  for (const nlohmann::json& pass : passes("s.db")) EXPECT_FALSE(pass.contains("batch_halved"));
  EXPECT_EQ(noted.begun, kShapes + 1) << "the first shape's graph was freed";
}

TEST_F(PretendedGraphSweeps, LoadANetworkAgainForWhichMemoryDidNotSuffice) {
  for (const auto& [refused, sound] : {std::pair(1, kPictures), std::pair(2, kPictures - 1)}) {
    const std::string file = "s" + std::to_string(refused);
    int left = refused;
    const WorkerResult result = run(
        file.c_str(), [] {},
        [&left] {
          if (left-- > 0) lack_memory();
        });
    EXPECT_EQ(result.progress.ok, static_cast<std::uint64_t>(sound));
    for (const TrialResult& trial : results(file.c_str())) {
      const bool failed = trial.status == Status::failed;
      EXPECT_THAT(trial.reason, testing::StartsWith(failed ? "out of memory: CUDA" : ""));
    }
  }
}

}  // namespace
}  // namespace upbench
