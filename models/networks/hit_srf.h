#pragma once

#include <optional>

#include "models/networks/network.h"

namespace upbench {

// HiT-SRF (Zhang et al., "HiT-SR: Hierarchical Transformer for Efficient Image Super-Resolution", ECCV 2024;
// github.com/XiangZ-0/HiT-SR): groups of blocks whose windows grow from block to block. Within a window,
// correlation of queries with values that were projected to at most 8 x 8 positions, and of channels with
// channels, in place of attention: no softmax. Features are reflected to whole windows inside each block. A
// file tells its windows in units of a base that is nowhere in it: 8, as the authors'.
struct HitSrfShape {
  std::int64_t features = 60;
  std::int64_t squeezed = 12;  // channels inside the projection to queries and values
  std::int64_t hidden = 120;
  std::int64_t position = 3;  // channels inside the position bias
  std::int64_t heads = 6;
  std::int64_t groups = 4;
  std::vector<std::int64_t> windows{4, 8, 16, 32, 48, 64};  // one block each; a multiple of 8, or less
  int scale = 4;
};

std::optional<NetworkMatch> match_hit_srf(const NamedTensors& tensors);
Layout hit_srf_layout(const HitSrfShape& shape);

}  // namespace upbench
