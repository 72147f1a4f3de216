#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

// Names of files are bytes: they may hold anything but '/' and NUL. Torch-free.
namespace upbench {

// Length of the well-formed UTF-8 sequence at the start of `text` (not empty); 0 where there is none.
std::size_t utf8_length(std::string_view text);

// Whether all of it is well-formed UTF-8.
bool is_utf8(std::string_view text);

// The character of one such sequence (or of one byte, taken as it is).
std::uint32_t code_point(std::string_view sequence);

// Text that may hold such names, fit for a terminal, a line of output, JSON and YAML: always UTF-8, and
// nothing in it acts. Control characters and bytes that are no UTF-8 become \xNN; line separators and
// characters that turn the direction of writing (U+061C, U+200E, U+200F, U+2028 to U+202E, U+2066 to U+2069,
// U+FEFF) become
// \u{NNNN}. All else, a backslash too, stays as it is.
std::string safe_text(std::string_view text);

}  // namespace upbench
