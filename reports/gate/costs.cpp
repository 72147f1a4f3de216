#include "reports/gate/costs.h"

#include <algorithm>
#include <string>

#include <fmt/format.h>

#include "reports/gate/changes.h"
#include "reports/statistics/descriptive.h"

namespace upbench {
namespace {

// All samples of a cell: each relative to its picture's median in the base, so that pictures of different
// sizes pool.
struct Times {
  std::vector<double> base, now;
};

Times collect_times(const GateSide& base, const GateSide& now, Pairing::Pair cell, const Pairing& pairing) {
  Times times;
  for (const auto& picture : pairing.pictures)
    for_each_seed(base, now, cell, picture,
                  [&](const GateSide::Trial& was, const GateSide::Trial* is, std::uint64_t) {
                    if (!is || was.model_seconds.empty() || is->model_seconds.empty()) return;
                    const double unit = median(was.model_seconds);
                    for (const double seconds : was.model_seconds) times.base.push_back(seconds / unit);
                    for (const double seconds : is->model_seconds) times.now.push_back(seconds / unit);
                  });
  return times;
}

GateComparison compare_time(const Times& times, const GatePolicy& policy) {
  GateComparison comparison{
      .about = GateComparison::About::time, .metric = "model time", .unit = "ratio", .decimals = 3};
  comparison.pictures = times.now.size();
  comparison.base = median(times.base);
  comparison.now = median(times.now);
  comparison.limits = policy.time;
  comparison.required = policy.require_time;
  if (times.base.empty()) {
    comparison.reason = "a side has no model times of it, which `upbench run --time` takes";
    return comparison;
  }
  take(decide_times(times.base, times.now, policy), comparison);
  if (std::min(times.base.size(), times.now.size()) < kLeastTimes)
    comparison.reason = fmt::format("fewer than {} samples on a side", kLeastTimes);
  return comparison;
}

// The most of any picture, among those that both sides know it of.
struct Peaks {
  std::size_t pictures = 0;
  std::uint64_t base = 0, now = 0;
};

Peaks collect_peaks(const GateSide& base, const GateSide& now, Pairing::Pair cell, const Pairing& pairing) {
  Peaks peaks;
  for (const auto& picture : pairing.pictures) {
    bool known = false;
    for_each_seed(base, now, cell, picture,
                  [&](const GateSide::Trial& was, const GateSide::Trial* is, std::uint64_t) {
                    if (!is || was.peak_bytes == 0 || is->peak_bytes == 0) return;
                    known = true;
                    peaks.base = std::max(peaks.base, was.peak_bytes);
                    peaks.now = std::max(peaks.now, is->peak_bytes);
                  });
    peaks.pictures += known ? 1 : 0;
  }
  return peaks;
}

GateComparison compare_memory(const Peaks& peaks, const GatePolicy& policy) {
  GateComparison comparison{
      .about = GateComparison::About::memory, .metric = "peak memory", .unit = "ratio", .decimals = 3};
  comparison.pictures = peaks.pictures;
  comparison.base = static_cast<double>(peaks.base);
  comparison.now = static_cast<double>(peaks.now);
  comparison.limits = policy.memory;
  comparison.required = policy.require_memory;
  if (peaks.pictures == 0)
    comparison.reason = "a side does not know its peak memory, which `upbench run --time` measures";
  else
    take(decide_memory(comparison.base, comparison.now, policy), comparison);
  return comparison;
}

}  // namespace

std::vector<GateComparison> compare_costs(const GateSide& base, const GateSide& now, Pairing::Pair cell,
                                          const Pairing& pairing, const GatePolicy& policy) {
  if (ok_pictures(base, now, cell, pairing) == 0) return {};
  std::vector<GateComparison> costs{compare_time(collect_times(base, now, cell, pairing), policy),
                                    compare_memory(collect_peaks(base, now, cell, pairing), policy)};
  std::erase_if(costs, [](const GateComparison& cost) { return cost.pictures == 0 && !cost.required; });
  const std::string other = other_machine(base.environment, now.environment);
  for (GateComparison& cost : costs) {
    cost.cell = base.cells[cell.base].label;
    if (other.empty() || cost.pictures == 0) continue;
    cost.verdict = GateVerdict::not_comparable;
    cost.reason = other;
  }
  return costs;
}

}  // namespace upbench
