#pragma once

#include <optional>
#include <vector>

#include <ATen/core/Tensor.h>

#include "models/diffusion/networks/clip_text.h"
#include "models/diffusion/text/prompt.h"

namespace upbench {

enum class TextFamily { sd1, sd2, sdxl };

// Which hidden state becomes the context.
struct TextSkip {
  int layers = 0;          // left out at the end
  bool final_norm = true;  // applied to it
  bool ignored = false;    // the tool has no such setting for this family
};

// clip_skip as the dialect's tool counts: A1111's "clip skip" and the negative of Comfy's "stop at clip
// layer" are 1 for the last layer, diffusers' clip_skip is 0 for the default. Unset: the tool's default,
// which for SDXL is the state before the last layer without norm, for SD 2 the same with norm (of the 24
// layers of the original: a file that has 23 of them, as diffusers' folder, lost the last one already).
//   SD 1: all three count from the last layer and norm. SDXL: without norm; A1111 ignores clip skip;
//   diffusers leaves out clip_skip more. SD 2: A1111 ignores it. Throws std::invalid_argument where fewer
//   than one layer would remain.
TextSkip text_skip(TextFamily family, PromptDialect dialect, std::optional<int> clip_skip,
                   const ClipTextFacts& facts);

// How one text encoder is used.
struct PromptEncoder {
  ClipTextFunction encode;
  TextSkip skip;
  int pad =
      -1;  // replaces what follows the first end token of a chunk; -1: stays the end token, as CLIP pads
};

struct PromptConditioning {
  at::Tensor context;  // [1, 77 * chunks, D], float32
  at::Tensor pooled;   // [1, D]: of the first chunk, without weights, float32
};

// The context is the encoders' side by side (SDXL: CLIP-L, then OpenCLIP-bigG), `pooled` the last one's.
// Weights:
//   a1111: states times weights, then times what restores the mean over the chunk ("original" emphasis);
//   comfy: z_empty + (z - z_empty) * weight, where z_empty are the states of the empty prompt, for weights
//   other
//          than 1;
//   plain: none.
PromptConditioning encode_prompt(const TokenizedPrompt& prompt, const std::vector<PromptEncoder>& encoders,
                                 const at::Device& device);

// Contexts [1, L, D] of different lengths as one batch: each repeated up to their least common multiple.
// Attention over a context that is repeated gives what it gives over the context alone, so that this changes
// nothing but the order of sums.
at::Tensor batched_contexts(const std::vector<at::Tensor>& contexts);

// SDXL's sizes in pixels, as its training pictures had them.
struct SizeConditioning {
  double height = 1024, width = 1024, top = 0, left = 0, target_height = 1024, target_width = 1024;
};

// pooled [N, P] -> [N, P + 6 * 256]: height, width, top, left, target height, target width as sinusoids
// follow.
at::Tensor sdxl_vector(const at::Tensor& pooled, const SizeConditioning& size);
// pooled [N, P] -> [N, P + 5 * 256]: height, width, top, left and the aesthetic score (6; unconditional 2.5).
at::Tensor sdxl_refiner_vector(const at::Tensor& pooled, const SizeConditioning& size,
                               double aesthetic_score);

}  // namespace upbench
