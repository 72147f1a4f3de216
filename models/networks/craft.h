#pragma once

#include <optional>

#include "models/networks/network.h"

namespace upbench {

// CRAFT (Li et al., "Feature Modulation Transformer: Cross-Refinement of Global Representation via
// High-Frequency Prior for Image Super-Resolution", ICCV 2023; github.com/AVC2-UESTC/CRAFT-SR): groups in
// which features attended in rectangular windows, lying and standing (srwa_blocks), and features of a
// convolutional branch for high frequencies (hfer_blocks) meet in an attention between channels over the
// whole picture (hf_blocks). So every pixel depends on every other, and padding changes all of them: the
// authors' tests reflect to a multiple of the window's longer side, their inference script mirrors 1 to that
// many pixels always, and spandrel does the first and then the second.
struct CraftShape {
  std::int64_t features = 48;
  std::int64_t heads = 6;  // half of them in lying, half in standing windows; all of them between channels
  std::int64_t hidden = 96;
  std::int64_t gated = 127;             // channels of the gated feed-forward between channels
  std::int64_t position = 1;            // channels inside the position bias
  std::int64_t across = 4, along = 16;  // sides of a window
  std::int64_t groups = 4;
  std::int64_t depth = 2;  // of a group
  int scale = 4;
};

std::optional<NetworkMatch> match_craft(const NamedTensors& tensors);
Layout craft_layout(const CraftShape& shape);

}  // namespace upbench
