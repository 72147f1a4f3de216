#pragma once

#include <optional>

#include "models/networks/network.h"

namespace upbench {

// PAN (Zhao et al., "Efficient Image Super-Resolution Using Pixel Attention", ECCV workshops 2020;
// github.com/zhaohengyuan1/PAN): blocks of two narrow branches, one of which weighs every value by a sigmoid
// of a 1x1 convolution; then a nearest enlargement and two convolutions with such attention per stage; the
// bilinearly enlarged input is added. conv_first, SCPA_trunk.0.conv1_a, ..., upconv1, att1.conv, HRconv1,
// [upconv2, ...], conv_last. Two stages are x4. One stage is x2 or x3, which no tensor tells apart: the
// pictures choose.
struct PanShape {
  std::int64_t features = 40;
  std::int64_t branch = 20;    // channels of each branch of a block
  std::int64_t enlarged = 24;  // channels behind the first enlargement
  std::int64_t blocks = 16;
  int stages = 2;
};

std::optional<NetworkMatch> match_pan(const NamedTensors& tensors);

Layout pan_layout(const PanShape& shape);

}  // namespace upbench
