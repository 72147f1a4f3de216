#pragma once

#include <string>

#include <CLI/CLI.hpp>

namespace upbench {

// `upbench plan --rate`: how many pictures it takes to find a rise of an artifact's rate.
struct RatePlanOptions {
  double rate = 0, detect = 0;  // true rates, 0: not asked
  double power = 0.8, alpha = 0.05;
  double sensitivity = 1, specificity = 1;  // of the detector
};
void add_rate_options(CLI::App& command, RatePlanOptions& options);

// Throws std::invalid_argument for rates that cannot be told apart.
std::string describe_rate_plan(const RatePlanOptions& options);

}  // namespace upbench
