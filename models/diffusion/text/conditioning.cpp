#include "models/diffusion/text/conditioning.h"

#include <algorithm>
#include <initializer_list>
#include <numeric>
#include <stdexcept>

#include <ATen/ATen.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "models/diffusion/networks/diffusion_layers.h"

namespace upbench {
namespace {

constexpr auto kTokens = static_cast<std::int64_t>(kChunkTokens);

// [chunks, 77] of int64.
at::Tensor ids_of(const std::vector<TokenChunk>& chunks, int pad) {
  const at::Tensor ids = at::empty({static_cast<std::int64_t>(chunks.size()), kTokens}, at::kLong);
  std::int64_t* to = ids.mutable_data_ptr<std::int64_t>();
  for (const TokenChunk& chunk : chunks) {
    to = std::ranges::copy(chunk.ids, to).out;
    // The end of every chunk is the end token; the first one ends the prompt.
    const auto first_end = std::ranges::find(chunk.ids, chunk.ids.back());
    if (pad >= 0) std::fill(to - (chunk.ids.end() - first_end) + 1, to, pad);
  }
  return ids;
}

// [chunks, 77, 1]
at::Tensor weights_of(const std::vector<TokenChunk>& chunks) {
  const at::Tensor weights = at::empty({static_cast<std::int64_t>(chunks.size()), kTokens, 1}, at::kFloat);
  float* to = weights.mutable_data_ptr<float>();
  for (const TokenChunk& chunk : chunks) to = std::ranges::copy(chunk.weights, to).out;
  return weights;
}

TokenChunk empty_chunk(const TokenChunk& like) {
  TokenChunk chunk;
  chunk.ids.fill(like.ids.back());
  chunk.ids.front() = like.ids.front();
  chunk.weights.fill(1);
  return chunk;
}

bool is_weighted(const std::vector<TokenChunk>& chunks) {
  return std::ranges::any_of(chunks, [](const TokenChunk& chunk) {
    return std::ranges::any_of(chunk.weights, [](float weight) { return weight != 1; });
  });
}

struct Encoded {
  at::Tensor states;  // [chunks, 77, D]
  at::Tensor pooled;  // [1, P]
};

Encoded encode(const std::vector<TokenChunk>& chunks, const PromptEncoder& encoder,
               const at::Device& device) {
  const TextStates states = encoder.encode(ids_of(chunks, encoder.pad).to(device), encoder.skip.layers);
  const at::Tensor& chosen = encoder.skip.final_norm ? states.skipped_normed : states.skipped;
  return {.states = chosen.to(at::kFloat), .pooled = states.pooled.narrow(0, 0, 1).to(at::kFloat)};
}

// Times the weights, each chunk then brought back to the mean that it had. Where all weights are 1 that is a
// division of equal numbers.
at::Tensor multiplied(const at::Tensor& states, const at::Tensor& weights) {
  const at::Tensor weighted = states * weights;
  return weighted * (states.mean({1, 2}, true) / weighted.mean({1, 2}, true));
}

Encoded weighted(const TokenizedPrompt& prompt, const PromptEncoder& encoder, const at::Device& device) {
  const bool is_open_clip = encoder.pad == kOpenClipPad && !prompt.open_clip_chunks.empty();
  if (prompt.dialect == PromptDialect::plain || !is_weighted(prompt.chunks))
    return encode(is_open_clip ? prompt.open_clip_chunks : prompt.chunks, encoder, device);
  const at::Tensor weights = weights_of(prompt.chunks).to(device);
  if (prompt.dialect == PromptDialect::a1111) {
    Encoded encoded = encode(prompt.chunks, encoder, device);
    encoded.states = multiplied(encoded.states, weights);
    return encoded;
  }
  std::vector<TokenChunk> chunks = prompt.chunks;
  chunks.push_back(empty_chunk(chunks.front()));
  const auto count = static_cast<std::int64_t>(prompt.chunks.size());
  Encoded encoded = encode(chunks, encoder, device);
  const at::Tensor states = encoded.states.narrow(0, 0, count), empty = encoded.states.narrow(0, count, 1);
  encoded.states = at::where(weights == 1, states, empty + (states - empty) * weights);
  return encoded;
}

// pooled [N, P], then what each number becomes as sinusoids 256 wide.
at::Tensor with_numbers(const at::Tensor& pooled, std::initializer_list<double> numbers) {
  constexpr std::int64_t kWidth = 256;
  const std::vector<float> values(numbers.begin(), numbers.end());
  const at::Tensor rows = sinusoids(at::tensor(values).to(pooled.device()), kWidth).reshape({1, -1});
  return at::cat({pooled, rows.to(pooled.scalar_type()).expand({pooled.size(0), -1})}, 1);
}

}  // namespace

TextSkip text_skip(TextFamily family, PromptDialect dialect, std::optional<int> clip_skip,
                   const ClipTextFacts& facts) {
  const bool is_plain = dialect == PromptDialect::plain;
  const int least = is_plain ? 0 : 1;
  if (clip_skip && *clip_skip < least)
    throw std::invalid_argument(fmt::format("clip skip is {}; expected {} or more as {} counts", *clip_skip,
                                            least, prompt_dialect_name(dialect)));
  const int asked = clip_skip.value_or(least) - least;  // beyond the last layer, or beyond diffusers' default
  TextSkip skip{.layers = asked, .final_norm = family != TextFamily::sdxl};
  if (family == TextFamily::sdxl) skip.layers = is_plain || !clip_skip ? asked + 1 : asked;
  if (family == TextFamily::sd2) {
    constexpr std::int64_t kWithoutLast = 23;
    const int present = facts.layers == kWithoutLast ? 0 : 1;  // of the last layer, which SD 2 leaves out
    skip.layers = is_plain || !clip_skip ? asked + present : asked - 1 + present;
    if (skip.layers < 0)
      throw std::invalid_argument(
          "clip skip 1 asks for the last layer, which this SD 2 text encoder lost (it has 23 of 24)");
  }
  if (dialect == PromptDialect::a1111 && family != TextFamily::sd1 && clip_skip) {
    skip = text_skip(family, dialect, {}, facts);
    skip.ignored = true;
  }
  if (skip.layers >= facts.layers)
    throw std::invalid_argument(
        fmt::format("clip skip leaves out {} layers; the text encoder has {}", skip.layers, facts.layers));
  return skip;
}

PromptConditioning encode_prompt(const TokenizedPrompt& prompt, const std::vector<PromptEncoder>& encoders,
                                 const at::Device& device) {
  if (encoders.empty() || prompt.chunks.empty())
    throw std::invalid_argument("a prompt without chunks, or no text encoder to encode it");
  std::vector<at::Tensor> contexts;
  PromptConditioning result;
  for (const PromptEncoder& encoder : encoders) {
    const Encoded encoded = weighted(prompt, encoder, device);
    contexts.push_back(encoded.states.flatten(0, 1).unsqueeze(0));
    result.pooled = encoded.pooled;
  }
  result.context = at::cat(contexts, 2);
  return result;
}

at::Tensor batched_contexts(const std::vector<at::Tensor>& contexts) {
  std::int64_t length = 1;
  for (const at::Tensor& context : contexts) {
    if (context.dim() != 3 || context.size(0) != 1 || context.size(1) < 1)
      throw std::invalid_argument(
          fmt::format("a context is [{}]; expected [1, L, D]", fmt::join(context.sizes(), ", ")));
    length = std::lcm(length, context.size(1));
  }
  std::vector<at::Tensor> repeated;
  for (const at::Tensor& context : contexts)
    repeated.push_back(context.repeat({1, length / context.size(1), 1}));
  return at::cat(repeated, 0);
}

at::Tensor sdxl_vector(const at::Tensor& pooled, const SizeConditioning& size) {
  return with_numbers(pooled,
                      {size.height, size.width, size.top, size.left, size.target_height, size.target_width});
}

at::Tensor sdxl_refiner_vector(const at::Tensor& pooled, const SizeConditioning& size,
                               double aesthetic_score) {
  return with_numbers(pooled, {size.height, size.width, size.top, size.left, aesthetic_score});
}

}  // namespace upbench
