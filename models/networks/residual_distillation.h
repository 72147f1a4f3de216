#pragma once

#include "models/networks/attention.h"

namespace upbench {

// The block that RFDN introduced and BSRN took over: each of three residual convolutions is preceded by a 1x1
// convolution that keeps `distilled` channels of its input; these and a last convolution's are fused by 1x1
// and weighed by spatial attention. The input is not added.
struct ResidualDistillation {
  std::int64_t distilled = 0;
  SpatialAttention attention;  // its convolution is the block's too
  Activation activation = kSlightlyLeaky;
};

// name.c1_d, c1_r, c2_d, c2_r, c3_d, c3_r, c4, c5, esa.*; as many channels as x.
at::Tensor residual_distillation(Layers& layers, const std::string& name, const at::Tensor& x,
                                 const ResidualDistillation& settings);

}  // namespace upbench
