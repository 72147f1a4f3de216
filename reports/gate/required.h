#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "reports/gate/pairing.h"

// What a policy asks to be there, and what it allows to be lost.
namespace upbench {

// pattern: one or more parts of a cell's label, "upscale.model = lanczos, upscale.tile = *"; every part must
// be one of the label's, * stands for any text, spaces around = do not matter.
bool matches_cell(std::string_view pattern, std::string_view label);
bool matches_any(const std::vector<std::string>& patterns, std::string_view label);

// The base without trials that were ok, are not now, and may be by the policy; cells of which nothing is left
// leave the pairing. What was left out is in result.allowed.
GateSide without_allowed(const GateSide& base, const GateSide& now, const GatePolicy& policy,
                         Pairing& pairing, GateResult& result);

// Trials of the base that were ok and are not any more, to result.failures, and those that are not there or
// not finished, to result.missing.
void note_lost_trials(const GateSide& base, const GateSide& now, const Pairing& pairing, GateResult& result);

// What the policy requires beyond what the base has, or in its place, to result.missing.
void note_required(const GateSide& base, const GateSide& now, const GatePolicy& policy,
                   const Pairing& pairing, GateResult& result);

}  // namespace upbench
