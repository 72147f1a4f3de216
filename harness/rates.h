#pragma once

#include <string>

#include "harness/plan.h"

namespace upbench {

// What work costs here and now: a convolution like those of the networks is timed on the device, the rest is
// Rates' default. Takes about a tenth of a second.
Rates measure_rates(const std::string& device, int threads);

}  // namespace upbench
