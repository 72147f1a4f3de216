#include "models/diffusion/text/unicode.h"

#include <cstdlib>
#include <memory>
#include <stdexcept>

#include <fmt/format.h>
#include <utf8proc.h>

namespace upbench {
namespace {

utf8proc_category_t category(char32_t character) {
  return utf8proc_category(static_cast<utf8proc_int32_t>(character));
}

// The time of putting marks in order grows with the square of how many there are in a row.
void check_marks(const std::vector<char32_t>& text) {
  constexpr int kMost = 4096;
  int marks = 0;
  for (const char32_t character : text) {
    marks = utf8proc_get_property(static_cast<utf8proc_int32_t>(character))->combining_class ? marks + 1 : 0;
    if (marks > kMost)
      throw std::invalid_argument(fmt::format("more than {} combining marks on one character", kMost));
  }
}

}  // namespace

std::vector<char32_t> decode_utf8(std::string_view text) {
  std::vector<char32_t> characters;
  characters.reserve(text.size());
  std::size_t at = 0;
  while (at < text.size()) {
    utf8proc_int32_t character = 0;
    const utf8proc_ssize_t bytes =
        utf8proc_iterate(reinterpret_cast<const utf8proc_uint8_t*>(text.data()) + at,
                         static_cast<utf8proc_ssize_t>(text.size() - at), &character);
    if (bytes <= 0) throw std::invalid_argument(fmt::format("not UTF-8 from byte {} on", at));
    characters.push_back(static_cast<char32_t>(character));
    at += static_cast<std::size_t>(bytes);
  }
  return characters;
}

void append_utf8(std::string& text, char32_t character) {
  utf8proc_uint8_t bytes[4];
  const utf8proc_ssize_t count = utf8proc_encode_char(static_cast<utf8proc_int32_t>(character), bytes);
  text.append(reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(count));
}

std::string composed(std::string_view text) {
  check_marks(decode_utf8(text));
  utf8proc_uint8_t* result = nullptr;
  const utf8proc_ssize_t size = utf8proc_map(
      reinterpret_cast<const utf8proc_uint8_t*>(text.data()), static_cast<utf8proc_ssize_t>(text.size()),
      &result, static_cast<utf8proc_option_t>(UTF8PROC_STABLE | UTF8PROC_COMPOSE));
  if (size < 0) throw std::invalid_argument(fmt::format("normal form C: {}", utf8proc_errmsg(size)));
  const std::unique_ptr<utf8proc_uint8_t, decltype(&std::free)> owner(result, &std::free);
  return {reinterpret_cast<const char*>(result), static_cast<std::size_t>(size)};
}

void append_lower(std::vector<char32_t>& text, char32_t character) {
  constexpr char32_t kDottedCapitalI = 0x130;  // the one whose lower case is two characters
  if (character == kDottedCapitalI) {
    text.insert(text.end(), {U'i', 0x307});
  } else {
    text.push_back(static_cast<char32_t>(utf8proc_tolower(static_cast<utf8proc_int32_t>(character))));
  }
}

bool is_letter(char32_t character) {
  switch (category(character)) {
    case UTF8PROC_CATEGORY_LU:
    case UTF8PROC_CATEGORY_LL:
    case UTF8PROC_CATEGORY_LT:
    case UTF8PROC_CATEGORY_LM:
    case UTF8PROC_CATEGORY_LO:
      return true;
    default:
      return false;
  }
}

bool is_number(char32_t character) {
  switch (category(character)) {
    case UTF8PROC_CATEGORY_ND:
    case UTF8PROC_CATEGORY_NL:
    case UTF8PROC_CATEGORY_NO:
      return true;
    default:
      return false;
  }
}

bool is_space(char32_t character) {
  switch (category(character)) {
    case UTF8PROC_CATEGORY_ZS:
    case UTF8PROC_CATEGORY_ZL:
    case UTF8PROC_CATEGORY_ZP:
      return true;
    default:
      return (character >= 0x09 && character <= 0x0D) || character == 0x85;
  }
}

bool is_word(char32_t character) {
  return character == U'_' || is_letter(character) || is_number(character);
}

}  // namespace upbench
