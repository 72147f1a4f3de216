#pragma once

#include <string>

#include "reports/gate/judge.h"

namespace upbench {

// "2 regressed, 1 cannot tell, 9 no worse" with what decides first.
std::string verdict_line(const GateResult& result);

// "worse by +0.12 dB [+0.08, +0.15] (tolerance 0.01), 30.12 -> 30.00 over 20 pictures", and the reason.
std::string described(const GateComparison& comparison);

// What would explain a regressed cell; empty: nothing that is known.
std::string causes_of(const GateResult& result, const std::string& cell);

// For a pull request or a step summary: verdict, what got worse with its worst pictures, what cannot be told
// and why, what changed beside the results; everything else folded away.
std::string verdict_markdown(const GateResult& result);

// One test case a comparison, for CI: "regressed" and lost trials are failures; what is required and cannot
// be told is an error; not required, skipped.
std::string verdict_junit(const GateResult& result);

// Schema "upbench-verdict-1".
std::string verdict_json(const GateResult& result);

}  // namespace upbench
