#include "harness/timing/sample_statistics.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>

namespace upbench {
namespace {

constexpr std::size_t kResamples = 10'000;
constexpr double kTail = 0.025;

// The distributions of the standard library differ between implementations; this does not. The bias of n /
// 2^32 is far below what 10 000 resamples resolve.
std::size_t below(std::mt19937_64& random, std::size_t n) {
  return static_cast<std::size_t>(((random() >> 32) * n) >> 32);
}

}  // namespace

double sample_median(std::vector<double> samples) {
  if (samples.empty()) return std::numeric_limits<double>::quiet_NaN();
  const auto middle = samples.begin() + static_cast<std::ptrdiff_t>(samples.size() / 2);
  std::nth_element(samples.begin(), middle, samples.end());
  if (samples.size() % 2 == 1) return *middle;
  return (*std::max_element(samples.begin(), middle) + *middle) / 2;
}

SampleSummary summarize_samples(const std::vector<double>& samples, std::uint64_t seed) {
  SampleSummary summary;
  summary.median = summary.mad = summary.low = summary.high = sample_median(samples);
  if (samples.empty()) return summary;
  std::vector<double> deviations;
  for (const double sample : samples) deviations.push_back(std::abs(sample - summary.median));
  summary.mad = sample_median(std::move(deviations));

  std::mt19937_64 random(seed);
  std::vector<double> medians, resample(samples.size());
  for (std::size_t i = 0; i < kResamples; ++i) {
    for (double& value : resample) value = samples[below(random, samples.size())];
    medians.push_back(sample_median(resample));
  }
  std::sort(medians.begin(), medians.end());
  const auto tail = static_cast<std::size_t>(kTail * kResamples);
  summary.low = medians[tail];
  summary.high = medians[kResamples - 1 - tail];
  return summary;
}

}  // namespace upbench
