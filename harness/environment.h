#pragma once

#include "harness/device.h"
#include "harness/device_runtime.h"
#include "harness/record.h"

namespace upbench {

// The program's version and the commit it was built from ("0.1.0 (1a2b3c4d, modified)").
std::string program_version();

// Everything about machine, build and LibTorch's switches that may change a number: stored once a run.
// settings: those that the run will apply.
EnvironmentRow describe_environment(const DeviceInfo& device, int threads,
                                    const DeviceSettings& settings = settings_in_force());

}  // namespace upbench
