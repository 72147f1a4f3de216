#pragma once

#include <optional>

#include "models/networks/network.h"

namespace upbench {

// SRVGGNetCompact (Real-ESRGAN, 2021): a 3x3 convolution, n times (PReLU, 3x3 convolution), pixel shuffle,
// plus the input enlarged by nearest neighbour. Names: body.0.{weight,bias} convolution, body.1.weight PReLU,
// body.2.{weight,bias} convolution, ... weights: all of the dtype and device of x [N, 3, H, W]. Returns [N,
// 3, H * scale, W * scale]. Works under autograd.
at::Tensor srvgg_forward(const NamedTensors& weights, const at::Tensor& x, int scale);

// Nothing where body.0 and body.1 are no convolution and PReLU.
std::optional<NetworkMatch> match_srvgg(const NamedTensors& tensors);

// The tensors of a network of `features` channels, `convolutions` inner convolutions: what to name when
// nothing fits.
Layout srvgg_layout(std::int64_t features, int convolutions, int scale);

}  // namespace upbench
