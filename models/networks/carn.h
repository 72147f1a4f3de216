#pragma once

#include <optional>

#include "models/networks/network.h"

namespace upbench {

// CARN-M (Ahn et al., "Fast, Accurate, and Lightweight Super-Resolution with Cascading Residual Network",
// ECCV 2018; github.com/nmhkahn/CARN-pytorch): three cascades b1, b2, b3 of one residual block b1, which each
// of them uses three times; its 3x3 convolutions are grouped; 1x1 convolutions c1, c2, c3 fuse everything so
// far, within a cascade and around the three. A file of several scales holds upsample.up2, up3 and up4 and
// serves each of them: the caller chooses. A file of one scale holds upsample.up.
struct CarnShape {
  std::int64_t features = 64;
  std::int64_t groups = 4;
  std::vector<int> scales{2, 3, 4};  // one: the file's only scale
};

std::optional<NetworkMatch> match_carn(const NamedTensors& tensors);
Layout carn_layout(const CarnShape& shape);

}  // namespace upbench
