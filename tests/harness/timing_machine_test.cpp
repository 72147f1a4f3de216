#include "harness/timing/machine.h"

#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "harness/timing/energy.h"
#include "harness/timing/session.h"
#include "tests/support/assets.h"

namespace upbench {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// A /proc and /sys of the test's own making.
class MachineTest : public ::testing::Test {
 protected:
  void put(const std::string& file, const std::string& text) {
    const std::filesystem::path path = root() / file;
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path) << text;
  }
  std::filesystem::path root() const { return folder_.path(); }

  test::TemporaryFolder folder_;
};

MachineReading reading(double seconds, double busy, double own, double stolen = 0) {
  return {.seconds = seconds, .busy_s = busy, .stolen_s = stolen, .own_s = own};
}

TEST_F(MachineTest, ReadsTicksLoadClockAndThrottling) {
  put("proc/stat", "cpu  100 20 30 4000 5 6 7 80 0 0\ncpu0 1 1 1 1 1 1 1 1 0 0\n");
  put("proc/loadavg", "1.50 1.00 0.50 1/100 4242\n");
  put("sys/devices/system/cpu/cpu0/cpufreq/scaling_cur_freq", "2000000\n");
  put("sys/devices/system/cpu/cpu1/cpufreq/scaling_cur_freq", "3000000\n");
  put("sys/devices/system/cpu/cpu0/thermal_throttle/core_throttle_count", "2\n");
  put("sys/devices/system/cpu/cpu1/thermal_throttle/core_throttle_count", "3\n");
  put("sys/devices/system/cpu/cpufreq/boost", "1\n");  // no processor's folder
  const MachineReading now = read_machine(root());
  EXPECT_NEAR(*now.busy_s, 1.63, 1e-9);  // 163 ticks of 10 ms, the tick of Linux
  EXPECT_NEAR(*now.stolen_s, 0.80, 1e-9);
  EXPECT_EQ(now.load, 1.5);
  EXPECT_EQ(now.clock_mhz, 2500);
  EXPECT_EQ(now.throttles, 5u);
}

TEST_F(MachineTest, TakesTheClockFromCpuinfoWhereTheKernelGovernsNone) {
  put("proc/cpuinfo", "processor : 0\ncpu MHz\t\t: 2600.5\nprocessor : 1\ncpu MHz\t\t: 2599.5\n");
  EXPECT_EQ(read_machine(root()).clock_mhz, 2600);
}

TEST_F(MachineTest, WhatIsNotThereIsAbsent) {
  const MachineReading now = read_machine(root());
  EXPECT_FALSE(now.busy_s || now.stolen_s || now.load || now.clock_mhz || now.throttles);
  EXPECT_THAT(judge_steadiness({now, now}).flags, IsEmpty());
  EXPECT_THAT(machine_warnings(2, root()), IsEmpty());
  EXPECT_FALSE(PackageEnergy(root()).readable());
}

TEST_F(MachineTest, GarbageIsAbsentToo) {
  put("proc/stat", "intr 1 2 3\n");
  put("proc/loadavg", "much\n");
  put("proc/cpuinfo", "cpu MHz\n");
  put("sys/fs/cgroup/cpu.max", "x y\n");
  const MachineReading now = read_machine(root());
  EXPECT_FALSE(now.busy_s || now.load || now.clock_mhz);
  EXPECT_THAT(machine_warnings(2, root()), IsEmpty());
}

TEST(Steadiness, OtherProcessesAreWhatIsBusyWithoutUs) {
  const Steadiness alone = judge_steadiness({reading(0, 100, 10), reading(10, 119.5, 29)});
  EXPECT_NEAR(*alone.other_processors, 0.05, 1e-12);
  EXPECT_THAT(alone.flags, IsEmpty());
  const Steadiness loaded = judge_steadiness({reading(0, 100, 10), reading(10, 115, 20)});
  EXPECT_EQ(loaded.other_processors, 0.5);
  EXPECT_THAT(loaded.flags, ElementsAre("other processes kept 0.5 processors busy"));
}

TEST(Steadiness, StolenTimeIsFlagged) {
  EXPECT_THAT(judge_steadiness({reading(0, 0, 0, 1), reading(10, 10, 10, 2)}).flags,
              ElementsAre("the hypervisor took 10 % of a processor"));
}

TEST(Steadiness, AMovingClockAndThrottlingAreFlagged) {
  MachineReading first = reading(0, 0, 0), middle = reading(1, 1, 1), last = reading(2, 2, 2);
  first.clock_mhz = 3000;
  middle.clock_mhz = 2000;
  last.clock_mhz = 3000;
  first.throttles = 4;
  last.throttles = 6;
  EXPECT_THAT(judge_steadiness({first, middle, last}).flags,
              ElementsAre("the processor clock moved between 2000 and 3000 MHz",
                          "the processor was slowed for its temperature 2 times"));
}

TEST_F(MachineTest, WarnsOfSettingsThatSpoilTimes) {
  put("proc/loadavg", "3.20 1.00 0.50 1/100 4242\n");
  put("sys/devices/system/cpu/cpu0/cpufreq/scaling_governor", "powersave\n");
  put("sys/devices/system/cpu/cpufreq/boost", "1\n");
  put("sys/devices/system/cpu/cpu0/topology/thread_siblings_list", "0-1\n");
  put("sys/devices/system/cpu/cpu1/topology/thread_siblings_list", "0-1\n");
  put("sys/fs/cgroup/cpu.max", "150000 100000\n");
  const auto warnings = machine_warnings(2, root());
  EXPECT_EQ(warnings.size(), 5u);
  for (const char* word :
       {"3.2 threads", "powersave", "turbo", "2 threads on 1 physical cores", "1.5 processors"})
    EXPECT_THAT(warnings, Contains(HasSubstr(word)));
  EXPECT_THAT(machine_warnings(1, root()), Contains(HasSubstr("one processor")));
}

TEST_F(MachineTest, ALapDuringWhichAProcessorWasSlowedSaysSo) {
  const std::string file = "sys/devices/system/cpu/cpu0/thermal_throttle/core_throttle_count";
  put(file, "2\n");
  TimingSession session("cpu", root());
  Lap lap;
  session.begin_lap();
  session.end_lap(lap);
  EXPECT_THAT(lap.slowed_by, IsEmpty());
  session.begin_lap();
  put(file, "3\n");
  session.end_lap(lap);
  EXPECT_THAT(lap.slowed_by, ElementsAre("heat"));
  session.begin_lap();
  session.end_lap(lap);
  EXPECT_THAT(lap.slowed_by, IsEmpty());
}

TEST_F(MachineTest, EnergyOfPackagesAddsUpAndSurvivesAWrap) {
  const std::string folder = "sys/class/powercap/";
  for (const char* package : {"intel-rapl:0", "intel-rapl:1"})
    put(folder + package + "/max_energy_range_uj", "10000000\n");
  put(folder + "intel-rapl:0/energy_uj", "9000000\n");
  put(folder + "intel-rapl:1/energy_uj", "1000000\n");
  put(folder + "intel-rapl:0:0/energy_uj", "5\n");  // part of package 0
  put(folder + "intel-rapl:0:0/max_energy_range_uj", "10000000\n");
  EnergyMeter meter("cpu", nullptr, root());
  EXPECT_EQ(meter.source(), "processor packages (RAPL)");
  put(folder + "intel-rapl:0/energy_uj", "9500000\n");
  EXPECT_NEAR(meter.joules(), 0.5, 1e-12);  // a millionth is no double
  put(folder + "intel-rapl:0/energy_uj", "500000\n");
  put(folder + "intel-rapl:1/energy_uj", "3000000\n");
  EXPECT_NEAR(meter.joules(), 3.5, 1e-12);
}

TEST_F(MachineTest, WithoutCountersThereIsNoEnergy) {
  EnergyMeter meter("cpu", nullptr, root());
  EXPECT_EQ(meter.source(), "");
  EXPECT_EQ(meter.joules(), 0);
}

}  // namespace
}  // namespace upbench
