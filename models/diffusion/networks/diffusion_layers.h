#pragma once

#include <cstdint>
#include <string>

#include "models/networks/layers.h"

namespace upbench {

// What the networks of diffusion models use besides Layers' own. Tokens are [N, T, C].

// Over the channels of each of `groups` groups and the picture, then `then`. x: [N, C, H, W] of any memory
// format, which the result keeps; not overwritten.
at::Tensor group_norm(Layers& layers, const std::string& name, const at::Tensor& x, std::int64_t groups,
                      double epsilon, const Activation& then = {});

// As Layers::linear and Layers::conv, for hundreds of channels and more: wide_layers.h.
at::Tensor wide_linear(Layers& layers, const std::string& name, const at::Tensor& x, std::int64_t outputs,
                       const Following& following = {});
at::Tensor wide_conv(Layers& layers, const std::string& name, const at::Tensor& x, std::int64_t outputs,
                     const ConvOptions& options = {});
// The same of x enlarged to twice its height and width by nearest neighbour: 3x3.
at::Tensor wide_enlarged_conv(Layers& layers, const std::string& name, const at::Tensor& x,
                              std::int64_t outputs);

// x [..., C] -> [..., outputs]; `name`.weight alone, as attention's projections have it.
at::Tensor linear_without_bias(Layers& layers, const std::string& name, const at::Tensor& x,
                               std::int64_t outputs);

// softmax(q k^T / sqrt(width of a head)) v for each of `heads` heads, which share the channels equally. q [N,
// T, C], k and v [N, S, C] -> [N, T, C]. causal: a token sees itself and those before it.
at::Tensor attention(Layers& layers, const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                     std::int64_t heads, bool causal = false);

// a * gelu(b), where `name` makes a (first) and b of x: "GLU variants improve transformer" (Shazeer, 2020).
// x [..., C] -> [..., outputs]; the weight has 2 outputs rows.
at::Tensor gated_gelu(Layers& layers, const std::string& name, const at::Tensor& x, std::int64_t outputs);

// x * sigmoid(1.702 x): CLIP-L's stand-in for GELU.
at::Tensor quick_gelu(Layers& layers, const at::Tensor& x);

// [N, C, H, W] -> [N, H W, C]: a view where x has its channels last.
at::Tensor picture_to_tokens(const at::Tensor& x);
// And back, to the height and width of `like`; channels last in memory.
at::Tensor tokens_to_picture(const at::Tensor& tokens, const at::Tensor& like);

// The cosines, then the sines of x 10000^(-i / (width / 2)), i from 0: how Stable Diffusion tells its
// networks a time, SDXL sizes and positions too. x: [N] -> float32 [N, width], width even.
at::Tensor sinusoids(const at::Tensor& x, std::int64_t width);

}  // namespace upbench
