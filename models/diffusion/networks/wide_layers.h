#pragma once

#include "models/networks/fused.h"

namespace upbench {

// Layers of hundreds to thousands of channels, of which a diffusion network has billions of multiplications
// and gigabytes of weights: these take the weights as files hold them and keep no second copy. fused.h's are
// made for narrow layers, whose weights fit a core's cache. The same results up to the order of sums.

// x [..., inputs], weight [outputs, inputs], bias [outputs] or undefined; following's tensors [..., outputs].
// Through oneDNN where x is fusible (fused.h).
at::Tensor wide_linear(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias,
                       const Following& following = {});

// x [N, C, H, W] with channels last in memory, which the result keeps.
at::Tensor wide_convolution(const ConvolutionLayer& layer, const at::Tensor& x,
                            const Following& following = {});

}  // namespace upbench
