#pragma once

#include <string>

namespace upbench {

// What each tool makes of "denoise" with this many steps and this scheduler: executed steps, start sigma, and
// the timestep the network is asked for there, for denoise 0.05 .. 1; with a sampler on which no tool's
// levels depend. As aligned columns, or as a JSON list. Throws std::invalid_argument for an unknown scheduler
// and steps out of range.
std::string denoise_table(int steps, const std::string& scheduler, bool json);

}  // namespace upbench
