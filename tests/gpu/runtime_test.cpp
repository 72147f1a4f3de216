#include <chrono>
#include <future>
#include <numeric>
#include <thread>
#include <vector>

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <c10/util/Exception.h>

#include "gpu.h"
#include "harness/device_runtime.h"

namespace upbench {
namespace {

// Streams, events, staging, memory and graphs mean the same on both.
class DeviceRuntime : public testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    if (on_gpu() && !test::no_gpu().empty()) GTEST_SKIP() << test::no_gpu();
  }
  bool on_gpu() const { return device() != "cpu"; }
  std::string device() const { return GetParam(); }
  at::TensorOptions there() const { return at::TensorOptions(at::Device(device())); }
};
INSTANTIATE_TEST_SUITE_P(Host, DeviceRuntime, testing::Values("cpu"));
INSTANTIATE_TEST_SUITE_P(Cuda, DeviceRuntime, testing::Values("cuda:0"));

// Work long enough that a missing wait would be seen.
at::Tensor slow_ones(const at::TensorOptions& options) {
  at::Tensor matrix = at::eye(1024, options);
  for (int i = 0; i < 20; ++i) matrix = matrix.mm(at::eye(1024, options));
  return matrix.diagonal().contiguous();
}

TEST_P(DeviceRuntime, EventsOrderStreams) {
  const DeviceStream first(device()), second(device());
  DeviceEvent ready(device());
  at::Tensor produced, consumed;
  {
    const StreamScope scope(first);
    produced = slow_ones(there());
    ready.record(first);
  }
  ready.hold(second);
  {
    const StreamScope scope(second);
    consumed = produced * 2;
  }
  second.synchronize();
  EXPECT_TRUE(ready.done());
  EXPECT_TRUE(second.idle());
  EXPECT_EQ(consumed.sum().item<float>(), 2048);
}

TEST_P(DeviceRuntime, ScopesNestAndEnd) {
  if (!on_gpu()) GTEST_SKIP() << "the CPU has one stream: the calling thread";
  const DeviceStream outer(device()), inner(device());
  ASSERT_NE(outer.native(), inner.native());
  const auto current = [&] {
    const at::Tensor probe = at::empty({1}, there());
    return c10::impl::VirtualGuardImpl(probe.device().type()).getStream(probe.device());
  };
  const c10::Stream before = current();
  {
    const StreamScope a(outer);
    {
      const StreamScope b(inner);
      EXPECT_EQ(current(), inner.torch());
    }
    EXPECT_EQ(current(), outer.torch());
  }
  EXPECT_EQ(current(), before);
}

TEST_P(DeviceRuntime, EventsThatWereNeverRecordedHoldNothing) {
  const DeviceStream stream(device());
  const DeviceEvent event(device());
  event.hold(stream);
  event.synchronize();
  EXPECT_TRUE(event.done());
}

TEST_P(DeviceRuntime, TimedEventsMeasureWhatLiesBetween) {
  const DeviceStream stream(device());
  DeviceEvent begin(device(), true), end(device(), true);
  const StreamScope scope(stream);
  begin.record(stream);
  slow_ones(there());
  end.record(stream);
  end.synchronize();
  EXPECT_GT(end.seconds_since(begin), 0);
}

TEST_P(DeviceRuntime, StagedBytesArriveAndComeBack) {
  StagingPool pool(device(), 2);
  const DeviceStream copies(device());
  const StreamScope scope(copies);
  for (int round = 0; round < 6; ++round) {  // more rounds than buffers: each is used again
    StagingPool::Lease up = pool.acquire(30'000), down = pool.acquire(30'000);
    at::Tensor source = up.bytes({100, 100, 3});
    source.fill_(round);
    const at::Tensor device_copy = source.to(at::Device(device()), /*non_blocking=*/true);
    at::Tensor target = down.bytes({100, 100, 3});
    target.copy_(device_copy.add(1), /*non_blocking=*/true);
    up.release_after(copies);
    copies.synchronize();
    EXPECT_TRUE(target.eq(round + 1).all().item<bool>());
  }
}

TEST_P(DeviceRuntime, StagingIsPinnedForAGpuOnly) {
  StagingPool pool(device(), 1);
  const StagingPool::Lease lease = pool.acquire(10);
  EXPECT_EQ(lease.bytes({10}).is_pinned(), on_gpu());
}

TEST_P(DeviceRuntime, StagingHoldsBackWhoWantsMoreThanThereIs) {
  StagingPool pool(device(), 1);
  std::optional<StagingPool::Lease> held = pool.acquire(16);
  const std::byte* memory = held->data();
  auto waiting = std::async(std::launch::async, [&] { return pool.acquire(8).data(); });
  EXPECT_EQ(waiting.wait_for(std::chrono::milliseconds(50)), std::future_status::timeout);
  held.reset();
  EXPECT_EQ(waiting.get(), memory);  // the same buffer again
}

TEST_P(DeviceRuntime, ClosingAStagingPoolWakesAndRefuses) {
  StagingPool pool(device(), 1);
  const StagingPool::Lease held = pool.acquire(16);
  auto waiting = std::async(std::launch::async, [&] { pool.acquire(16); });
  pool.close();
  EXPECT_THROW(waiting.get(), std::runtime_error);
  EXPECT_THROW(pool.acquire(1), std::runtime_error);
}

TEST_P(DeviceRuntime, StagingRefusesMoreThanWasAskedFor) {
  EXPECT_THROW(StagingPool(device(), 0), std::invalid_argument);
  StagingPool pool(device(), 1);
  const StagingPool::Lease lease = pool.acquire(16);
  EXPECT_EQ(lease.size(), 16U);
  EXPECT_THROW(lease.bytes({17}), std::invalid_argument);
}

TEST_P(DeviceRuntime, MemoryIsCountedAndItsPeakForgotten) {
  release_cached_memory(device());
  reset_peak_memory(device());
  const DeviceMemory before = device_memory(device());
  EXPECT_GT(before.total, before.free / 2);
  EXPECT_GT(before.free, 0U);
  EXPECT_GE(before.reserved, before.allocated);
  constexpr std::uint64_t kBytes = 256u << 20;
  {
    const at::Tensor large = at::ones({kBytes / 4}, there());
    EXPECT_GE(device_memory(device()).allocated + (1u << 20), before.allocated + kBytes);
  }
  EXPECT_GE(device_memory(device()).peak + (1u << 20), before.allocated + kBytes);
  release_cached_memory(device());
}

TEST_P(DeviceRuntime, GraphsGiveWhatTheFunctionGives) {
  GraphPool pool(device(), 2);
  const at::Tensor weights = at::rand({8, 3, 3, 3}, there());
  int calls = 0;
  const TensorFunction network = [&](const at::Tensor& batch) {
    ++calls;
    return at::conv2d(batch, weights, {}, 1, 1).relu_();
  };
  const DeviceStream stream(device());
  const StreamScope scope(stream);
  const at::NoGradGuard no_gradients;
  for (const int side : {32, 48, 32, 64, 32}) {  // three shapes, room for two
    const at::Tensor batch = at::rand({2, 3, side, side}, there());
    const at::Tensor expected = at::conv2d(batch, weights, {}, 1, 1).relu_();
    EXPECT_TRUE(at::equal(pool.run("net", batch, network, nullptr), expected)) << side;
    EXPECT_LE(pool.graphs(), 2U);
  }
  if (pool.replays())
    EXPECT_EQ(calls, 6);  // twice for each shape: before and while it is recorded
  else
    EXPECT_EQ(calls, 5) << pool.why_eager();
  pool.clear();
  EXPECT_EQ(pool.graphs(), 0U);
}

TEST_P(DeviceRuntime, WhatCannotBeRecordedRunsAsItIs) {
  GraphPool pool(device(), 2);
  const TensorFunction reads_back = [](const at::Tensor& batch) { return batch * batch.sum().item<float>(); };
  const at::Tensor batch = at::ones({2, 2}, there());
  const bool replays = pool.replays();
  EXPECT_TRUE(at::equal(pool.run("reads back", batch, reads_back, nullptr), batch * 4));
  EXPECT_NE(pool.why_eager(), "");
  EXPECT_EQ(pool.why_eager("reads back").empty(), !replays);
  EXPECT_EQ(pool.graphs(), 0U);
  EXPECT_TRUE(
      at::equal(pool.run("reads back", batch, reads_back, nullptr), batch * 4));  // the device is as before
  const TensorFunction doubles = [](const at::Tensor& x) { return x * 2; };
  EXPECT_TRUE(
      at::equal(pool.run("doubles", batch, doubles, nullptr), batch * 2));  // others are still recorded
  EXPECT_EQ(pool.replays(), replays);
  EXPECT_EQ(pool.graphs(), replays ? 1U : 0U);
  EXPECT_EQ(pool.why_eager("doubles"), "");
}

// LibTorch's allocator goes on as before: what it caches can be given back, and numbers can be drawn.
TEST_P(DeviceRuntime, ARecordingThatFailedLeavesNothingBehind) {
  GraphPool pool(device(), 2);
  if (!pool.replays()) GTEST_SKIP() << pool.why_eager();
  const at::Tensor batch = at::ones({2, 2}, there());
  pool.run("reads back", batch, [](const at::Tensor& x) { return x * x.sum().item<float>(); }, nullptr);
  ASSERT_NE(pool.why_eager("reads back"), "");
  EXPECT_LE(at::rand({16}, there()).max().item<float>(), 1);
  constexpr std::int64_t kBytes = 256 << 20;
  at::empty({kBytes}, there().dtype(at::kByte)).fill_(1);
  const std::uint64_t cached = device_memory(device()).reserved;
  release_cached_memory(device());
  EXPECT_LE(device_memory(device()).reserved + kBytes, cached);
}

TEST_P(DeviceRuntime, AGraphWhoseWeightsAreGoneIsRecordedAnew) {
  GraphPool pool(device(), 2);
  const at::Tensor batch = at::ones({2, 2}, there());
  int calls = 0;
  const auto run_with = [&](float value) {
    const auto weights = std::make_shared<at::Tensor>(at::full({2, 2}, value, there()));
    const TensorFunction scaled = [&calls, weights](const at::Tensor& x) {
      ++calls;
      return x * *weights;
    };
    const at::Tensor first = pool.run("scaled", batch, scaled, weights).clone();
    return std::pair(first, pool.run("scaled", batch, scaled, weights).clone());
  };
  for (const float value : {2.0F, 3.0F}) {  // as a network that is evicted and loaded again
    const auto [first, second] = run_with(value);
    EXPECT_TRUE(at::equal(first, batch * value));
    EXPECT_TRUE(at::equal(second, batch * value));
  }
  EXPECT_EQ(calls, 4);  // eager: every call; recorded: twice for each of the two
  EXPECT_LE(pool.graphs(), 1U);
}

TEST_P(DeviceRuntime, MoreMemoryThanThereIsIsOutOfMemory) {
  DeviceFault fault = DeviceFault::none;
  try {
    at::empty({std::int64_t{1} << 50}, there());
    FAIL() << "got a petabyte";
  } catch (const std::exception& error) {
    fault = device_fault(error, device());
  }
  EXPECT_EQ(fault, DeviceFault::out_of_memory);
  EXPECT_EQ(at::ones({10}, there()).sum().item<float>(), 10);  // the device goes on
}

TEST_P(DeviceRuntime, ShrinkingABatchEndsWhereItFits) {
  std::vector<int> tried, announced;
  const int fits = with_shrinking_batch(
      13, device(),
      [&](int batch) {
        tried.push_back(batch);
        if (batch > 3) at::empty({std::int64_t{1} << 50}, there());
      },
      [&](int smaller) { announced.push_back(smaller); });
  EXPECT_EQ(fits, 2);
  EXPECT_EQ(tried, (std::vector{13, 7, 4, 2}));
  EXPECT_EQ(announced, (std::vector{7, 4, 2}));
}

TEST_P(DeviceRuntime, ABatchIsTriedAgainBeforeItShrinksWhereRoomIsMade) {
  std::vector<int> tried, announced;
  int held = 2;  // a second time by what the second try itself left
  const auto attempt = [&](int batch) {
    tried.push_back(batch);
    if (tried.size() < 4) at::empty({std::int64_t{1} << 50}, there());
  };
  const auto make_room = [&] { return held-- > 0; };
  const auto announce = [&](int smaller) { announced.push_back(smaller); };
  EXPECT_EQ(with_shrinking_batch(8, device(), attempt, announce, make_room), 2);
  EXPECT_EQ(tried, (std::vector{8, 8, 4, 2}));
  EXPECT_EQ(announced, (std::vector{4, 2}));
  tried.clear();
  held = 1;
  EXPECT_ANY_THROW(with_shrinking_batch(1, device(), attempt, announce, make_room));
  EXPECT_EQ(tried, (std::vector{1, 1}));
}

TEST_P(DeviceRuntime, ShrinkingStopsAtOneAndAtOtherErrors) {
  int calls = 0;
  EXPECT_ANY_THROW(with_shrinking_batch(2, device(), [&](int) {
    ++calls;
    at::empty({std::int64_t{1} << 50}, there());
  }));
  EXPECT_EQ(calls, 2);
  EXPECT_THROW(with_shrinking_batch(8, device(), [](int) { throw std::logic_error("another"); }),
               std::logic_error);
}

TEST(DeviceFaults, AreToldByTheErrorsCode) {
  const auto coded = [](int code) { return c10::AcceleratorError({"f", "f.cpp", 1}, code, "CUDA error"); };
  for (const int sticky : {214, 700, 710, 719, 999})
    EXPECT_EQ(device_fault(coded(sticky), "cpu"), DeviceFault::lost) << sticky;
  EXPECT_EQ(device_fault(coded(2), "cpu"), DeviceFault::out_of_memory);
  EXPECT_EQ(device_fault(coded(1), "cpu"), DeviceFault::none);  // a refused argument passes
}

TEST(DeviceFaults, OfMemoryAreKnownFromEveryLibrary) {
  const auto torch = [](const char* text) { return c10::Error({"f", "f.cpp", 1}, text); };
  EXPECT_TRUE(is_out_of_memory(std::bad_alloc()));
  EXPECT_TRUE(is_out_of_memory(c10::OutOfMemoryError({"f", "f.cpp", 1}, "CUDA out of memory. Tried")));
  EXPECT_TRUE(is_out_of_memory(torch("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate`")));
  EXPECT_TRUE(is_out_of_memory(torch("cuDNN error: CUDNN_STATUS_INTERNAL_ERROR_DEVICE_ALLOCATION_FAILED")));
  EXPECT_TRUE(is_out_of_memory(torch("GET was unable to find an engine to execute this computation")));
  EXPECT_TRUE(is_out_of_memory(torch("FIND was unable to find an engine to execute this computation")));
  EXPECT_FALSE(is_out_of_memory(torch("cuDNN error: CUDNN_STATUS_BAD_PARAM")));
  EXPECT_FALSE(is_out_of_memory(std::runtime_error("the model says: out of memory")));  // not LibTorch's
}

TEST(DeviceFaults, AreToldInOneLine) {
  const c10::AcceleratorError error(
      {"f", "f.cpp", 1}, 710,
      "CUDA error: device-side assert triggered\nCUDA kernel errors might be asynchronously reported ...");
  EXPECT_EQ(device_error_text(error), "CUDA error: device-side assert triggered");
}

// In a process of its own: the device is gone for the one that does this.
TEST(CudaDeviceDeathTest, AnAssertOnTheDeviceIsAStickyFault) {
  UPBENCH_NEEDS_GPU();
  testing::GTEST_FLAG(death_test_style) = "threadsafe";
  const auto assert_on_device = [] {
    open_device("cuda:0");
    const at::TensorOptions there(at::Device("cuda:0"));
    try {
      at::zeros({4}, there).index_select(0, at::full({1}, 1000, there.dtype(at::kLong))).sum().item<float>();
    } catch (const std::exception& error) {
      _exit(device_fault(error, "cuda:0") == DeviceFault::lost ? 42 : 1);
    }
    _exit(0);
  };
  EXPECT_EXIT(assert_on_device(), testing::ExitedWithCode(42), "");
}

TEST(DeviceSettings, AreWhatWasApplied) {
  const DeviceSettings before = settings_in_force();
  apply({.tf32 = true, .search_algorithms = true, .deterministic = false});
  EXPECT_TRUE(settings_in_force().tf32);
  EXPECT_TRUE(settings_in_force().search_algorithms);
  EXPECT_FALSE(settings_in_force().deterministic);
  apply({});
  EXPECT_FALSE(settings_in_force().tf32);
  EXPECT_FALSE(settings_in_force().search_algorithms);
  EXPECT_TRUE(settings_in_force().deterministic);
  apply(before);
}

}  // namespace
}  // namespace upbench
