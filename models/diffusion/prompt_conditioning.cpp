#include "models/diffusion/prompt_conditioning.h"

#include <algorithm>
#include <stdexcept>

#include <ATen/ATen.h>
#include <fmt/format.h>

#include "models/diffusion/text/conditioning.h"

namespace upbench {
namespace {

constexpr double kAesthetic = 6, kAestheticNegative = 2.5;  // SDXL's refiner, as diffusers and A1111

bool is_xl(DiffusionFamily family) {
  return family == DiffusionFamily::sdxl || family == DiffusionFamily::sdxl_refiner;
}

TextFamily text_family(DiffusionFamily family) {
  if (is_xl(family)) return TextFamily::sdxl;
  const bool is_2 = family == DiffusionFamily::sd2 || family == DiffusionFamily::x4_upscaler;
  return is_2 ? TextFamily::sd2 : TextFamily::sd1;
}

// Which text encoders are OpenCLIP's, whose tools pad otherwise.
bool is_open_clip(DiffusionFamily family, std::size_t encoder) {
  switch (family) {
    case DiffusionFamily::sd2:
    case DiffusionFamily::x4_upscaler:
    case DiffusionFamily::sdxl_refiner:
      return true;
    case DiffusionFamily::sdxl:
      return encoder == 1;
    case DiffusionFamily::sd1:
    case DiffusionFamily::other:
    case DiffusionFamily::none:
      break;
  }
  return false;
}

// Whether an empty negative prompt is zeros: in A1111 for SDXL's kind, in diffusers for its base model (the
// refiner's folder turns it off), nowhere in ComfyUI.
bool empties_are_zeros(DiffusionFamily family, PromptDialect dialect) {
  if (dialect == PromptDialect::a1111) return is_xl(family);
  return dialect == PromptDialect::plain && family == DiffusionFamily::sdxl;
}

std::vector<PromptEncoder> encoders_of(const DiffusionModel& model, const PromptRequest& request) {
  const DiffusionFacts& facts = model.facts();
  std::vector<PromptEncoder> encoders;
  for (std::size_t i = 0; i < model.text().size(); ++i) {
    PromptEncoder encoder{.encode = model.text()[i],
                          .skip = text_skip(text_family(facts.family), request.rules.dialect,
                                            request.clip_skip, facts.text[i])};
    if (is_open_clip(facts.family, i)) encoder.pad = kOpenClipPad;
    encoders.push_back(std::move(encoder));
  }
  return encoders;
}

// The empty prompt, in the encoders' own ids.
TokenizedPrompt no_prompt(const DiffusionModel& model, PromptDialect dialect) {
  const auto end = static_cast<int>(model.facts().text.front().end_token);
  TokenChunk chunk;
  chunk.ids.fill(end);
  chunk.ids[0] = end - 1;  // of every published vocabulary
  chunk.weights.fill(1);
  return {.dialect = dialect, .chunks = {chunk}};
}

TokenizedPrompt tokenized(const DiffusionModel& model, const Tokenizer* tokenizer, const std::string& text,
                          const PromptRules& rules) {
  if (text.empty()) return no_prompt(model, rules.dialect);
  if (tokenizer == nullptr) throw std::invalid_argument("a prompt needs CLIP's vocabulary, none was given");
  const std::int64_t known = model.facts().text.front().vocabulary;
  if (tokenizer->size() > known)
    throw std::invalid_argument(
        fmt::format("the vocabulary has {} tokens, the text encoder knows {}: they do not belong together",
                    tokenizer->size(), known));
  return chunk_prompt(*tokenizer, text, rules);
}

at::Tensor vector_of(const DiffusionModel& model, const at::Tensor& pooled, const PromptRequest& request,
                     bool negative) {
  const auto height = static_cast<double>(request.height), width = static_cast<double>(request.width);
  const SizeConditioning size{
      .height = height, .width = width, .target_height = height, .target_width = width};
  if (model.facts().family == DiffusionFamily::sdxl) return sdxl_vector(pooled, size);
  if (model.facts().family == DiffusionFamily::sdxl_refiner)
    return sdxl_refiner_vector(pooled, size, negative ? kAestheticNegative : kAesthetic);
  return {};
}

}  // namespace

Conditioning prompt_conditioning(const DiffusionModel& model, const Tokenizer* tokenizer,
                                 const PromptRequest& request, PromptCounts* counts) {
  if (is_unconditional(model.facts())) {
    if (!request.prompt.empty() || !request.negative.empty())
      throw std::invalid_argument("a prompt is given to a model without text, expected none");
    return {};
  }
  const std::vector<PromptEncoder> encoders = encoders_of(model, request);
  const auto encoded = [&](const std::string& text) {
    const TokenizedPrompt prompt = tokenized(model, tokenizer, text, request.rules);
    if (counts != nullptr) {
      counts->tokens += prompt.tokens;
      counts->lost += prompt.lost;
    }
    return encode_prompt(prompt, encoders, model.device());
  };
  Conditioning made;
  const PromptConditioning cond = encoded(request.prompt);
  made.cond = cond.context;
  made.cond_vector = vector_of(model, cond.pooled, request, false);
  if (!request.guided) return made;
  PromptConditioning uncond = encoded(request.negative);
  if (request.negative.empty() && empties_are_zeros(model.facts().family, request.rules.dialect)) {
    uncond.context = at::zeros_like(uncond.context);
    uncond.pooled = at::zeros_like(uncond.pooled);
  }
  const at::Tensor both = batched_contexts({uncond.context, made.cond});
  made.uncond = both.narrow(0, 0, 1);
  made.cond = both.narrow(0, 1, 1);
  made.uncond_vector = vector_of(model, uncond.pooled, request, true);
  return made;
}

}  // namespace upbench
