#pragma once

#include "reports/gate/judge.h"

namespace upbench {

// Fills causes and cause_notes of a result with what would explain its regressed comparisons, and those that
// are worse by themselves but not told from chance: weights, settings, inputs and program that differ;
// whether all cells got slower, or take more memory, alike; and, where both sides' output pictures are kept,
// which change of the pictures that got worse most (explain_difference) would make the one side of the other.
// Where they are not, what the metrics' pattern suggests. Reads stores and pictures; what cannot be read is a
// note. Nothing to do without regressions.
void name_causes(const GateSide& base, const GateSide& now, GateResult& result);

}  // namespace upbench
