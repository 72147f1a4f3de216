#pragma once

#include <cstdint>
#include <functional>
#include <optional>

#include <ATen/core/Tensor.h>

#include "models/networks/network.h"

namespace upbench {

// The text encoders of Stable Diffusion: CLIP-L (SD 1, SDXL's first), OpenCLIP-H (SD 2), OpenCLIP-bigG
// (SDXL's second) and models of their kind, by the tensor names of transformers' CLIPTextModel
// ("text_model.…").

struct ClipTextFacts {
  std::int64_t layers = 0, width = 0, heads = 0, feed_forward = 0, vocabulary = 0, positions = 0;
  std::int64_t projection = 0;  // width of the pooled output's projection; 0: none
  std::int64_t end_token = 0;
  bool quick_gelu = false;  // x sigmoid(1.702 x) as OpenAI trained; else GELU, as OpenCLIP
  Layout layout;
  double macs = 0;  // of one chunk of `positions` tokens
};

// What no shape tells. Unset: the rule of clip_text_facts().
struct ClipTextConfig {
  std::optional<std::int64_t> heads;
  std::optional<bool> quick_gelu;
  std::optional<std::int64_t> end_token;
};

// tensors: canonical names; may be on device meta. Rules for what no shape tells: heads are 64 wide, as in
// every published model (4 heads where the width is less than 64 or no multiple, as in the tiny models that
// diffusers tests with); GELU from a width of 1024 on, which only OpenCLIP's have, below it quick_gelu; the
// end token is the vocabulary's last. Throws std::invalid_argument that names tensors that are missing or of
// another shape.
ClipTextFacts clip_text_facts(const NamedTensors& tensors, const ClipTextConfig& config = {});

// All in the weights' dtype.
struct TextStates {
  at::Tensor last;            // [N, L, D] after the final norm
  at::Tensor skipped;         // [N, L, D] before the last `skip` layers, without norm
  at::Tensor skipped_normed;  // [N, L, D] the same after the final norm
  at::Tensor pooled;  // [N, D] `last` at the first end token, projected where the file has a projection
};

// ids: [N, L] of int64, L <= positions, on the weights' device; skip in 0..layers: how many layers `skipped`
// leaves out; 1: "penultimate". Throws std::invalid_argument for other shapes; ids outside of the vocabulary
// are the caller's fault and cost an error of ATen. Callers hold a guard against gradients; any number of
// threads may call.
using ClipTextFunction = std::function<TextStates(const at::Tensor& ids, int skip)>;

// weights: canonical names, all of one dtype and device.
ClipTextFunction bind_clip_text(const ClipTextFacts& facts, const NamedTensors& weights);

}  // namespace upbench
