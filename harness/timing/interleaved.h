#pragma once

#include <atomic>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "harness/timing/nvml.h"

namespace upbench {

// One execution of something that is timed.
struct Lap {
  double seconds = 0;                                  // device synchronised before and after
  std::vector<std::pair<std::string, double>> stages;  // seconds of its parts, in order
  double joules = 0;                                   // meaningful where the subject has an energy meter
  std::vector<std::string> slowed_by = {};  // what held the device's clock down meanwhile; empty: nothing
  std::optional<GpuReading> gpu = {};       // read_clock() when it ended, where there is a GPU that tells
};

class TimingSubject {
 public:
  virtual ~TimingSubject() = default;
  // variant 0: the picture itself. Others: pictures of the same size and kind, each with its own pixels.
  virtual Lap run(int variant) = 0;
};

struct TimingRules {
  int samples = 9;       // of each subject
  double budget_s = 60;  // of laps for each subject on average, warm-up included; one sample is always taken
  int most_warm_ups = 30;  // laps
  int repeat_checks = 0;   // rounds of the self-check, as far as the budget reaches; 0: none
  int most_discarded = 9;  // laps of each subject, from 1
};

struct SubjectTimes {
  std::vector<double> warm_up;  // seconds, thrown away
  bool steady = false;          // the warm-up ended with three laps within 2 % of their middle one
  std::vector<Lap> samples;     // in order of time
  // Laps during which the device's clock was held down: no samples, others were taken in their place.
  std::vector<Lap> discarded;
  bool slowed = false;  // every lap was such: they are the samples, and none is discarded
  // Self-check: a lap right after one of the same picture, and a lap on a picture that was not seen before.
  std::vector<double> repeated, distinct;
  std::string failure;  // what the subject threw; it was not run again
};

// Warms every subject up, one after the other, then takes samples in turns: A B C A B C ..., so that a drift
// of the machine reaches all of them alike. A warm-up lap that exceeds the budget is the subject's only
// sample. A lap that was slowed (Lap::slowed_by) is discarded and counted, and the subject takes another
// turn, up to most_discarded of them and as far as the budget reaches. `stop`: no lap begins after it is set;
// the times are then incomplete.
std::vector<SubjectTimes> time_interleaved(const std::vector<TimingSubject*>& subjects,
                                           const TimingRules& rules, const std::atomic<bool>* stop = nullptr);

// median(repeated) / median(distinct); NaN where the check was not made.
double repeat_ratio(const SubjectTimes& times);

// Whether something keeps results of pictures, so that the time is not that of the work: the ratio is below
// 0.9 (MLPerf's compliance TEST04 allows 10 %), and a repeated lap is the shorter one in 24 of 25 pairs with
// a distinct one, which noise alone does once in 126 times (Mann-Whitney, 5 laps of each). Of fewer than 3
// laps there is no verdict.
bool remembers_pictures(const SubjectTimes& times);

}  // namespace upbench
