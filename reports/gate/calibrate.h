#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "reports/gate/policy.h"
#include "reports/gate/run_drift.h"
#include "reports/gate/side.h"
#include "reports/statistics/distributions.h"

namespace upbench {

struct GateCalibrationOptions {
  int comparisons = 200;  // A/A
  double power = 0.95, time_power = 0.9;
  int simulations = 200;  // for each change tried
  int resamples = 1000;   // of each comparison, in place of the policy's
  std::uint64_t seed = 1;
};

// What the gate does on a user's own pictures: how often it raises an alarm over nothing, and what it would
// find.
struct GateCalibration {
  int comparisons = 0;
  int false_alarms = 0;  // exit code 1
  int untold = 0;        // exit code 3
  Interval alarm_rate;   // of 95 %, Wilson
  double family_error = 0;
  struct Row {
    std::string cell, metric, unit;
    int decimals = 4;
    std::size_t pictures = 0;  // of the time: samples of a run
    // Standard deviation between two runs of one picture's score; of the time, of a sample relative to its
    // picture's median; of an artifact the share of pictures whose decision changes between two runs.
    double noise = 0;
    double tolerance = 0;
    // The least worsening found with the power asked for: a mean over pictures that differ by as much among
    // themselves (standard deviation = mean); of the time a ratio; of an artifact the rise of its rate from
    // `rate`. NaN: none, as there are too few pictures.
    double smallest = 0;
    double smallest_alike = 0;  // the same where every picture changes by as much; NaN for times, artifacts
    double rate = 0;            // of an artifact, over pictures and repeats
  };
  RunDrift drift;  // of model times from run to run
  std::vector<Row> rows;
  std::vector<std::string> notes;
};

// sides: repeats of one run on one version, at least one. An A/A comparison draws pictures with replacement,
// two of the repeats (of each picture which is the base by chance), and of each trial's timings a sample with
// replacement, scaled as two new runs would drift apart (RunDrift), and is judged by the policy. With one
// repeat scores have no noise, as settings and seeds decide every pixel, and timings only that within a run.
// Throws std::invalid_argument unless all have the same cells, pictures and metrics.
GateCalibration calibrate(const std::vector<GateSide>& sides, const GatePolicy& policy,
                          const GateCalibrationOptions& options = {});

std::string calibration_markdown(const GateCalibration& calibration);
std::string calibration_json(const GateCalibration& calibration);  // schema "upbench-calibration-1"

}  // namespace upbench
