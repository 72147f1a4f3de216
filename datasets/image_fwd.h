#pragma once

namespace at {
class Tensor;
}

namespace upbench {

// A picture crossing a folder's edge: RGB, [3, H, W], float32, nominal range [0, 1], any device.
// BGR, HWC, 0..255, batches and luma live inside one file and are converted at its edge.
using Image = at::Tensor;

}  // namespace upbench
