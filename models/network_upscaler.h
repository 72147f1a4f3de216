#pragma once

#include <string>

#include <c10/core/ScalarType.h>

#include "models/networks/registry.h"
#include "models/upscaler.h"

namespace upbench {

// A network on the CPU in fp32. In half precision its weights and what it computes are half; forward takes
// and gives float32.
UpscalerPtr make_network_upscaler(const std::string& name, LoadedNetwork network);

at::ScalarType dtype_of(Precision precision);

}  // namespace upbench
