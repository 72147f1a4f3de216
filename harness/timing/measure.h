#pragma once

#include <atomic>
#include <functional>
#include <string>
#include <vector>

#include "harness/store.h"
#include "harness/sweep.h"

namespace upbench {

struct MeasureOptions {
  // `run --time`: at least 9 samples where the budget allows them, peaks of the device, memory, self-check;
  // the outputs of a picture are measured anew, together, unless all of them were measured by these rules.
  // Otherwise as the spec's `timing` says, and only what was not measured.
  bool thorough = false;
  double budget_s = 60;  // of a thorough measurement, for each output on average
  const std::atomic<bool>* stop = nullptr;
  std::function<void(const std::string& text)> on_progress;
};

struct MeasureResult {
  std::size_t measured = 0;           // outputs, by this call
  std::size_t known = 0;              // that had been measured before
  std::vector<std::string> failures;  // "CELL on PICTURE: what": these have no model time
  std::vector<std::string> flags;     // what makes the times of this call doubtful
  bool interrupted = false;
};

// Model time of finished trials: the first `timing.images` pictures under every cell, when nothing else of
// this process works. The cells of a picture take turns. Nothing is cached; every timed output is held
// against the scored one, and one that differs is a failure and not recorded (last-digit differences that
// come with another number of threads are recorded as such). Throws StoreError.
MeasureResult measure_model_times(const Sweep& sweep, Store& store, const MeasureOptions& options);

}  // namespace upbench
