#include "models/diffusion/text/prompt.h"

#include <algorithm>
#include <stdexcept>

#include <fmt/format.h>

#include "models/diffusion/text/prompt_grammar.h"

namespace upbench {
namespace {

constexpr std::size_t kRoom = kChunkTokens - 2, kMostText = 1 << 20;

struct WeightedToken {
  int id;
  float weight;
};

TokenChunk empty_chunk(const Tokenizer& tokenizer) {
  TokenChunk chunk;
  chunk.ids.fill(tokenizer.end());
  chunk.weights.fill(1);
  chunk.ids[0] = tokenizer.begin();
  return chunk;
}

// The chunk that is being filled and those that are full.
class Chunker {
 public:
  explicit Chunker(const Tokenizer& tokenizer) : tokenizer_(tokenizer) {}

  std::size_t room() const { return kRoom - open_.size(); }
  void add(WeightedToken token) { open_.push_back(token); }

  // What follows the first `kept` tokens starts the next chunk.
  void close(std::size_t kept = kRoom) {
    kept = std::min(kept, open_.size());
    TokenChunk& chunk = closed_.emplace_back(empty_chunk(tokenizer_));
    for (std::size_t i = 0; i < kept; ++i) {
      chunk.ids[i + 1] = open_[i].id;
      chunk.weights[i + 1] = open_[i].weight;
    }
    open_.erase(open_.begin(), open_.begin() + static_cast<std::ptrdiff_t>(kept));
  }

  std::vector<TokenChunk> finish() {
    if (!open_.empty() || closed_.empty()) close();
    return std::move(closed_);
  }

 private:
  const Tokenizer& tokenizer_;
  std::vector<WeightedToken> open_;
  std::vector<TokenChunk> closed_;
};

// A stretch of text with one weight.
struct Stretch {
  std::vector<int> ids;
  float weight;
  bool is_break;
};

std::vector<TokenChunk> chunks_of_a1111(const Tokenizer& tokenizer, const std::vector<Stretch>& stretches,
                                        int comma_backtrack) {
  Chunker chunker(tokenizer);
  std::size_t filled = 0, behind_comma = 0;  // of the open chunk; 0: it has no comma
  const auto close = [&](std::size_t kept = kRoom) {
    chunker.close(kept);
    filled = kRoom - chunker.room();
    behind_comma = 0;
  };
  for (const Stretch& stretch : stretches) {
    if (stretch.is_break) {
      close();
      continue;
    }
    for (const int id : stretch.ids) {
      if (id == tokenizer.comma()) {
        behind_comma = filled + 1;
      } else if (filled == kRoom && behind_comma > 0 &&
                 static_cast<int>(filled + 1 - behind_comma) <= comma_backtrack) {
        close(behind_comma);
      }
      if (filled == kRoom) close();
      chunker.add({.id = id, .weight = stretch.weight});
      ++filled;
    }
  }
  return chunker.finish();
}

std::vector<TokenChunk> chunks_of_comfy(const Tokenizer& tokenizer, const std::vector<Stretch>& stretches) {
  constexpr std::size_t kUncut = 8;  // stretches shorter than this stay whole
  Chunker chunker(tokenizer);
  for (const Stretch& stretch : stretches) {
    if (stretch.ids.size() < kUncut && stretch.ids.size() > chunker.room()) chunker.close();
    for (const int id : stretch.ids) {
      if (chunker.room() == 0) chunker.close();
      chunker.add({.id = id, .weight = stretch.weight});
    }
  }
  return chunker.finish();
}

// One chunk only. Returns the number of tokens that are lost.
std::int64_t truncate(const Tokenizer& tokenizer, const std::vector<Stretch>& stretches,
                      std::vector<TokenChunk>& chunks) {
  Chunker chunker(tokenizer);
  std::int64_t lost = 0;
  for (const Stretch& stretch : stretches)
    for (const int id : stretch.ids) {
      if (chunker.room() == 0) {
        ++lost;
      } else {
        chunker.add({.id = id, .weight = stretch.weight});
      }
    }
  chunks = chunker.finish();
  return lost;
}

// `bang_pads` as of Tokenizer::encode().
TokenizedPrompt chunked(const Tokenizer& tokenizer, const std::vector<WeightedText>& parts,
                        const PromptRules& rules, bool bang_pads) {
  TokenizedPrompt prompt{.dialect = rules.dialect, .chunks = {}};
  std::vector<Stretch> stretches;
  for (const WeightedText& part : parts) {
    stretches.push_back({.ids = part.is_break ? std::vector<int>() : tokenizer.encode(part.text, bang_pads),
                         .weight = static_cast<float>(part.weight),
                         .is_break = part.is_break});
    prompt.tokens += static_cast<std::int64_t>(stretches.back().ids.size());
  }
  const PromptOverflow overflow = rules.overflow.value_or(
      rules.dialect == PromptDialect::plain ? PromptOverflow::truncate : PromptOverflow::chunks);
  if (overflow == PromptOverflow::refuse && prompt.tokens > static_cast<std::int64_t>(kRoom))
    throw std::invalid_argument(
        fmt::format("the prompt has {} tokens; expected at most {}", prompt.tokens, kRoom));
  if (overflow == PromptOverflow::truncate) {
    prompt.lost = truncate(tokenizer, stretches, prompt.chunks);
  } else if (rules.dialect == PromptDialect::a1111) {
    prompt.chunks = chunks_of_a1111(tokenizer, stretches, rules.comma_backtrack);
  } else {
    prompt.chunks = chunks_of_comfy(tokenizer, stretches);
  }
  return prompt;
}

constexpr std::array kDialects{PromptDialect::a1111, PromptDialect::comfy, PromptDialect::plain};

}  // namespace

TokenizedPrompt chunk_prompt(const Tokenizer& tokenizer, std::string_view text, const PromptRules& rules) {
  if (text.size() > kMostText)
    throw std::invalid_argument(
        fmt::format("a prompt of {} bytes; expected at most {}", text.size(), kMostText));
  if (rules.comma_backtrack < 0)
    throw std::invalid_argument(
        fmt::format("comma backtrack is {}; expected 0 or more", rules.comma_backtrack));
  const std::vector<WeightedText> parts = parse_prompt(text, rules.dialect);
  TokenizedPrompt prompt = chunked(tokenizer, parts, rules, false);
  if (rules.dialect == PromptDialect::plain && text.find('!') != std::string_view::npos) {
    prompt.open_clip_chunks = chunked(tokenizer, parts, rules, true).chunks;
    const std::size_t count = std::max(prompt.chunks.size(), prompt.open_clip_chunks.size());
    for (auto* chunks : {&prompt.chunks, &prompt.open_clip_chunks})
      chunks->resize(count, empty_chunk(tokenizer));
  }
  return prompt;
}

std::string_view prompt_dialect_name(PromptDialect dialect) {
  switch (dialect) {
    case PromptDialect::a1111:
      return "a1111";
    case PromptDialect::comfy:
      return "comfy";
    case PromptDialect::plain:
      break;
  }
  return "plain";
}

PromptDialect prompt_dialect(std::string_view name) {
  for (const PromptDialect dialect : kDialects)
    if (prompt_dialect_name(dialect) == name) return dialect;
  throw std::invalid_argument(fmt::format("unknown prompt dialect '{}'; known: a1111, comfy, plain", name));
}

}  // namespace upbench
