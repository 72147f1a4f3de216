#pragma once

#include <optional>

#include "models/networks/network.h"

namespace upbench {

// DCTLSA (Zeng et al., "Densely Connected Transformer With Linear Self-Attention for Lightweight Image
// Super-Resolution", IEEE TIM 2023; github.com/zengkun301/DCTLSA): modules B1, B2, ..., each fed by
// everything before it through c1, c2, ...; c fuses all of them. Within a module, layers of attention that is
// linear in the tokens of a 16 x 16 window: softmax over tokens of the keys, then keys times values, then
// queries. Before it, a local module of batch norms and convolutions. Heads (5) and window are nowhere in a
// file; they are the authors'. The authors pad to multiples of 8, and each layer pads its features to its
// windows.
struct DctlsaShape {
  std::int64_t features = 55;
  std::int64_t hidden = 110;
  std::int64_t modules = 6;
  std::int64_t layers = 2;  // of a module
  std::int64_t blocks = 2;  // of a layer; every other one works on windows shifted by half
  int scale = 4;
};

std::optional<NetworkMatch> match_dctlsa(const NamedTensors& tensors);
Layout dctlsa_layout(const DctlsaShape& shape);

}  // namespace upbench
