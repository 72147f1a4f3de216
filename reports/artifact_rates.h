#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "reports/analysis.h"
#include "reports/headline.h"
#include "reports/statistics/corrected_rate.h"
#include "reports/statistics/distributions.h"
#include "reports/table.h"

// How many pictures have an artifact, from the decisions of the detectors. A picture has it where any of its
// seeds has it, and counts where all of its finished seeds have a decision.
namespace upbench {

struct ArtifactRate {
  std::size_t cell = 0;
  std::string artifact;       // the detector; kAnyArtifact: of those that gate
  std::string picture_class;  // empty: all pictures
  bool gates = false;         // its threshold is calibrated
  std::size_t flagged = 0, pictures = 0;
  Interval interval{};  // Wilson's
  double at_most = 0;   // one-sided, 95 %
  // With the sensitivity and specificity of the calibration; none: not known.
  std::optional<double> corrected = {};
  Interval corrected_interval{};
};
inline constexpr const char* kAnyArtifact = "any artifact";

// Cells in the order of the run; of each the union first, then detectors, then both by class where there are
// classes. Nothing where no detector decided.
std::vector<ArtifactRate> artifact_rates(const Analysis& analysis);

Table artifact_rates_table(const Analysis& analysis);
Table artifact_classes_table(const Analysis& analysis);
// Two cells on the same pictures, any artifact: McNemar's exact test, with Holm over all pairs.
Table artifact_pairs_table(const Analysis& analysis);

std::vector<Sentence> artifact_findings(const Analysis& analysis);
std::vector<Sentence> artifact_warnings(const Analysis& analysis);

}  // namespace upbench
