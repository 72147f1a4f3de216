#pragma once

#include <optional>

#include "models/networks/network.h"

namespace upbench {

// IMDN (Hui et al., "Lightweight Image Super-Resolution with Information Multi-distillation Network", ACM MM
// 2019; github.com/Zheng222/IMDN): blocks that keep a quarter of the channels after each of three
// convolutions and refine the rest. Two networks of such blocks:
//   IMDN           fea_conv, IMDB1.c1, ..., c.0, LR_conv, upsampler.0: contrast attention; the outputs of all
//                  blocks are fused
//   IMDN-baseline  model.0, model.1.sub.0.conv1.0, ..., model.2: a chain of blocks without attention; winner
//   of the
//                  AIM 2019 challenge, baseline of NTIRE 2022's (github.com/ofsoundof/NTIRE2022_ESR)
struct ImdnShape {
  std::int64_t features = 64;
  std::int64_t distilled = 16;  // channels that each convolution gives away
  std::int64_t squeezed = 4;    // of the attention; IMDN alone
  std::int64_t blocks = 6;
  int scale = 4;
};

std::optional<NetworkMatch> match_imdn(const NamedTensors& tensors);
std::optional<NetworkMatch> match_imdn_baseline(const NamedTensors& tensors);

Layout imdn_layout(const ImdnShape& shape);
Layout imdn_baseline_layout(const ImdnShape& shape);

}  // namespace upbench
