#include "models/diffusion/text/prompt_grammar.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>
#include <stdexcept>

#include <fmt/format.h>

#include "models/diffusion/text/unicode.h"

namespace upbench {
namespace {

constexpr double kStep = 1.1;             // one pair of brackets
constexpr std::size_t kMostNested = 500;  // Comfy's Python gives up at about that
constexpr std::string_view kSpace = " \t\n\v\f\r";

void check_depth(std::size_t depth) {
  if (depth > kMostNested)
    throw std::invalid_argument(
        fmt::format("brackets of a prompt are nested more than {} deep", kMostNested));
}

std::string_view trimmed(std::string_view text) {
  const std::size_t first = text.find_first_not_of(kSpace);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kSpace) - first + 1);
}

// A number as Python's float() takes it, white space around it included. Throws for one that is not finite.
std::optional<double> weight_of(std::string_view text) {
  text = trimmed(text);
  const std::string_view shown = text;
  if (text.starts_with('+')) text.remove_prefix(1);
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.starts_with('+') || end != text.data() + text.size() || error == std::errc::invalid_argument)
    return {};
  if (error != std::errc() || !std::isfinite(value))
    throw std::invalid_argument(fmt::format("the weight {} of a prompt is not finite", shown));
  return value;
}

// Where `word` stands by itself, from `from` on: neither letter, number nor underscore touches it.
std::size_t find_word(std::string_view text, std::string_view word, std::size_t from = 0) {
  // Within valid UTF-8 the bytes before a byte 10xxxxxx belong to its character.
  const auto touches_before = [&](std::size_t at) {
    if (at == 0) return false;
    std::size_t start = at - 1;
    while (start > 0 && (static_cast<unsigned char>(text[start]) & 0xC0) == 0x80) --start;
    return is_word(decode_utf8(text.substr(start, at - start)).front());
  };
  const auto touches_behind = [&](std::size_t at) {
    if (at == text.size()) return false;
    std::size_t end = at + 1;
    while (end < text.size() && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) ++end;
    return is_word(decode_utf8(text.substr(at, end - at)).front());
  };
  for (std::size_t at = text.find(word, from); at != std::string_view::npos; at = text.find(word, at + 1))
    if (!touches_before(at) && !touches_behind(at + word.size())) return at;
  return std::string_view::npos;
}

// What A1111 makes several prompts of, or no prompt: none of it is text or a weight.
void refuse_a1111_features(std::string_view text) {
  if (find_word(text, "AND") != std::string_view::npos)
    throw std::invalid_argument(
        "the prompt holds AND, with which A1111 composes several prompts; that is not supported: write "
        "\"and\" or a "
        "comma");
  for (std::size_t open = text.find('<'); open != std::string_view::npos; open = text.find('<', open + 1)) {
    const std::size_t colon =
        text.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_", open + 1);
    if (colon == std::string_view::npos || colon == open + 1 || text[colon] != ':') continue;
    const std::size_t close = text.find('>', colon);
    if (close == std::string_view::npos) break;
    if (close == colon + 1) continue;
    throw std::invalid_argument(fmt::format(
        "the prompt holds {}, which A1111 takes for an extra network, not for text: take it out; a LoRA is "
        "given as an option",
        text.substr(open, close - open + 1)));
  }
  struct Bracket {
    bool is_square;
    bool has_bar = false;
    std::size_t colon = std::string_view::npos;  // the last one of this level
  };
  std::vector<Bracket> open;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '\\') {
      ++i;
    } else if (c == '(' || c == '[') {
      open.push_back({.is_square = c == '['});
    } else if (!open.empty() && c == '|') {
      open.back().has_bar = true;
    } else if (!open.empty() && c == ':') {
      open.back().colon = i;
    } else if (!open.empty() && (c == ')' || c == ']')) {
      const Bracket bracket = open.back();
      open.pop_back();
      if (!bracket.is_square || c == ')') continue;
      const bool edits = bracket.colon != std::string_view::npos &&
                         weight_of(text.substr(bracket.colon + 1, i - bracket.colon - 1)).has_value();
      if (edits || bracket.has_bar)
        throw std::invalid_argument(fmt::format(
            "the prompt holds {}, which in A1111 changes the prompt while it is sampled; that is not "
            "supported: write \\[ and \\] for the characters",
            edits ? "[from:to:when]" : "[one|other]"));
    }
  }
}

void append_with_breaks(std::string_view text, std::vector<WeightedText>& result) {
  constexpr std::string_view kBreak = "BREAK";
  std::size_t at = find_word(text, kBreak);
  for (; at != std::string_view::npos; at = find_word(text, kBreak)) {
    const std::size_t last = text.substr(0, at).find_last_not_of(kSpace);
    result.push_back({.text = std::string(text.substr(0, last == std::string_view::npos ? 0 : last + 1))});
    result.push_back({.text = std::string(kBreak), .weight = -1});
    const std::size_t behind = text.find_first_not_of(kSpace, at + kBreak.size());
    text.remove_prefix(behind == std::string_view::npos ? text.size() : behind);
  }
  result.push_back({.text = std::string(text)});
}

// ":1.3)" at the start of the text: its length and the number's text.
struct ExplicitWeight {
  std::size_t length = 0;
  std::string_view number;
};
ExplicitWeight explicit_weight(std::string_view text) {
  if (!text.starts_with(':')) return {};
  const std::size_t begin = text.find_first_not_of(kSpace, 1);
  if (begin == std::string_view::npos) return {};
  const std::size_t digits = begin + (text[begin] == '+' || text[begin] == '-' ? 1 : 0);
  const std::size_t end = std::min(text.find_first_not_of(".0123456789", digits), text.size());
  const std::size_t close = text.find_first_not_of(kSpace, end);
  if (end == digits || close == std::string_view::npos || text[close] != ')') return {};
  return {.length = close + 1, .number = text.substr(begin, end - begin)};
}

std::vector<WeightedText> merge_equal(const std::vector<WeightedText>& parts) {
  std::vector<WeightedText> merged;
  for (const WeightedText& part : parts) {
    if (!merged.empty() && merged.back().weight == part.weight) {
      merged.back().text += part.text;
    } else {
      merged.push_back(part);
    }
  }
  return merged;
}

std::vector<WeightedText> parse_a1111(std::string_view text) {
  refuse_a1111_features(text);
  std::vector<WeightedText> result;
  std::vector<std::size_t> round, square;  // the first part behind each open bracket
  const auto close = [&](std::vector<std::size_t>& open, double factor) {
    for (std::size_t i = open.back(); i < result.size(); ++i) result[i].weight *= factor;
    open.pop_back();
  };
  for (std::size_t i = 0; i < text.size();) {
    const char c = text[i];
    const ExplicitWeight number = explicit_weight(text.substr(i));
    std::size_t length = 1;
    check_depth(round.size() + square.size());
    if (c == '\\') {
      const bool escapes =
          i + 1 < text.size() && std::string_view("()[]\\").find(text[i + 1]) != std::string_view::npos;
      length = escapes ? 2 : 1;
      result.push_back({.text = std::string(text.substr(i + 1, length - 1))});
    } else if (c == '(') {
      round.push_back(result.size());
    } else if (c == '[') {
      square.push_back(result.size());
    } else if (number.length > 0 && !round.empty()) {
      const std::optional<double> weight = weight_of(number.number);
      if (!weight)
        throw std::invalid_argument(fmt::format("the weight {} of a prompt is no number", number.number));
      close(round, *weight);
      length = number.length;
    } else if (c == ')' && !round.empty()) {
      close(round, kStep);
    } else if (c == ']' && !square.empty()) {
      close(square, 1 / kStep);
    } else {
      // A stretch without brackets, or one of ")", "]", ":", ":1.3)" that closes nothing.
      const std::size_t end = std::min(text.find_first_of("\\()[]:", i), text.size());
      length = std::max({end - i, number.length, std::size_t{1}});
      append_with_breaks(text.substr(i, length), result);
    }
    i += length;
  }
  while (!round.empty()) close(round, kStep);
  while (!square.empty()) close(square, 1 / kStep);
  if (result.empty()) result.emplace_back();
  result = merge_equal(result);
  for (WeightedText& part : result) {
    if (!std::isfinite(part.weight)) throw std::invalid_argument("a weight of the prompt is not finite");
    part.is_break = part.text == "BREAK" && part.weight == -1;
  }
  return result;
}

// Instead of \( and \) while brackets are counted: bytes that no UTF-8 has.
constexpr char kEscapedOpen = '\xFE', kEscapedClose = '\xFF';

// The outermost "( … )" and what is between them. A bracket that closes too much lowers the level below 0, so
// that the next one opens nothing: as in Comfy.
std::vector<std::string_view> outermost(std::string_view text) {
  std::vector<std::string_view> parts;
  std::size_t start = 0;
  int level = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '(' && level++ == 0) {
      if (i > start) parts.push_back(text.substr(start, i - start));
      start = i;
    } else if (text[i] == ')' && --level == 0) {
      parts.push_back(text.substr(start, i + 1 - start));
      start = i + 1;
    }
  }
  if (start < text.size()) parts.push_back(text.substr(start));
  return parts;
}

void append_comfy(std::string_view text, double weight, std::size_t depth,
                  std::vector<WeightedText>& result) {
  check_depth(depth);
  for (std::string_view part : outermost(text)) {
    if (part.size() < 2 || !part.starts_with('(') || !part.ends_with(')')) {
      result.push_back({.text = std::string(part), .weight = weight});
      continue;
    }
    part = part.substr(1, part.size() - 2);
    double inner = weight * kStep;
    const std::size_t colon = part.rfind(':');
    if (colon != std::string_view::npos && colon > 0) {
      if (const std::optional<double> stated = weight_of(part.substr(colon + 1))) {
        inner = *stated;
        part = part.substr(0, colon);
      }
    }
    append_comfy(part, inner, depth + 1, result);
  }
}

std::string with_replaced(std::string_view text, std::string_view what, std::string_view by) {
  std::string result;
  for (std::size_t at = text.find(what); at != std::string_view::npos; at = text.find(what)) {
    result.append(text.substr(0, at)).append(by);
    text.remove_prefix(at + what.size());
  }
  return result.append(text);
}

std::vector<WeightedText> parse_comfy(std::string_view text) {
  std::string escaped = with_replaced(text, "\\)", std::string(1, kEscapedClose));
  escaped = with_replaced(escaped, "\\(", std::string(1, kEscapedOpen));
  std::vector<WeightedText> result;
  append_comfy(escaped, 1.0, 0, result);
  for (WeightedText& part : result) {
    part.text = with_replaced(part.text, std::string(1, kEscapedClose), ")");
    part.text = with_replaced(part.text, std::string(1, kEscapedOpen), "(");
    constexpr std::string_view kEmbedding = "embedding:";
    if (part.text.starts_with(kEmbedding) || part.text.find(" embedding:") != std::string::npos ||
        part.text.find("\nembedding:") != std::string::npos)
      throw std::invalid_argument(
          "the prompt holds embedding:…, which Comfy replaces by a trained embedding; that is not supported");
  }
  return result;
}

}  // namespace

std::vector<WeightedText> parse_prompt(std::string_view text, PromptDialect dialect) {
  static_cast<void>(decode_utf8(text));
  switch (dialect) {
    case PromptDialect::a1111:
      return parse_a1111(text);
    case PromptDialect::comfy:
      return parse_comfy(text);
    case PromptDialect::plain:
      break;
  }
  return {{.text = std::string(text)}};
}

}  // namespace upbench
