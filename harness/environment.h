#pragma once

#include "harness/device.h"
#include "harness/record.h"

namespace upbench {

// The program's version and the commit it was built from ("0.1.0 (1a2b3c4d, modified)").
std::string program_version();

// Everything about machine and build that may change a number: stored once a run.
EnvironmentRow describe_environment(const DeviceInfo& device, int threads);

}  // namespace upbench
