#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace upbench {

// What prompts need of Unicode (15.0, through utf8proc).

// Throws std::invalid_argument "not UTF-8 from byte N on" (overlong forms and surrogates are none either).
std::vector<char32_t> decode_utf8(std::string_view text);
void append_utf8(std::string& text, char32_t character);

// Normal form C. Throws std::invalid_argument where the text is not UTF-8, and for more than 4096 combining
// marks in a row.
std::string composed(std::string_view text);

// Each character by itself, whatever is around it: a capital sigma at a word's end becomes a sigma as
// elsewhere.
void append_lower(std::vector<char32_t>& text, char32_t character);

bool is_letter(char32_t character);  // general category L
bool is_number(char32_t character);  // general category N
bool is_space(char32_t character);   // property White_Space
bool is_word(char32_t character);    // what \w means to Python: letters, numbers, underscore

}  // namespace upbench
