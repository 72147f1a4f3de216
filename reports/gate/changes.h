#pragma once

#include <string>
#include <vector>

#include "reports/gate/side.h"

namespace upbench {

// What differs between the two sides beside their results, a line each: program, build, libraries, device,
// threads, and of cells with one label their weights and settings.
std::vector<std::string> changes_between(const GateSide& base, const GateSide& now);

// Why times of the two environments cannot be compared; empty: they can.
std::string other_machine(const nlohmann::json& base, const nlohmann::json& now);

}  // namespace upbench
