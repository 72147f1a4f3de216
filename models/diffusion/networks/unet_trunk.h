#pragma once

#include <string>
#include <vector>

#include "models/diffusion/networks/unet.h"
#include "models/networks/layers.h"

namespace upbench {

// What a UNet shares with the ControlNets beside it: everything but the way up.
struct UNetTrunk {
  Layers& layers;
  const UNetFacts& facts;
  at::Tensor embedding;  // [N, 4 channels[0]]: of time, class and vector, activated
  at::Tensor context;    // [N, L, context_width]
};

// Fills `embedding` from the input, whose tensors are of the weights' dtype (timesteps float32).
UNetTrunk unet_trunk(Layers& layers, const UNetFacts& facts, const UNetInput& input);

// Normalisation, activation and 3x3 convolution twice, the embedding added in between, beside a shortcut.
// x [N, C, H, W] -> [N, outputs, H, W].
at::Tensor residual_block(const UNetTrunk& trunk, const std::string& name, const at::Tensor& x,
                          std::int64_t outputs);

// `depth` transformer blocks of self-attention, attention to the context and a gated perceptron over x's
// pixels, beside a shortcut.
at::Tensor transformer(const UNetTrunk& trunk, const std::string& name, const at::Tensor& x,
                       std::size_t level, std::int64_t depth);

// The way down from the first convolution's result: what the way up takes, in the order it was made.
std::vector<at::Tensor> way_down(const UNetTrunk& trunk, const at::Tensor& x);
at::Tensor middle(const UNetTrunk& trunk, const at::Tensor& x);

// The whole network: what bind_unet() runs and unet_facts() declares. input: as checked_input() gives it.
at::Tensor unet(Layers& layers, const UNetFacts& facts, const UNetInput& input);

// The input as the network takes it: cast to `like`'s dtype, the picture's channels last in memory. Throws
// std::invalid_argument where a shape is not the network's.
UNetInput checked_input(const UNetFacts& facts, const UNetInput& input, const at::Tensor& like);

// A placeholder input of `height` x `width` latents and `tokens` of context, to declare a network with.
UNetInput declared_input(const UNetFacts& facts, std::int64_t height, std::int64_t width,
                         std::int64_t tokens);

}  // namespace upbench
