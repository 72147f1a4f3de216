#pragma once

#include <string_view>

#include "datasets/resampling/axis_weights.h"

namespace upbench {

// Part of the hash of every picture made by a kernel: rises whenever the pixels that one of them makes may
// change.
inline constexpr int kResamplingVersion = 1;

// Who does the arithmetic of a kernel.
enum class Arithmetic {
  float32,      // weights applied in float32, nothing rounded
  fixed_point,  // on 8-bit levels in whole numbers, as Pillow does
  opencv,       // OpenCV itself, on 8-bit levels
};

// The catalog behind resample_kernels(), torch-free. Throws std::invalid_argument for an unknown kernel,
// listing the known. A kernel of OpenCV's own has no weights here: std::invalid_argument too.
Arithmetic kernel_arithmetic(std::string_view kernel);
AxisWeights kernel_weights(std::string_view kernel, int input, int output);
void require_kernel(std::string_view kernel);

}  // namespace upbench
