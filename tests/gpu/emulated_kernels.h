#pragma once

#include "datasets/device/kernel_table.h"

namespace upbench::test {

// The kernels run on the CPU: the same functions for a pixel, a row, a block (datasets/device/*_math.h),
// called in the order in which a GPU's threads and barriers would have them. Pointers are the host's; no
// stream.
const PixelKernels& emulated_kernels();

}  // namespace upbench::test
