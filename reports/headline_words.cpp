#include "reports/headline_words.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "reports/render/format.h"

namespace upbench {

const char* plural(std::size_t n, const char* one, const char* many) {
  return n == 1 ? one : many;
}

std::string with_unit(const MetricRow& metric, double value) {
  if (std::isinf(value)) return "∞";
  return fixed(value, metric.decimals) + (metric.unit.empty() ? "" : " " + metric.unit);
}

std::string difference_text(const MetricRow& metric, const Estimate& difference) {
  constexpr int kMostDecimals = 6;
  const double size = std::abs(difference.value);
  int decimals = std::min(metric.decimals, kMostDecimals);
  while (size > 0 && decimals < kMostDecimals && size < 2 * std::pow(10.0, -decimals)) ++decimals;
  const std::string unit = metric.unit.empty() ? "" : " " + metric.unit;
  const auto& [low, high] = difference.interval;
  if (!std::isfinite(low) || !std::isfinite(high)) return fixed(difference.value, decimals) + unit;
  return fmt::format("{}{} [{}, {}]", fixed(difference.value, decimals), unit, fixed(low, decimals),
                     fixed(high, decimals));
}

std::string margin_text(const MetricRow& metric, double margin) {
  return fmt::format("{:.2g}{}{}", margin, metric.unit.empty() ? "" : " ", metric.unit);
}

std::string p_text(double p) {
  return p < 0.001 ? "p < 0.001" : fmt::format("p = {}", fixed(p, 3));
}

std::string names(const Analysis& analysis, const std::vector<std::uint32_t>& cells) {
  std::vector<std::string> list;
  for (std::size_t i = 0; i < std::min<std::size_t>(cells.size(), 3); ++i)
    list.push_back(analysis.cells[cells[i]].name);
  if (cells.size() > 3) list.push_back(fmt::format("{} more", cells.size() - 3));
  return fmt::format("{}", fmt::join(list, ", "));
}

}  // namespace upbench
