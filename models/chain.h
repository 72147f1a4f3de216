#pragma once

#include <string>
#include <vector>

#include "models/upscaler.h"

namespace upbench {

// Upscalers one after the other; the scale is the product of theirs. Between two of them the picture is
// clamped to [0, 1], as a file would, but not rounded. Its tensor hash is that of the list of its parts'
// names and hashes. Throws std::invalid_argument for fewer than two parts and for one without a scale of its
// own (an interpolator).
UpscalerPtr make_chain(const std::string& name, std::vector<UpscalerPtr> parts);

}  // namespace upbench
