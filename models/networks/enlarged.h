#pragma once

#include "models/networks/fused.h"

namespace upbench {

// A 3x3 convolution of a picture that was enlarged to twice its size by nearest neighbour sees each input
// pixel two or four times. Around a corner between four input pixels lie four output pixels that depend on
// these four alone, so the same is one 2x2 convolution to four times the channels, on the grid of corners:
// 4/9 of the multiplications, up to the order of sums.
//
// layer: 3x3, padding 1. Gives weights [4 outputs, inputs, 2, 2], in blocks of outputs: above left of the
// corner, above right, below left, below right.
ConvolutionLayer folded_for_corners(const ConvolutionLayer& layer);

// The layer's convolution of x [N, C, H, W] enlarged to [N, C, 2 H, 2 W]; through `folded`, made from it,
// where x is fusible.
at::Tensor enlarged_convolution(const ConvolutionLayer& layer, const ConvolutionLayer& folded,
                                const at::Tensor& x, const Activation& then = {});

}  // namespace upbench
