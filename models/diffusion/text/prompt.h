#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "models/diffusion/text/tokenizer.h"

namespace upbench {

// Whose rules a prompt follows: what its brackets mean (prompt_grammar.h), how it is cut into chunks, and how
// weights act (conditioning.h).
enum class PromptDialect { a1111, comfy, plain };  // plain: as diffusers: no weights, one chunk

// What becomes of the tokens that do not fit the first 75.
enum class PromptOverflow {
  chunks,    // more chunks, as A1111 and Comfy do
  truncate,  // lost and counted, as diffusers does
  refuse,    // std::invalid_argument
};

struct PromptRules {
  PromptDialect dialect = PromptDialect::plain;
  std::optional<PromptOverflow> overflow = {};  // unset: what the dialect's tool does
  // A1111: where a chunk is full, what follows a comma among its last so many tokens moves to the next one;
  // 0: never.
  int comma_backtrack = 20;
};

inline constexpr std::size_t kChunkTokens = 77;  // begin, 75 of the prompt or padding, end

// Padding is the end token, here and for every encoder; encode_prompt() replaces it where an encoder wants
// another.
struct TokenChunk {
  std::array<int, kChunkTokens> ids;
  std::array<float, kChunkTokens> weights;  // 1 for begin, end and padding
};

struct TokenizedPrompt {
  PromptDialect dialect = PromptDialect::plain;
  std::vector<TokenChunk> chunks;  // at least one
  // The same for encoders that are padded with kOpenClipPad, where those differ: in diffusers each "!" of the
  // prompt is padding to them (Tokenizer::encode()). Empty: as `chunks`.
  std::vector<TokenChunk> open_clip_chunks = {};
  std::int64_t tokens = 0;  // of the whole prompt, without begin, end and padding
  std::int64_t lost = 0;    // of these, in no chunk: PromptOverflow::truncate
};

// A1111: BREAK ends a chunk; a full chunk is cut at a comma (comma_backtrack). Comfy: a stretch of one weight
// that has less than 8 tokens is not cut. Throws std::invalid_argument for what the grammar refuses and as
// `overflow` says; for more than 1 MB of text.
TokenizedPrompt chunk_prompt(const Tokenizer& tokenizer, std::string_view text, const PromptRules& rules);

// "a1111", "comfy", "plain". Throws std::invalid_argument naming them for another.
PromptDialect prompt_dialect(std::string_view name);
std::string_view prompt_dialect_name(PromptDialect dialect);

}  // namespace upbench
