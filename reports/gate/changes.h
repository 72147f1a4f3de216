#pragma once

#include <string>
#include <vector>

#include "reports/gate/side.h"

namespace upbench {

// A leaf of two JSON values that is not the same: "upscale.settings.context". null: it is not there. Elements
// of lists go by their "id" where they have one.
struct Difference {
  std::string where;
  nlohmann::json base, now;
};
std::vector<Difference> differences(const nlohmann::json& base, const nlohmann::json& now);
std::string to_text(
    const Difference& difference);  // "build.flags: -O2 -> -O3"; of hashes the first 12 digits

// What differs between the two sides beside their results, a line each: program, build, libraries, device,
// threads, and of cells with one label their weights and settings.
std::vector<std::string> changes_between(const GateSide& base, const GateSide& now);

// Of the environments; none where a side does not say.
std::vector<Difference> environment_differences(const GateSide& base, const GateSide& now);

// Why times of the two environments cannot be compared; empty: they can.
std::string other_machine(const nlohmann::json& base, const nlohmann::json& now);

}  // namespace upbench
