#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "reports/axes.h"
#include "reports/run_data.h"

// RunData -> figures per cell. All comparisons are paired by picture; seeds of a picture are averaged first,
// so n counts pictures.
namespace upbench {

// One metric of one cell.
struct MetricFigures {
  std::vector<double>
      of_picture;               // mean over seeds; +inf: identical to the reference; NaN: a seed has no score
  std::size_t scored = 0;       // pictures with a finite value
  std::size_t infinite = 0;     // left out of mean and spread
  double mean = 0, spread = 0;  // over the finite ones; all infinite: mean is +inf. NaN: none
  // Every picture that any cell scored is finite here, or every one infinite. Means of other cells rest on
  // other pictures, so they are shown but never called best.
  bool comparable = false;
};

struct CellFigures {
  std::string name;
  std::size_t ok = 0, failed = 0, skipped = 0, pending = 0;  // trials
  std::size_t repeats = 0;                                   // trials that repeat another (same_as)
  double model_seconds = 0, sweep_seconds = 0;               // median over pictures; NaN: not measured
  std::size_t model_timed = 0;                               // pictures behind model_seconds
  std::uint64_t peak_bytes = 0;                              // highest
  std::vector<MetricFigures> metrics;
};

struct Analysis {
  const RunData* data = nullptr;  // outlives the analysis
  std::vector<ReportAxis> axes;
  std::vector<std::size_t> naming;  // axes that tell cells apart
  std::vector<CellFigures> cells;
  std::vector<std::uint32_t>
      ranking;  // cells by the first metric's mean: comparable ones, others, those without a score
  // Of each trial: the first trial of another cell that computed the same 8-bit output of the same picture by
  // itself, though its settings differ; kNoTrial: none. Repeats (same_as) are expected and do not count.
  std::vector<std::uint32_t> same_pixels;

  const MetricRow& metric(std::size_t m) const { return data->plan.metrics[m]; }
  // Metric m is an artifact detector with decisions.
  bool detects(std::size_t m) const { return data->calibrated_by.contains(metric(m).name); }
  // Those that are none, or all where there are no others.
  std::vector<std::size_t> quality_metrics() const;
  // Is `a` better than `b` under metric m; false for NaN.
  bool better(std::size_t m, double a, double b) const { return metric(m).higher_is_better ? a > b : a < b; }
};

Analysis analyse(const RunData& data);

// The clock that cells are compared by: model time where any cell has it, else sweep time.
class CellTimes {
 public:
  explicit CellTimes(const Analysis& analysis);
  double operator()(std::uint32_t cell) const;  // seconds a picture; NaN: not measured
  bool is_model() const { return is_model_; }
  const char* clock() const { return is_model_ ? "model" : "sweep"; }

 private:
  const Analysis& analysis_;
  bool is_model_ = false;
};

// Differences b - a over the pictures finite in both.
std::vector<double> paired_differences(const MetricFigures& a, const MetricFigures& b);

}  // namespace upbench
