#pragma once

#include <optional>

#include "models/networks/network.h"

namespace upbench {

// RFDN (Liu et al., "Residual Feature Distillation Network for Lightweight Image Super-Resolution", ECCV
// workshops 2020; github.com/njulj/RFDN, winner of the AIM 2020 challenge): residual distillation blocks with
// spatial attention, B1.c1_d, B1.c1_r, ...; the outputs of all are fused. The authors' compute on values of 0
// to 255, to and from which the network scales here; nothing in a file tells one that was trained on 0 to 1.
struct RfdnShape {
  std::int64_t features = 50;
  std::int64_t distilled = 25;
  std::int64_t attention = 12;  // channels inside the spatial attention
  std::int64_t blocks = 4;
  int scale = 4;
};

std::optional<NetworkMatch> match_rfdn(const NamedTensors& tensors);

Layout rfdn_layout(const RfdnShape& shape);

}  // namespace upbench
