#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "reports/statistics/distributions.h"

// Resampling of pictures. The unit is always the picture: seeds of one picture are averaged first, which is
// the cluster bootstrap of "the mean over pictures".
namespace upbench {

struct BootstrapOptions {
  int resamples = 10'000;
  double confidence = 0.95;
  std::uint64_t seed = 1;
  int threads = 0;  // 0: all. The result does not depend on it
};

struct Estimate {
  double value = 0;
  Interval interval;  // NaN where it has no meaning (fewer than two values)
};

// Draws options.resamples samples with replacement from 0 .. count - 1 and calls visit(number of the
// resample, indices drawn, in any order), from several threads at once unless options.threads is 1; then in
// order.
void for_each_resample(std::size_t count, const BootstrapOptions& options,
                       const std::function<void(std::size_t, std::span<const std::uint32_t>)>& visit);

// The value of a statistic of the indices drawn, on each resample. Called by several threads at once.
std::vector<double> resampled(std::size_t count, const BootstrapOptions& options,
                              const std::function<double(std::span<const std::uint32_t>)>& statistic);

// The interval that bias-corrected, accelerated bootstrap makes of `replicates`, the statistic on the whole
// sample and on the sample without each unit (Efron, Better bootstrap confidence intervals, 1987). Where all
// replicates are equal, both ends are that value.
Interval bca_interval(std::vector<double> replicates, double value, std::span<const double> without_each,
                      double confidence);

// What resampling intervals take instead of the normal quantile z at (1 + confidence) / 2 to cover as often
// as they say for few units: wider by sqrt(n / (n - 1)) and by Student's quantile over the normal one
// (Hesterberg, What teachers should know about the bootstrap, 2015, "expanded percentile"). count >= 2.
double expanded_quantile(std::size_t count, double confidence);
double expanded_confidence(std::size_t count, double confidence);  // at which z is that quantile

// The hull of that interval and of the percentile interval, both at the expanded confidence for `count`
// units: what bootstrap() says. count >= 2.
Interval hull_interval(const std::vector<double>& replicates, double value,
                       std::span<const double> without_each, std::size_t count, double confidence);

enum class Average { mean, median };

// The BCa interval of the mean or median, at the confidence that options say. At least two values.
Interval bca_interval(std::span<const double> values, Average average, const BootstrapOptions& options);

// Mean or median of finite values with its interval: the hull of the BCa and of the percentile interval, both
// at the expanded confidence. BCa alone follows skewed data but covers too rarely where few values have heavy
// tails, because its acceleration is then mostly noise (docs/statistics.md).
Estimate bootstrap(std::span<const double> values, Average average, const BootstrapOptions& options = {});

}  // namespace upbench
