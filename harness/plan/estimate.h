#pragma once

#include "harness/plan/cells.h"

namespace upbench {

// What one trial costs, its metrics left out where it has no reference.
struct TrialCost {
  double macs = 0;
  double stage_seconds = 0;  // of the pipeline
  double other_seconds = 0;  // decoding, writing, hashing
  double output_megapixels = 0;
  double peak_bytes = 0;
  int tiles = 0;           // of diffusion stages
  double evaluations = 0;  // of diffusion networks
};

// Device memory of a network's activations per input pixel; 0 for what has no layers.
double activation_bytes_per_pixel(double macs_per_pixel, int scale);

// Multiply-accumulates of a stage's networks, an autoencoder included.
double network_macs(const ModelFacts& facts, const StageOutcome& outcome);

TrialCost trial_cost(const PlannedCell& cell, const Pipeline::Pass& pass, PictureSize input,
                     const Rates& rates);

// Of all metrics, per output megapixel.
double metric_seconds_per_megapixel(const std::vector<MetricRow>& metrics, const Rates& rates);

// Extra seconds to measure model time after a trial that took stage_seconds.
double timing_seconds(const TimingSpec& timing, double stage_seconds);

}  // namespace upbench
