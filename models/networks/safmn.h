#pragma once

#include <optional>

#include "models/networks/network.h"

namespace upbench {

// SAFMN++ (Sun et al.; third of NTIRE 2024's efficient super-resolution, arXiv:2404.10343, team 23 of
// github.com/Amazingren/NTIRE2024_ESR; after "Spatially-Adaptive Feature Modulation for Efficient Image
// Super-Resolution", ICCV 2023): blocks that modulate the first channels by their maxima over an eighth of
// the resolution, then mix channels; the picture enlarged bilinearly is added. No biases. Its authors pad to
// multiples of 8. It runs on other sizes too (spandrel's way): windows of the maxima then overlap or are
// longer.
struct SafmnShape {
  std::int64_t features = 36;
  std::int64_t modulated = 12;  // channels
  std::int64_t hidden = 54;     // of the channel mixer
  std::int64_t blocks = 6;
  int scale = 4;
};

std::optional<NetworkMatch> match_safmn(const NamedTensors& tensors);
Layout safmn_layout(const SafmnShape& shape);

}  // namespace upbench
