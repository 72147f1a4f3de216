#pragma once

#include <string>

namespace upbench {

// What each tool makes of "denoise" with this many steps and this scheduler: executed steps, start sigma,
// start timestep, for denoise 0.05 .. 1. As aligned columns, or as a JSON list. Throws std::invalid_argument
// for an unknown scheduler and steps out of range.
std::string denoise_table(int steps, const std::string& scheduler, bool json);

}  // namespace upbench
