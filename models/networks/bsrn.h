#pragma once

#include <optional>

#include "models/networks/network.h"

namespace upbench {

// BSRN (Li et al., "Blueprint Separable Residual Network for Efficient Image Super-Resolution", CVPR
// workshops 2022; github.com/xiaom233/BSRN): RFDN's blocks with blueprint separable convolutions (a 1x1
// convolution, .pw, then one filter a channel, .dw), GELU, contrast attention behind the spatial one, and
// each block's input added. The first layer sees the picture four times.
struct BsrnShape {
  std::int64_t features = 64;
  std::int64_t distilled = 32;
  std::int64_t attention = 16;  // channels inside the spatial attention
  std::int64_t squeezed = 4;    // and the contrast attention
  std::int64_t blocks = 8;
  int scale = 4;
};

std::optional<NetworkMatch> match_bsrn(const NamedTensors& tensors);

Layout bsrn_layout(const BsrnShape& shape);

}  // namespace upbench
