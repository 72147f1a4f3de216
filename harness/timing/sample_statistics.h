#pragma once

#include <cstdint>
#include <vector>

namespace upbench {

// Of the samples of one measurement, in their unit; NaN for no samples.
struct SampleSummary {
  double median = 0;
  double mad = 0;            // median of the absolute deviations from the median; not scaled to a deviation
  double low = 0, high = 0;  // 95 % percentile bootstrap interval of the median
};

// Of an even number of samples the mean of the middle two.
double sample_median(std::vector<double> samples);

// The same samples and seed give the same interval on every machine (Efron's percentile method, 10 000
// resamples).
SampleSummary summarize_samples(const std::vector<double>& samples, std::uint64_t seed = 0);

}  // namespace upbench
