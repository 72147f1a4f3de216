#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

// What of the machine spoils a measurement, read from /proc and /sys. A fact that the system does not tell is
// absent. `root` is "/" but in tests.
namespace upbench {

// One moment; counters since some start.
struct MachineReading {
  double seconds = 0;                      // steady clock
  std::optional<double> busy_s;            // processor time of all processes (/proc/stat)
  std::optional<double> stolen_s;          // that the hypervisor gave to others
  double own_s = 0;                        // processor time of this process
  std::optional<double> load;              // runnable threads, mean of a minute (/proc/loadavg)
  std::optional<double> clock_mhz;         // mean over the processors
  std::optional<std::uint64_t> throttles;  // times that a core was slowed for its temperature
};
MachineReading read_machine(const std::filesystem::path& root = "/");
// MachineReading::throttles alone.
std::optional<std::uint64_t> count_throttles(const std::filesystem::path& root = "/");

// From the first reading to the last.
struct Steadiness {
  std::optional<double> other_processors;  // that other processes kept busy on average
  std::optional<double> stolen_share;      // of the wall time of one processor
  std::optional<double> least_mhz, greatest_mhz;
  std::optional<std::uint64_t> throttles;
  std::vector<std::string> flags;  // what makes the times doubtful, as sentences; empty: nothing was seen
};
Steadiness judge_steadiness(const std::vector<MachineReading>& readings);

// Microjoule counters of the processor packages (Intel RAPL, also of AMD processors). They count everything
// that the packages do, idling and other processes included.
class PackageEnergy {
 public:
  explicit PackageEnergy(const std::filesystem::path& root = "/");
  bool readable() const { return !packages_.empty(); }
  // Joules since construction, wrap-around of the counters undone; call it at least once a wrap (about a
  // minute at 4 kW).
  double joules();

 private:
  struct Package {
    std::filesystem::path file;
    std::uint64_t last = 0, range = 0;  // uJ
  };
  std::vector<Package> packages_;
  double joules_ = 0;
};

// Settings of the machine that make times slower or less repeatable than they could be, as sentences.
std::vector<std::string> machine_warnings(int threads, const std::filesystem::path& root = "/");
// Of this program: a build without optimisation or with sanitizers.
std::vector<std::string> build_warnings();

}  // namespace upbench
