#include "reports/gate/artifacts.h"

#include <cmath>

#include <fmt/format.h>

namespace upbench {
namespace {

constexpr std::size_t kWorstShown = 5;
constexpr double kPower = 0.95;

struct Decisions {
  PairedCounts counts;
  std::vector<GateComparison::Picture> appeared;
  std::vector<std::string> lost;  // pictures with a decision in the base and none now
};

std::optional<bool> decision_of(const GateSide::Trial& trial, std::size_t detector) {
  return detector < trial.decisions.size() ? trial.decisions[detector] : std::nullopt;
}

void count(bool before, bool after, PairedCounts& counts) {
  ++(before ? (after ? counts.both : counts.only_before) : after ? counts.only_after : counts.neither);
}

Decisions collect(const GateSide& base, const GateSide& now, Pairing::Pair cell, Pairing::Pair detector,
                  const Pairing& pairing) {
  Decisions decisions;
  for (const auto& picture : pairing.pictures) {
    bool before = false, after = false, lost = false, any = false;
    for_each_seed(base, now, cell, picture,
                  [&](const GateSide::Trial& was, const GateSide::Trial* is, std::uint64_t) {
                    const std::optional<bool> first = decision_of(was, detector.base);
                    if (!first) return;
                    const std::optional<bool> second = is ? decision_of(*is, detector.now) : std::nullopt;
                    any = true;
                    lost = lost || !second;
                    before = before || *first;
                    after = after || second.value_or(false);
                  });
    const std::string& name = base.pictures[picture.base].name;
    if (lost) decisions.lost.push_back(name);
    if (lost || !any) continue;
    count(before, after, decisions.counts);
    if (after && !before && decisions.appeared.size() < kWorstShown) decisions.appeared.push_back({name, 1});
  }
  return decisions;
}

// Why it cannot be told, and what could be: found as a rise by itself, whatever else is compared.
std::string too_few(const PairedCounts& counts, const GatePolicy& policy) {
  const std::size_t n = counts.pictures();
  const double before = static_cast<double>(counts.both + counts.only_before) / static_cast<double>(n);
  const double found = before < 1 ? rate_found(n, before, policy.family_error, kPower) : NAN;
  return std::isnan(found) ? fmt::format("{} pictures are too few to find any rise of a rate", n)
                           : fmt::format("{} pictures find a rise to {:.0f} % or more, not less", n,
                                         std::ceil(100 * found));
}

GateComparison compare_artifact(const GateSide& base, const GateSide& now, Pairing::Pair cell,
                                Pairing::Pair detector, const Pairing& pairing, const GatePolicy& policy) {
  const GateSide::Detector &before = base.detectors[detector.base], &after = now.detectors[detector.now];
  GateComparison comparison{.about = GateComparison::About::artifact,
                            .cell = base.cells[cell.base].label,
                            .metric = "artifact " + before.name,
                            .unit = "rate",
                            .decimals = 3};
  comparison.required = policy.require_artifacts;
  comparison.limits = artifact_limits(policy, before.name);
  if (before.version != after.version || !after.calibrated) {
    comparison.verdict = GateVerdict::not_comparable;
    comparison.reason = after.calibrated
                            ? fmt::format("detector {} is version {} in the base and version {} now",
                                          before.name, before.version, after.version)
                            : fmt::format("detector {} is not calibrated now", before.name);
    return comparison;
  }
  if (before.calibration != after.calibration) {
    comparison.verdict = GateVerdict::not_comparable;
    comparison.reason = fmt::format("thresholds of {} are those of {} in the base and of {} now", before.name,
                                    before.calibration, after.calibration);
    return comparison;
  }
  Decisions decisions = collect(base, now, cell, detector, pairing);
  const PairedCounts& counts = decisions.counts;
  comparison.counts = counts;
  comparison.pictures = counts.pictures();
  comparison.worst = std::move(decisions.appeared);
  if (!decisions.lost.empty()) {
    comparison.reason = fmt::format("of {} of its pictures there is no decision any more, {} first",
                                    decisions.lost.size(), decisions.lost.front());
    return comparison;
  }
  if (comparison.pictures == 0) {
    comparison.required = false;
    return comparison;
  }
  const auto n = static_cast<double>(comparison.pictures);
  comparison.base = static_cast<double>(counts.both + counts.only_before) / n;
  comparison.now = static_cast<double>(counts.both + counts.only_after) / n;
  take(decide_rates(counts, comparison.limits, policy), comparison);
  if (comparison.verdict == GateVerdict::cannot_tell) comparison.reason = too_few(counts, policy);
  return comparison;
}

}  // namespace

std::optional<bool> artifact_of(const GateSide& side, std::size_t cell, std::size_t picture,
                                std::size_t detector) {
  std::optional<bool> any;
  for (auto it = side.trials.lower_bound({cell, picture, 0}); it != side.trials.end(); ++it) {
    if (std::get<0>(it->first) != cell || std::get<1>(it->first) != picture) break;
    if (const auto decision = decision_of(it->second, detector)) any = any.value_or(false) || *decision;
  }
  return any;
}

GateLimits artifact_limits(const GatePolicy& policy, const std::string& detector) {
  const auto found = policy.detectors.find(detector);
  return found == policy.detectors.end() ? policy.artifacts : found->second;
}

std::vector<GateComparison> compare_artifacts(const GateSide& base, const GateSide& now, Pairing::Pair cell,
                                              const Pairing& pairing, const GatePolicy& policy) {
  std::vector<GateComparison> comparisons;
  for (const auto& detector : pairing.detectors) {
    comparisons.push_back(compare_artifact(base, now, cell, detector, pairing, policy));
    const GateComparison& last = comparisons.back();
    const bool nothing = last.pictures == 0 && last.reason.empty();
    if (nothing) comparisons.pop_back();
  }
  return comparisons;
}

}  // namespace upbench
