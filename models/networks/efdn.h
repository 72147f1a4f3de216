#pragma once

#include <optional>

#include "models/networks/network.h"

namespace upbench {

// EFDN (Wang, "Edge-enhanced Feature Distillation Network for Efficient Super-Resolution", CVPR workshops
// 2022; github.com/icandle/EFDN) in its merged form, as the challenge ran it
// (github.com/ofsoundof/NTIRE2022_ESR, team 1): four cells of a 1x1 and two 3x3 convolutions with PReLU whose
// input and outputs are fused and weighed by spatial attention, the cells' outputs fused in pairs: head,
// cells.0.conv2.rep_conv, ..., local_fuse.0, tail.0. The authors' code clamps the output to [0, 1]; here
// nothing is clamped before the picture is scored or saved.
struct EfdnShape {
  std::int64_t features = 48;
  std::int64_t distilled = 24;  // channels of each branch of a cell
  std::int64_t attention = 12;  // channels inside the spatial attention
  int scale = 4;
};

std::optional<NetworkMatch> match_efdn(const NamedTensors& tensors);

Layout efdn_layout(const EfdnShape& shape);

}  // namespace upbench
