#include "harness/timing/sample_statistics.h"

#include <algorithm>
#include <cmath>

#include "reports/statistics/bootstrap.h"
#include "reports/statistics/descriptive.h"

namespace upbench {
namespace {

constexpr int kResamples = 10'000;
constexpr double kTail = 0.025;

}  // namespace

double sample_median(std::vector<double> samples) {
  return partial_median(samples);
}

SampleSummary summarize_samples(const std::vector<double>& samples, std::uint64_t seed) {
  SampleSummary summary;
  summary.median = summary.mad = summary.low = summary.high = sample_median(samples);
  if (samples.empty()) return summary;
  std::vector<double> deviations;
  for (const double sample : samples) deviations.push_back(std::abs(sample - summary.median));
  summary.mad = sample_median(std::move(deviations));

  const BootstrapOptions options{.resamples = kResamples, .seed = seed, .threads = 1};
  std::vector<double> medians = resampled(samples.size(), options, [&](std::span<const std::uint32_t> drawn) {
    std::vector<double> resample;
    for (const std::uint32_t i : drawn) resample.push_back(samples[i]);
    return partial_median(resample);
  });
  std::ranges::sort(medians);
  const auto tail = static_cast<std::size_t>(kTail * kResamples);
  summary.low = medians[tail];
  summary.high = medians[kResamples - 1 - tail];
  return summary;
}

}  // namespace upbench
