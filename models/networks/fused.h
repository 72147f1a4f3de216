#pragma once

#include <cstdint>

#include <ATen/core/Tensor.h>

namespace upbench {

// What follows a layer of a network, element by element.
struct Activation {
  enum class Kind { none, relu, leaky_relu, gelu, silu, sigmoid };
  Kind kind = Kind::none;
  double slope = 0;  // of leaky_relu below zero
};
inline constexpr Activation kRelu{Activation::Kind::relu}, kGelu{Activation::Kind::gelu},
    kSilu{Activation::Kind::silu}, kSigmoid{Activation::Kind::sigmoid};
constexpr Activation leaky_relu_of(double slope) {
  return {Activation::Kind::leaky_relu, slope};
}

// Overwrites x and returns it.
at::Tensor activated(at::Tensor x, const Activation& activation);

struct ConvolutionLayer {
  at::Tensor weight, bias;  // [outputs, inputs / groups, k, k]; [outputs] or undefined
  std::int64_t stride = 1, padding = 0, dilation = 1, groups = 1;
};

// What becomes of a layer's result, in this order.
struct Following {
  at::Tensor plus = {}, times = {};  // of the result's shape, where defined
  Activation then = {};
};

// Whether gradients are to reach x.
bool is_differentiated(const at::Tensor& x);

// oneDNN's convolutions and linear layers, which ATen holds but does not use for everything: 1x1 convolutions
// and linear layers of narrow networks are 1.2 to 2 times as fast as through BLAS, and what follows a layer
// is computed while its output is still in the cache. The same results up to the order of sums.
//
// Whether they take x: on the CPU, in float32, or bfloat16 where the processor is wide enough for it; nothing
// there is differentiated.
bool is_fusible(const at::Tensor& x);

// Fused where x is fusible and x or the weight has its channels last in memory, which says that the network
// was placed to be run fast (network_upscaler.cpp); else by ATen's own operations.
at::Tensor convolution(const ConvolutionLayer& layer, const at::Tensor& x, const Following& following = {});
// sum += the convolution. x: fusible; sum: dense, channels last.
void add_convolution(const ConvolutionLayer& layer, const at::Tensor& x, at::Tensor& sum);
// x [..., inputs], weight [outputs, inputs], plus [..., outputs] or undefined. Fused where x is fusible.
at::Tensor linear(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias,
                  const Activation& then = {}, const at::Tensor& plus = {});

// The slope of channel c below zero is slope[c], or slope[0] for all. May overwrite x [N, C, H, W].
at::Tensor parametric_relu(at::Tensor x, const at::Tensor& slope);

}  // namespace upbench
