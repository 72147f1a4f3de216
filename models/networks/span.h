#pragma once

#include <optional>

#include "models/networks/network.h"

namespace upbench {

// SPAN (Wan et al., "Swift Parameter-free Attention Network for Efficient Super-Resolution", CVPRW 2024;
// github.com/hongyuanyu/SPAN): blocks of three 3x3 convolutions (c1_r, c2_r, c3_r) whose output o and input x
// give (o + x) (sigmoid(o) - 1/2); four features are fused by conv_cat. Input: (x - DIV2K's mean) * 255.
//
// Two forms of a file. Run: each convolution is NAME.eval_conv. Training: it is the sum of NAME.sk (1x1) and
// NAME.conv.0, .1, .2 (1x1, 3x3, 1x1), which are fused when the network is bound; NAME.eval_conv, there as
// well, holds what an earlier fusion left and is not used, as by the authors. A tensor `no_norm` (files of
// spandrel's and neosr's kind) says that the input is taken as it is.
struct SpanShape {
  std::int64_t features = 48;
  std::int64_t fused = 48;  // channels that conv_cat gives
  std::int64_t blocks = 6;
  bool normalised = true;
  std::int64_t gain = 0;  // training form: the widening inside a convolution; 0: run form
  int scale = 4;
};

std::optional<NetworkMatch> match_span(const NamedTensors& tensors);
Layout span_layout(const SpanShape& shape);

// The tensors of the run form from those of the training form, in double and back.
NamedTensors fuse_span(const NamedTensors& training);

}  // namespace upbench
