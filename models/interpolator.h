#pragma once

#include <string>
#include <string_view>

#include "models/upscaler.h"

namespace upbench {

// "nearest": repeats pixels. The null model: what a sweep of it costs is what the harness costs. Any scale.
UpscalerPtr make_null_upscaler();

// A kernel of datasets/resample.h as an upscaler of any scale; what it gives is not rounded. Throws
// std::invalid_argument for an unknown kernel.
UpscalerPtr make_interpolator(std::string_view kernel);

}  // namespace upbench
