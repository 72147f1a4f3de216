#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>

#include "models/networks/network.h"

namespace upbench {

// The UNet of Stable Diffusion 1 and 2, SDXL (base and refiner), the x4 upscaler, and models of their kind;
// tensors are named as diffusers names them (unet_names.h translates LDM's names).

// What names and shapes tell; levels are counted from full resolution down.
struct UNetFacts {
  std::int64_t in_channels = 0, out_channels = 0;
  std::vector<std::int64_t> channels;           // by level
  std::int64_t blocks_per_level = 0;            // on the way down; one more on the way up
  std::vector<std::int64_t> transformer_depth;  // by level; 0: no attention
  std::int64_t middle_depth = 0;
  std::int64_t context_width = 0;
  bool linear_projections = false;  // around transformers; else 1x1 convolutions
  std::int64_t class_labels = 0;    // rows of the table that is added to the time: 0: none
  std::int64_t vector_width = 0;    // SDXL's added conditioning; 0: none
  std::vector<std::int64_t> heads;  // by level; the middle has the last level's
  // By level: the first attention of a block looks at the context too instead of at the picture itself (the
  // x4 upscaler's wide levels).
  std::vector<bool> context_only;
  Layout layout;
  double macs = 0;  // of one forward, one picture of 64 x 64 latents, 77 tokens
};

// The number of heads is in no shape. The rule is that of the published models: 8 at every level where
// projections are convolutions (SD 1) or where 7 input channels and a class table tell the x4 upscaler; heads
// 64 wide elsewhere (SD 2, SDXL), one where there are fewer channels. `heads` replaces it: one number for all
// levels, or one for each.
//
// The first attention looks at the context where its keys have the context's width and not the level's; where
// both are equal it looks at the picture (so does every published model).
//
// tensors: canonical names; may be on device meta. Throws std::invalid_argument that names the tensors that
// are missing, unexpected or of another shape.
UNetFacts unet_facts(const NamedTensors& tensors, const std::vector<std::int64_t>& heads = {});

// Multiply-accumulates of one forward of `height` x `width` latents with `tokens` of context.
double unet_macs(const UNetFacts& facts, std::int64_t height, std::int64_t width, std::int64_t tokens = 77);

struct UNetInput {
  at::Tensor latents;    // [N, in_channels, h, w], any h and w
  at::Tensor timesteps;  // [N], may be fractional
  at::Tensor context;    // [N, L, context_width]
  at::Tensor vector;     // [N, vector_width]; undefined where the network takes none
  at::Tensor labels;     // [N] of int64; undefined where the network takes none
  // Added to the skips in order (first convolution, then every block and halving on the way down), the last
  // to the middle; empty: none.
  std::vector<at::Tensor> control = {};
};

// -> [N, out_channels, h, w] in the weights' dtype, into which the inputs are cast. Throws
// std::invalid_argument where an input has another shape than the network takes. Callers hold a guard against
// gradients; any number of threads may call.
using UNetFunction = std::function<at::Tensor(const UNetInput&)>;

// weights: canonical names, all of one dtype and device.
UNetFunction bind_unet(const UNetFacts& facts, const NamedTensors& weights);

}  // namespace upbench
