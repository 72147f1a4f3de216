#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "harness/kept_outputs.h"
#include "harness/model_cache.h"
#include "harness/store.h"
#include "harness/sweep.h"

namespace upbench {

// Which output pictures stay beside the store. automatic: all when the plan's estimate is at most 2 GB, else
// none.
enum class KeepOutputs { automatic, all, none };

KeepOutputs parse_keep_outputs(const std::string& name);

struct WorkerOptions {
  KeepOutputs keep_outputs = KeepOutputs::automatic;
  bool only_failed = false;                 // queue the run's failed trials again
  const std::vector<bool>* only = nullptr;  // of the plan's trials; nullptr: all
  const std::atomic<bool>* stop = nullptr;  // set from outside: finish the trials in hand, release the rest
  std::function<void(const Progress&, std::uint64_t executed)>
      on_progress;  // from one thread, about ten times a second
  // From the same thread: what limits the results of a cell, once for each cell; and that `verify` has
  // nothing to look at.
  std::function<void(const std::string&)> on_notice = {};
  double seconds_to_finish = 5;  // after `stop`: then trials in hand are abandoned
  ModelLoader load_model = {};   // empty: as the sweep's search finds them
  PictureCheck verify = {};      // of pictures that are kept: a trial whose file it refuses fails
};

struct WorkerResult {
  Progress progress;
  std::uint64_t executed = 0;  // trials finished by this call
  std::uint64_t reused = 0;    // of these: from outputs that the store had
  std::uint64_t stages = 0;    // stage executions; 0: everything was in the store
  std::uint64_t model_loads = 0;
  double seconds = 0;
  bool interrupted = false;
  bool abandoned = false;  // a trial did not end in time: its thread still runs, so leave by _exit
};

// Works on the sweep's queue until it is empty: a worker inside this process, one for each device that the
// sweep names. Decoding, loading, computing, scoring and writing of different trials overlap
// (StagedExecutor), on no more than the sweep's threads at a time. Throws StoreError when the store cannot be
// written and DeviceError when a device is lost; what is finished is then durable, what is not is queued
// again.
//
// A worker whose device is lost ends; the others go on with what it had not finished. Trials whose own step
// failed with the device have used up one of kMostAttempts (Store::lose_attempt). They are tried again when
// everything else is done, on a device that still works or when the sweep is started again, one at a time
// with nothing beside them: the next loss is then theirs alone, and hinders no other trial.
WorkerResult run_sweep(const Sweep& sweep, Store& store, const WorkerOptions& options);

// How trials are spread: `trials` computed side by side with `operators` threads each; their product never
// exceeds the sweep's threads. Pictures whose trials fit into half of the memory together run side by side on
// one thread each: operators on several threads wait for each other at every layer. Larger ones run alone on
// all threads. On a GPU one trial computes while others are decoded, scored and written.
struct Parallelism {
  int trials = 1;
  int operators = 1;
};
Parallelism choose_parallelism(const Sweep& sweep);

}  // namespace upbench
