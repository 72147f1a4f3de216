#pragma once

#include "models/networks/fused.h"

namespace upbench {

// A layer of a network whose weights have their place, with what the fastest convolution here needs of them.
struct PreparedConvolution {
  ConvolutionLayer layer;
  at::Tensor winograd = {};  // undefined: the layer is computed as it is
};

PreparedConvolution prepared(ConvolutionLayer layer);

// x: of the weights' type. Several tensors of 16 channels or more stand for what they would be concatenated;
// only a layer with `winograd` takes them.
at::Tensor convolution(const PreparedConvolution& prepared, at::TensorList x,
                       const Following& following = {});

// parametric_relu() of the convolution; with its bias in one pass where the device kernel `rectify` is
// chosen.
at::Tensor rectified_convolution(const PreparedConvolution& prepared, const at::Tensor& x,
                                 const at::Tensor& slope);

}  // namespace upbench
