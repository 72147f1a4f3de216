#include "models/diffusion/text/tokenizer.h"

#include <algorithm>
#include <queue>
#include <span>
#include <stdexcept>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "models/diffusion/text/unicode.h"
#include "models/diffusion/text/vocabulary.h"

namespace upbench {
namespace {

constexpr std::string_view kBegin = "<|startoftext|>", kEnd = "<|endoftext|>";

using Text = std::span<const char32_t>;

std::size_t run(Text text, bool (*holds)(char32_t)) {
  return static_cast<std::size_t>(std::ranges::find_if_not(text, holds) - text.begin());
}

bool is_other(char32_t c) {
  return !is_letter(c) && !is_number(c) && !is_space(c);
}

bool starts_with(Text text, std::string_view word) {
  return text.size() >= word.size() && std::equal(word.begin(), word.end(), text.begin());
}

// What CLIP's pattern takes from the start of the text, which is no white space, as one or more words: their
// lengths. A special token that is spelled with capitals is no token by now, but still a word to the pattern,
// cut once more where letters begin and end.
std::vector<std::size_t> next_words(Text text) {
  for (const std::string_view special : {kBegin, kEnd})
    if (starts_with(text, special)) return {2, special.size() - 4, 2};
  for (const std::string_view contraction : {"'s", "'t", "'re", "'ve", "'m", "'ll", "'d"})
    if (starts_with(text, contraction)) return {contraction.size()};
  if (is_letter(text.front())) return {run(text, is_letter)};
  if (is_number(text.front())) return {1};
  return {run(text, is_other)};
}

// One symbol of a word that is being merged; neighbours by index, -1: none.
struct Symbol {
  int id;
  int previous, next;
  bool is_gone = false;
};

struct Candidate {
  int rank, position, id;
  // The lowest rank first, and of equal ones the leftmost.
  bool operator<(const Candidate& other) const {
    return rank != other.rank ? rank > other.rank : position > other.position;
  }
};

}  // namespace

Tokenizer Tokenizer::from_file(const std::filesystem::path& file) {
  const Vocabulary vocabulary = read_vocabulary(file);
  try {
    return Tokenizer(vocabulary);
  } catch (const std::invalid_argument& error) {
    throw std::invalid_argument(fmt::format("{}: {}", file.string(), error.what()));
  }
}

Tokenizer::Tokenizer(const Vocabulary& vocabulary) {
  const auto id_of = [&](const std::string& symbol) {
    const auto found = vocabulary.ids.find(symbol);
    if (found == vocabulary.ids.end())
      throw std::invalid_argument(
          fmt::format("there is no id for {:?}; merges and ids are of different vocabularies", symbol));
    return found->second;
  };
  begin_ = id_of(std::string(kBegin));
  end_ = id_of(std::string(kEnd));
  for (const auto& [symbol, id] : vocabulary.ids) size_ = std::max<std::int64_t>(size_, id + 1);
  for (int byte = 0; byte < 256; ++byte) {
    const std::string written = written_byte(static_cast<unsigned char>(byte));
    // A byte that the vocabulary lacks is an unknown symbol, for which CLIP has the end token.
    const auto known = [&](const std::string& symbol) {
      const auto found = vocabulary.ids.find(symbol);
      return found == vocabulary.ids.end() ? end_ : found->second;
    };
    inner_ids_[static_cast<std::size_t>(byte)] = known(written);
    last_ids_[static_cast<std::size_t>(byte)] = known(written + "</w>");
  }
  merges_.reserve(vocabulary.merges.size());
  for (int rank = 0; rank < static_cast<int>(vocabulary.merges.size()); ++rank) {
    const auto& [left, right] = vocabulary.merges[static_cast<std::size_t>(rank)];
    const std::uint64_t key =
        static_cast<std::uint64_t>(id_of(left)) << 32 | static_cast<std::uint64_t>(id_of(right));
    merges_.insert_or_assign(key, Merged{.rank = rank, .id = id_of(left + right)});
  }
  comma_ = last_ids_[','];
}

const Tokenizer::Merged* Tokenizer::merged(int left, int right) const {
  const auto found = merges_.find(static_cast<std::uint64_t>(left) << 32 | static_cast<std::uint64_t>(right));
  return found == merges_.end() ? nullptr : &found->second;
}

std::vector<int> Tokenizer::encode(std::string_view text, bool bang_pads) const {
  const std::array<std::pair<std::string_view, int>, 3> specials{
      {{kBegin, begin_}, {kEnd, end_}, {"!", inner_ids_['!']}}};
  const std::span used(specials.data(), bang_pads ? 3 : 2);
  std::vector<int> ids;
  while (!text.empty()) {
    const auto place = [&](const auto& special) { return text.find(special.first); };
    const auto& first = *std::ranges::min_element(used, {}, place);
    const std::size_t at = place(first);
    encode_segment(text.substr(0, at), ids);
    if (at == std::string_view::npos) break;
    ids.push_back(first.second);
    text.remove_prefix(at + first.first.size());
  }
  return ids;
}

void Tokenizer::encode_segment(std::string_view text, std::vector<int>& ids) const {
  std::vector<char32_t> lower;
  for (const char32_t character : decode_utf8(composed(text))) append_lower(lower, character);
  std::string bytes;
  for (Text rest = lower; !rest.empty();) {
    if (is_space(rest.front())) {
      rest = rest.subspan(1);
      continue;
    }
    for (const std::size_t length : next_words(rest)) {
      bytes.clear();
      for (const char32_t character : rest.first(length)) append_utf8(bytes, character);
      encode_word(bytes, ids);
      rest = rest.subspan(length);
    }
  }
}

void Tokenizer::encode_word(std::string_view bytes, std::vector<int>& ids) const {
  const int count = static_cast<int>(bytes.size());
  std::vector<Symbol> symbols;
  symbols.reserve(bytes.size());
  for (int i = 0; i < count; ++i) {
    const auto byte = static_cast<unsigned char>(bytes[static_cast<std::size_t>(i)]);
    const bool is_last = i + 1 == count;
    symbols.push_back({.id = is_last ? last_ids_[byte] : inner_ids_[byte],
                       .previous = i - 1,
                       .next = is_last ? -1 : i + 1});
  }
  std::priority_queue<Candidate> queue;
  const auto offer = [&](int left) {
    if (left < 0 || symbols[left].next < 0) return;
    if (const Merged* found = merged(symbols[left].id, symbols[symbols[left].next].id))
      queue.push({.rank = found->rank, .position = left, .id = found->id});
  };
  for (int i = 0; i < count; ++i) offer(i);
  while (!queue.empty()) {
    const Candidate best = queue.top();
    queue.pop();
    Symbol& left = symbols[best.position];
    if (left.is_gone || left.next < 0) continue;
    Symbol& right = symbols[left.next];
    const Merged* still = merged(left.id, right.id);
    if (!still || still->id != best.id) continue;  // one of the two has been merged with another meanwhile
    left.id = best.id;
    left.next = right.next;
    right.is_gone = true;
    if (left.next >= 0) symbols[left.next].previous = best.position;
    offer(left.previous);
    offer(best.position);
  }
  for (const Symbol& symbol : symbols)
    if (!symbol.is_gone) ids.push_back(symbol.id);
}

}  // namespace upbench
