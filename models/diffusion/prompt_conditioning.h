#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "models/diffusion/model.h"
#include "models/diffusion/sample_latents.h"
#include "models/diffusion/text/prompt.h"
#include "models/diffusion/text/tokenizer.h"

namespace upbench {

struct PromptRequest {
  std::string prompt, negative;
  PromptRules rules;
  std::optional<int> clip_skip;   // as the dialect's tool counts (text/conditioning.h)
  int height = 512, width = 512;  // pixels of the result: SDXL is told
  bool guided = true;             // false: the negative prompt is not needed
};

struct PromptCounts {
  std::int64_t tokens = 0, lost = 0;  // of both prompts
};

// What the model's own text encoders make of the prompts. Without a prompt and a negative prompt no tokenizer
// is needed. An empty negative prompt of SDXL is zeros where the dialect's tool has it so. Throws
// std::invalid_argument where prompts need a tokenizer, where its ids are not the encoders', and as
// chunk_prompt() does.
Conditioning prompt_conditioning(const DiffusionModel& model, const Tokenizer* tokenizer,
                                 const PromptRequest& request, PromptCounts* counts = nullptr);

}  // namespace upbench
