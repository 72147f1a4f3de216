#include "harness/timing/nvml.h"

#include <algorithm>
#include <cstdlib>
#include <initializer_list>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "harness/timing/energy.h"
#include "harness/timing/session.h"

namespace upbench {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

// Each test sees the GPUs of fake_nvml.cpp, and no driver of CUDA's unless it says so.
class NvmlTest : public ::testing::Test {
 protected:
  void SetUp() override {
    setenv("UPBENCH_NVML", UPBENCH_FAKE_NVML, 1);
    setenv("UPBENCH_CUDA_DRIVER", "/nowhere/libcuda.so", 1);
  }
  void TearDown() override {
    for (const char* name : {"UPBENCH_NVML", "UPBENCH_CUDA_DRIVER", "FAKE_NVML", "CUDA_VISIBLE_DEVICES"})
      unsetenv(name);
  }
  static void say(const char* text) { setenv("FAKE_NVML", text, 1); }
};

TEST_F(NvmlTest, TellsClockHeatPowerAndEnergy) {
  const auto nvml = Nvml::open(0);
  ASSERT_TRUE(nvml);
  const GpuReading reading = nvml->read();
  EXPECT_EQ(reading.clock_mhz, 1980);
  EXPECT_EQ(reading.temperature_c, 45);
  EXPECT_EQ(reading.power_w, 350.5);
  EXPECT_EQ(reading.power_limit_w, 700);
  EXPECT_THAT(reading.throttle, IsEmpty());  // idle is no throttling
}

TEST_F(NvmlTest, FollowsTheVisibleDevices) {
  EXPECT_EQ(Nvml::open(1)->read().clock_mhz, 1410);
  setenv("CUDA_VISIBLE_DEVICES", "1,0", 1);
  EXPECT_EQ(Nvml::open(0)->read().clock_mhz, 1410);
  EXPECT_EQ(Nvml::open(1)->read().clock_mhz, 1980);
  setenv("CUDA_VISIBLE_DEVICES", "GPU-second", 1);
  EXPECT_EQ(Nvml::open(0)->read().clock_mhz, 1410);
}

// CUDA's first device is the second on the bus.
TEST_F(NvmlTest, CudasDeviceIsFoundByItsAddressOnTheBus) {
  setenv("UPBENCH_CUDA_DRIVER", UPBENCH_FAKE_NVML, 1);
  EXPECT_EQ(Nvml::open(0)->read().clock_mhz, 1410);
  EXPECT_EQ(Nvml::open(1)->read().clock_mhz, 1980);
  setenv("CUDA_VISIBLE_DEVICES", "0,1", 1);  // the driver has followed it already
  EXPECT_EQ(Nvml::open(0)->read().clock_mhz, 1410);
  say("elsewhere");
  EXPECT_FALSE(Nvml::open(0)) << "no GPU is better than another one";
  say("no-cuda");
  EXPECT_EQ(Nvml::open(0)->read().clock_mhz, 1980) << "as the list says";
}

TEST_F(NvmlTest, NothingIsToldWithoutLibraryDriverOrDevice) {
  EXPECT_FALSE(Nvml::open(7));
  setenv("CUDA_VISIBLE_DEVICES", "GPU-unknown", 1);
  EXPECT_FALSE(Nvml::open(0));
  EXPECT_FALSE(Nvml::open(1));  // one is visible
  unsetenv("CUDA_VISIBLE_DEVICES");
  say("no-driver");
  EXPECT_FALSE(Nvml::open(0));
  setenv("UPBENCH_NVML", "/nowhere/libnvidia-ml.so", 1);
  EXPECT_FALSE(Nvml::open(0));
}

TEST_F(NvmlTest, EnergyIsThatOfTheGpu) {
  const auto nvml = Nvml::open(0);
  EnergyMeter meter("cuda:0", nvml.get());
  EXPECT_EQ(meter.source(), "GPU (NVML)");
  const double before = meter.joules();
  EXPECT_EQ(meter.joules() - before, 2.5);
  say("no-energy");
  EXPECT_EQ(EnergyMeter("cuda:0", nvml.get()).source(), "");
}

TEST_F(NvmlTest, OtherProcessesAreThoseThatAreNotThisOne) {
  EXPECT_EQ(Nvml::open(0)->read().other_processes, 0);
  say("shared");
  EXPECT_EQ(Nvml::open(0)->read().other_processes, 1);
  EXPECT_EQ(count_others({7, 9}, 9, false), 1);
  EXPECT_EQ(count_others({7, 9}, 8, false), 2);
}

TEST_F(NvmlTest, InAContainerOneOfTheProcessesIsThisOneByAnotherNumber) {
  EXPECT_EQ(count_others({7}, 9, true), 0);
  EXPECT_EQ(count_others({7, 8}, 9, true), 1);
  EXPECT_EQ(count_others({7, 9}, 9, true), 1);
  EXPECT_EQ(count_others({}, 9, true), 0);
}

TEST_F(NvmlTest, WarnsBeforeWork) {
  EXPECT_THAT(gpu_warnings(Nvml::open(0)->read()), IsEmpty());  // this process computes there, too
  say("capped hot shared");
  EXPECT_THAT(gpu_warnings(Nvml::open(0)->read()),
              ElementsAre("the GPU's power limit is 400 W, its default 700 W", "the GPU is at 90 degrees",
                          "other processes compute on the GPU: 1"));
}

// Lap i takes 1 s + i ms, during which the GPU is as says[i] has it (the last one for all later laps).
class WatchedSubject final : public TimingSubject {
 public:
  WatchedSubject(TimingSession& session, std::vector<const char*> says)
      : session_(session), says_(std::move(says)) {}

  static double seconds_of(std::size_t lap) { return 1 + static_cast<double>(lap) / 1000; }

  Lap run(int) override {
    session_.begin_lap();
    setenv("FAKE_NVML", says_[std::min(laps_, says_.size() - 1)], 1);
    Lap lap{.seconds = seconds_of(laps_++)};
    session_.end_lap(lap);
    return lap;
  }

 private:
  TimingSession& session_;
  std::vector<const char*> says_;
  std::size_t laps_ = 0;
};

std::vector<double> laps(std::initializer_list<std::size_t> numbers) {
  std::vector<double> seconds;
  for (const std::size_t number : numbers) seconds.push_back(WatchedSubject::seconds_of(number));
  return seconds;
}

std::vector<double> seconds_of(const std::vector<Lap>& taken) {
  std::vector<double> seconds;
  for (const Lap& lap : taken) seconds.push_back(lap.seconds);
  return seconds;
}

// Laps 0 to 2 warm up. The GPU is slowed from lap 4 on until lap 5 has begun.
TEST_F(NvmlTest, ASampleWithTheClockHeldDownIsDiscardedTakenAgainAndCounted) {
  TimingSession session("cuda:0");
  WatchedSubject subject(session, {"", "", "", "", "throttled", ""});
  const SubjectTimes times = time_interleaved({&subject}, {.samples = 3})[0];
  EXPECT_EQ(seconds_of(times.samples), laps({3, 6, 7}));
  EXPECT_EQ(seconds_of(times.discarded), laps({4, 5}));
  EXPECT_THAT(times.discarded[0].slowed_by, ElementsAre("heat", "power limit"));
  EXPECT_FALSE(times.slowed);
  session.add(times);
  EXPECT_EQ(session.facts()["gpu"]["throttle"].dump(), R"(["heat","power limit"])");
}

// Neither before the lap nor after it is there a reason: the driver's counter alone tells.
TEST_F(NvmlTest, ASlowdownInTheMiddleOfALapIsSeenByItsCounter) {
  for (const auto& [word, reason] :
       {std::pair("held-by-power", "power limit"), std::pair("held-by-heat", "heat")}) {
    say("");
    TimingSession session("cuda:0");
    WatchedSubject subject(session, {"", "", "", word, ""});
    const SubjectTimes times = time_interleaved({&subject}, {.samples = 1})[0];
    EXPECT_EQ(seconds_of(times.discarded), laps({3}));
    EXPECT_EQ(seconds_of(times.samples), laps({4}));
    EXPECT_THAT(times.discarded[0].slowed_by, ElementsAre(reason));
  }
}

TEST_F(NvmlTest, ASessionOnAGpuKeepsWhatItSawDuringLaps) {
  say("idle");
  TimingSession session("cuda:1");
  WatchedSubject subject(session, {""});
  session.add(time_interleaved({&subject}, {.samples = 2})[0]);
  say("idle");
  session.read();
  const nlohmann::json facts = session.facts();
  EXPECT_EQ(facts["gpu"]["clock_mhz"].dump(), "[1410.0,1410.0]");
  EXPECT_EQ(facts["gpu"]["power_w"].dump(), "[350.5,350.5]");
  EXPECT_EQ(facts["gpu"]["power_limit_w"], 700);
  EXPECT_THAT(facts["gpu"]["throttle"], IsEmpty());
}

TEST_F(NvmlTest, AClockThatMovedBetweenLapsIsFlagged) {
  TimingSession session("cuda:0");
  WatchedSubject subject(session, {"", "", "", "", "idle"});
  session.add(time_interleaved({&subject}, {.samples = 2})[0]);
  EXPECT_THAT(session.flags(), Contains("the GPU's clock moved between 345 and 1980 MHz"));
}

TEST_F(NvmlTest, CompanyBeforeTheFirstLapIsFlagged) {
  say("shared");
  TimingSession session("cuda:0");
  say("");
  session.read();
  EXPECT_THAT(session.flags(), Contains("other processes computed on the GPU"));
}

TEST(TimingSession, OnTheCpuAsksNoGpu) {
  TimingSession session("cpu");
  session.read();
  EXPECT_FALSE(session.nvml());
  EXPECT_FALSE(session.facts().contains("gpu"));
}

TEST(TimingSession, DeviceNamesHaveTheirNumber) {
  EXPECT_EQ(gpu_index("cpu"), -1);
  EXPECT_EQ(gpu_index("cuda"), 0);
  EXPECT_EQ(gpu_index("cuda:3"), 3);
}

}  // namespace
}  // namespace upbench
