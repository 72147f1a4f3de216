#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "reports/analysis.h"
#include "reports/statistics/bootstrap.h"

// Words that findings and warnings share.
namespace upbench {

const char* plural(std::size_t n, const char* one = "", const char* many = "s");
std::string with_unit(const MetricRow& metric, double value);  // "30.92 dB", "∞"
// Of a difference >= 0, with digits enough to see it: "2.78 dB [2.10, 3.60]", "0.0002 dB [-0.0010, 0.0014]".
std::string difference_text(const MetricRow& metric, const Estimate& difference);
std::string margin_text(const MetricRow& metric, double margin);  // "0.05 dB"
std::string p_text(double p);                                     // "p = 0.004", "p < 0.001"
// "A, B, C, 4 more"
std::string names(const Analysis& analysis, const std::vector<std::uint32_t>& cells);

}  // namespace upbench
