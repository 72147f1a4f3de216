#pragma once

#include <optional>

#include "models/networks/network.h"

namespace upbench {

// RLFN (Kong et al., "Residual Local Feature Network for Efficient Super-Resolution", CVPR workshops 2022;
// github.com/bytedance/RLFN, winner of NTIRE 2022's challenge in run time): a chain of blocks of three 3x3
// convolutions, the input added, a 1x1 and a brief spatial attention: block_1.c1_r, ... The authors' compute
// on values of 0 to 255, to and from which the network scales here; nothing in a file tells one that was
// trained on 0 to 1. The challenge's pruned network has other widths inside the blocks.
struct RlfnShape {
  std::int64_t features = 52;
  std::int64_t inner = 52;      // channels between the convolutions of a block
  std::int64_t attention = 16;  // channels inside the spatial attention
  std::int64_t blocks = 6;
  int scale = 4;
};

std::optional<NetworkMatch> match_rlfn(const NamedTensors& tensors);

Layout rlfn_layout(const RlfnShape& shape);

}  // namespace upbench
