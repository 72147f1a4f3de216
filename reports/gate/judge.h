#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "reports/gate/decide.h"
#include "reports/gate/policy.h"
#include "reports/gate/side.h"
#include "reports/statistics/distributions.h"

// Did the last change make it worse?
namespace upbench {

// One metric, the rate of one artifact, or the time or memory, of one cell in both sides.
struct GateComparison {
  enum class About { metric, artifact, time, memory };
  About about = About::metric;
  std::string cell;
  std::string metric;  // as in the spec, or "artifact NAME", "model time" or "peak memory"
  std::string unit;    // "ratio" for time and memory, "rate" of artifacts
  int decimals = 4;
  GateVerdict verdict = GateVerdict::cannot_tell;
  std::string reason;        // of cannot_tell and not_comparable
  std::size_t pictures = 0;  // that both sides scored; of the time: samples of the new side
  double base = 0, now = 0;  // means over these pictures; of the time: medians relative to the base's
                             // of each picture; of memory: bytes, the most of any picture
  std::optional<PairedCounts> counts;  // of an artifact: pictures with it in any of their seeds
  // How much worse the new side is, positive is worse: mean difference; of the time the ratio of medians, of
  // memory that of the most. With its 90 % interval (of memory the number itself): each end is wrong at most
  // once in twenty.
  double worsening = 0;
  Interval interval;
  // One-sided, that there is no change at all; adjusted for all comparisons (Holm). NaN of memory, and of
  // artifacts that too few pictures have on one side only.
  double p = 1, adjusted_p = 1;
  GateLimits limits;
  bool required = true;
  struct Picture {
    std::string name;
    double worsening = 0;
  };
  std::vector<Picture> worst;  // most worsened first, at most 5, worsened ones only
};

// What would explain a regression.
struct GateCause {
  enum class Basis {
    recorded,  // the two sides say so: other weights, settings, inputs, program
    measured,  // the times themselves
    pictures,  // the kept output pictures are consistent with it
    scores     // no pictures: a guess from which metrics moved
  };
  Basis basis = Basis::recorded;
  std::string text;
  std::vector<std::string> cells;  // regressed ones that it would explain
};
std::string_view to_string(GateCause::Basis basis);

struct GateResult {
  std::vector<GateComparison> comparisons;  // by cell in the base's order, then metric
  std::vector<std::string> failures;        // trials that were ok and are not any more, and why
  std::size_t lost = 0;                     // how many these are
  std::vector<std::string> missing;         // what the new side lacks of the base, or of what is required
  std::vector<std::string> allowed;         // missing or lost, and the policy allows it
  std::vector<std::string> added;           // of the new side only: not compared
  std::vector<std::string> changed;         // weights, versions, build, settings that differ
  std::vector<GateCause> causes;            // of what regressed, and
  std::vector<std::string> cause_notes;     // why there are not more: both by name_causes()
  std::size_t count(GateVerdict verdict) const;
};

// Cells pair by label, pictures by name, seeds by number. The worsening interval [low, high] of a metric with
// tolerance t and margin m: regressed low > t; improved high < -t; no worse high < m; else cannot tell.
// Regressed and improved also ask that the adjusted p-value is at most the policy's family_error, so that
// many cells raise no more false alarms than one. Times and memory are compared only between equal
// environments. Throws std::invalid_argument where a picture's reference is not the same in both, or nothing
// pairs.
GateResult judge(const GateSide& base, const GateSide& now, const GatePolicy& policy = {});

void take(const GateDecision& decision, GateComparison& comparison);

// 1: something regressed, or a trial that was ok is not; 3: something required cannot be told or is missing;
// else 0.
int exit_code_of(const GateResult& result);

}  // namespace upbench
