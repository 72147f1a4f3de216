#pragma once

#include <span>

// Figures that describe a list of finite values. NaN where a figure has no value (too few values).
namespace upbench {

double mean(std::span<const double> values);                // NaN for none
double standard_deviation(std::span<const double> values);  // of a sample (n - 1); NaN for fewer than two
// Linear between order statistics (type 7 of Hyndman and Fan, Sample quantiles in statistical packages,
// 1996); p in [0, 1].
double quantile(std::span<const double> values, double p);
double median(std::span<const double> values);
// The same in linear time; reorders the values.
double partial_median(std::span<double> values);

}  // namespace upbench
