#pragma once

#include "datasets/image_fwd.h"

// The networks that the program brings with it, compact-x2 and compact-x4, as calibration uses them; scale: 2
// or 4. Thread-safe.
namespace upbench {

Image calibration_network(const Image& input, int scale);  // in one piece

// In tiles that meet without overlap and see only `context` pixels of the input beyond their borders; the
// tiles meet at a third and two thirds of each side. 0: the network sees its own zero padding there.
Image calibration_network_tiled(const Image& input, int scale, int context);

}  // namespace upbench
