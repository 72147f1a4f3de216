#pragma once

#include <string_view>

#include "datasets/resampling/axis_weights.h"

namespace upbench {

// Part of the hash of every picture made by a kernel: rises whenever the pixels that one of them makes may
// change.
inline constexpr int kResamplingVersion = 1;

// The catalog behind resample_kernels(), torch-free. Throws std::invalid_argument for an unknown kernel,
// listing the known.
AxisWeights kernel_weights(std::string_view kernel, int input, int output);
void require_kernel(std::string_view kernel);

}  // namespace upbench
