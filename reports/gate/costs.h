#pragma once

#include <vector>

#include "reports/gate/pairing.h"

namespace upbench {

// Model time and peak memory of a cell, each where both sides have it or the policy requires it. Not
// comparable between unequal environments.
std::vector<GateComparison> compare_costs(const GateSide& base, const GateSide& now, Pairing::Pair cell,
                                          const Pairing& pairing, const GatePolicy& policy);

}  // namespace upbench
