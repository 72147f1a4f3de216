#pragma once

#include <string>

#include "reports/gate/judge.h"

// The verdict as what CI services show beside a change. Nothing here needs a network.
namespace upbench {

// Workflow commands for standard output of a GitHub Actions step, a line each: ::error for what regressed or
// was lost, ::warning for what is required and cannot be told or is missing. A step shows ten of a kind; the
// tenth says how many more there are.
std::string github_annotations(const GateResult& result);

// GitLab's code quality report (a JSON list): one issue for each of the same. `path`: the file that they are
// shown at, relative to the repository; a saved baseline is a good one.
std::string code_quality_json(const GateResult& result, const std::string& path);

// "upbench | no regression" as a picture that loads nothing.
std::string verdict_badge(const GateResult& result);

}  // namespace upbench
