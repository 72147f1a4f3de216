#pragma once

#include <string>
#include <vector>

#include "models/networks/registry.h"

namespace upbench {

struct BlendPart {
  std::string name;
  LoadedNetwork network;
  double weight = 0;
};

// The network whose weights are the weighted average of the parts' (in double, kept as fp32): Real-ESRGAN's
// denoise strength, model interpolation. All parts have one architecture and the same shapes, and the weights
// sum to 1 (one may be negative: extrapolation). Its hash is that of the list of its parts' hashes and
// weights. Throws std::invalid_argument naming the part that does not fit.
LoadedNetwork blend(const std::string& name, const std::vector<BlendPart>& parts);

}  // namespace upbench
