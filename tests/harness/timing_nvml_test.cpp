#include "harness/timing/nvml.h"

#include <cstdlib>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "harness/timing/energy.h"
#include "harness/timing/session.h"

namespace upbench {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

// Each test sees the GPUs of fake_nvml.cpp.
class NvmlTest : public ::testing::Test {
 protected:
  void SetUp() override { setenv("UPBENCH_NVML", UPBENCH_FAKE_NVML, 1); }
  void TearDown() override {
    for (const char* name : {"UPBENCH_NVML", "FAKE_NVML", "CUDA_VISIBLE_DEVICES"}) unsetenv(name);
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
  EXPECT_EQ(reading.processes, 1);
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

TEST_F(NvmlTest, AQuietGpuRaisesNoFlag) {
  const GpuReading reading = Nvml::open(0)->read();
  EXPECT_THAT(gpu_flags({reading, reading}), IsEmpty());
}

TEST_F(NvmlTest, ThrottlingAndCompanyAreFlagged) {
  say("throttled shared");
  EXPECT_THAT(gpu_flags({Nvml::open(0)->read()}),
              ElementsAre("the GPU's clock was held down by: heat, power limit",
                          "other processes computed on the GPU"));
  GpuReading slow, fast;
  slow.clock_mhz = 1000;
  fast.clock_mhz = 1980;
  EXPECT_THAT(gpu_flags({fast, slow}), ElementsAre("the GPU's clock moved between 1000 and 1980 MHz"));
}

TEST_F(NvmlTest, WarnsBeforeWork) {
  say("capped hot");
  EXPECT_THAT(gpu_warnings(Nvml::open(0)->read()),
              ElementsAre("the GPU's power limit is 400 W, its default 700 W", "the GPU is at 90 degrees",
                          "1 processes compute on the GPU"));
}

TEST_F(NvmlTest, ASessionOnAGpuKeepsWhatItSaw) {
  TimingSession session("cuda:1");
  session.read();
  const nlohmann::json facts = session.facts();
  EXPECT_EQ(facts["gpu"]["clock_mhz"].dump(), "[1410.0,1410.0]");
  EXPECT_EQ(facts["gpu"]["power_limit_w"], 700);
  EXPECT_TRUE(facts["flags"].is_array());
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
