#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "reports/gate/judge.h"
#include "reports/gate/pairing.h"

namespace upbench {

// Did an artifact become more frequent in this cell? One comparison for each detector that is calibrated on
// both sides. The unit is the picture, which has an artifact where any of its seeds has it; pictures of which
// a side has no decision for a seed count as lost. Detectors without a decision in the base are left out.
std::vector<GateComparison> compare_artifacts(const GateSide& base, const GateSide& now, Pairing::Pair cell,
                                              const Pairing& pairing, const GatePolicy& policy);

// Whether a picture has the artifact in any of its seeds; none: no decision.
std::optional<bool> artifact_of(const GateSide& side, std::size_t cell, std::size_t picture,
                                std::size_t detector);

// The policy's limits for a detector's rate.
GateLimits artifact_limits(const GatePolicy& policy, const std::string& detector);

}  // namespace upbench
