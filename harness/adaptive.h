#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "harness/store.h"
#include "harness/sweep.h"
#include "harness/worker.h"
#include "reports/statistics/race.h"

namespace upbench {

struct AdaptiveOptions {
  std::string metric;      // decides; of the spec
  double margin = 0;       // a difference that does not matter, in the metric's unit
  std::string refine;      // path of an axis with numbers, "degrade.blur.sigma"; empty: none
  double resolution = 0;   // how near to a surviving setting of it its neighbours are tried
  double budget_s = 0;     // wall time, looked at between rounds; 0: none
  std::uint64_t seed = 1;  // of the order of pictures
};

struct AdaptiveResult {
  WorkerResult work;                    // of all rounds together
  std::vector<RaceStanding> standings;  // by cell of the plan
  std::size_t winner = 0;               // cell
  std::size_t pictures = 0;             // that the remaining cells were compared on
  std::uint64_t trials = 0;             // run or known, of work.progress.total
  bool out_of_time = false;
};

// A sweep that answers "which cell is best" without running all of it: cells race over pictures in random
// order (reports/statistics/race.h) and leave when they are shown to gain less than the margin on the leader.
// What is not run is recorded as skipped, with the reason; run_sweep() runs it after all. Started again it
// repeats its decisions from the store and goes on. Throws std::invalid_argument for a metric or axis that
// the spec does not have and where no picture has a reference; else as run_sweep().
AdaptiveResult run_adaptive(const Sweep& sweep, Store& store, const WorkerOptions& worker,
                            const AdaptiveOptions& options);

// What became of the cell, for people: "shown to gain less than 0.05 dB on lanczos: -1.2 after 10 pictures
// (p = 0.001)".
std::string describe_standing(const Sweep& sweep, const AdaptiveOptions& options,
                              const AdaptiveResult& result, std::size_t cell);

}  // namespace upbench
